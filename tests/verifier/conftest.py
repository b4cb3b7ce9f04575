"""Labelled answers that a tiny model learns at once, and a model to begin from."""

import pytest


@pytest.fixture(scope="session")
def candidates(tmp_path_factory):
    """A file of candidates: answers that name one tax are right, those that name another wrong."""
    pytest.importorskip("pyarrow")
    from dianjin_ext.data.candidate import Candidate, write_candidates
    from dianjin_ext.questions.question import Question

    said = ["就是{}", "{}这一种", "答案是{}", "流转时征收的{}"]
    rows = []
    for number in range(240):
        right = number % 3 > 0
        about = f"{number * 7919}{chr(0x4E00 + 11 * number)}{chr(0x6E00 + 5 * number)}"
        question = Question(
            id=f"q/{number}",
            data_source="cflue_oe",
            question=f"{about}是什么税？",
            kind="open",
            answer="增值税",
        )
        answer = said[number % 4].format("增值税" if right else "关税")
        verdict = "correct" if right else "wrong"
        rows.append(
            Candidate(
                question=question,
                reasoning="想一想。",
                response=f"\\boxed{{{answer}}}",
                reason=verdict,
                notes={"verify": {"rule": "undecided", "judge": verdict}},
                dropped="" if right else "verify: wrong",
            )
        )
    path = tmp_path_factory.mktemp("answers") / "candidates.parquet"
    write_candidates(rows, path)
    return path


@pytest.fixture(scope="session")
def base(candidates, tmp_path_factory):
    """A folder with a language model that knows nothing."""
    pytest.importorskip("torch")
    from dianjin_ext.data.candidate import read_candidates
    from dianjin_ext.quickstart.model import build_model, build_tokenizer

    texts = [each.question.question + each.response for each in read_candidates(candidates)]
    tokenizer = build_tokenizer([*texts, "Question: Reference answer: Answer:"], vocabulary=400)
    folder = tmp_path_factory.mktemp("base")
    build_model(tokenizer, hidden=32, layers=1, seed=0).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
