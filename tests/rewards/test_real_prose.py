"""Real answers in prose, against the verdicts that come with them; -s lists where they differ."""

import json
from collections import Counter
from pathlib import Path

import pytest

from dianjin_ext import compute_score
from dianjin_ext.answers import read_number

FOLDER = Path(__file__).resolve().parents[2].parent / "shared" / "data"
UNREAD = {"no_answer", "ambiguous", "truncated", "gold_unusable"}


def lines(name):
    path = FOLDER / name
    if not path.exists():
        pytest.skip("the real outputs are not beside the repository (shared/data)")
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_letters_of_cfa_answers():
    rows = [row for row in lines("cfa_prose/responses.jsonl") if row["answer"]]
    scores = [
        compute_score("choice", row["raw_response"], row["answer"], strictness="lenient")
        for row in rows
    ]
    read = [(row, score) for row, score in zip(rows, scores, strict=True) if score["pred"]]
    print(f"CFA: {len(read)} of {len(rows)} read")
    for row, score in zip(rows, scores, strict=True):
        if score["pred"] != row["answer"]:
            print(row["question_id"], row["answer"], score, repr(row["raw_response"][-120:]))
    assert len(rows) >= 70
    assert len(read) / len(rows) >= 0.98
    assert all(score["pred"] == row["answer"] for row, score in read)


def factor(scale):
    number = read_number(f"1 {scale}").value if scale else None
    return number.value if number else 1


def is_near(row):
    """Whether the file's own reading of a single number is the gold answer, but for rounding."""
    gold, pred = row["answer"], row["pred_answer"]
    gold = gold[0] if isinstance(gold, list) and len(gold) == 1 else gold
    if isinstance(gold, list) or not isinstance(pred, list) or len(pred) != 1:
        return True
    wanted, said = read_number(str(gold)).value, read_number(str(pred[0])).value
    if wanted is None or said is None:
        return True  # texts, which are compared as they are
    meant = {said.value, said.written, said.value / factor(row["scale"])}
    return any(
        abs(one - other) <= wanted.step for one in meant for other in (wanted.value, wanted.written)
    )


def test_tatqa():
    rows = lines("tatqa_outputs/tatqa_cot_300.jsonl")
    counts, false_accepts = Counter(), []
    for row in rows:
        extra_info = {"scale": row["scale"], "question": row["question"]}
        text = row["generated"][0]
        score = compute_score("tatqa", text, row["answer"], extra_info, strictness="lenient")
        counts[score["reason"]] += 1
        if score["reason"] in UNREAD:
            print(row["answer"], row["scale"], score["reason"], repr(text[-120:]))
        if score["acc"] and not is_near(row):
            false_accepts.append((row["answer"], row["scale"], row["pred_answer"]))
    unread = sum(counts[reason] for reason in UNREAD)
    print(f"TAT-QA: {len(rows) - unread} of {len(rows)} read; {counts}")
    assert (len(rows) - unread) / len(rows) >= 0.95
    assert counts["gold_unusable"] == 0
    assert not false_accepts


def test_financebench():
    rows = [
        row
        for row in lines("financebench_outputs/gpt-4_oracle.jsonl")
        if read_number(str(row["gold_answer"])).value
        or str(row["gold_answer"]).strip(" .").lower() in ("yes", "no")
    ]
    # Its gold numbers are rounded, and its questions ask for shares in either form.
    policy = {"strictness": "lenient", "numbers": {"round_to_gold": True, "percent": "either"}}
    verdicts = Counter()
    for row in rows:
        extra_info = {"question": row["question"]}
        gold = row["gold_answer"]
        score = compute_score("finqa", row["model_answer"], gold, extra_info, **policy)
        human = row["label"] == "Correct Answer"
        verdicts[human, bool(score["acc"])] += 1
        if human != bool(score["acc"]):
            print(row["label"], gold, score["reason"], score["pred"], row["model_answer"][-200:])
    print(f"FinanceBench: (right by people, accepted here): {dict(verdicts)}")
    assert verdicts[True, True] / (verdicts[True, True] + verdicts[True, False]) >= 0.7
    assert verdicts[False, True] == 0


@pytest.mark.parametrize(
    ("model", "least"), [("gemini-pro", 0.95), ("Mixtral-8x7B-Instruct-v0_1", 0.75)]
)
def test_financemath(model, least):
    """The file's extraction is by a language model; its evaluator drops signs and powers of ten."""
    path = FOLDER / "financemath_outputs" / f"processed_cot_outputs__{model}.json"
    if not path.exists():
        pytest.skip("the real outputs are not beside the repository (shared/data)")
    rows = json.loads(path.read_text(encoding="utf-8"))
    policy = {"strictness": "lenient", "numbers": {"rel_tol": 0.04, "percent": "either"}}
    found = agree = 0
    false_accepts = []
    for row in rows:
        text = row["extracted_pred_answer"].removeprefix("The final answer is")
        wanted = read_number(text).value
        score = compute_score("docmath", row["output"][0], row["ground_truth"], **policy)
        if wanted is not None:
            found += 1
            read = score["reason"] in ("correct", "wrong")
            agree += read
            if not read:
                print(row["question_id"], text, score["reason"], repr(row["output"][0][-120:]))
        # Accepted against the file's verdict, though it extracted the very number read here.
        if score["acc"] and not row["result"]["acc"] and text.strip() == score["pred"]:
            false_accepts.append((row["question_id"], text, row["ground_truth"]))
    print(f"{model}: {agree} of {found} answers read; accepted against the file: {false_accepts}")
    assert agree / found >= least
    assert not false_accepts
