"""Which labelled answers candidates hold."""

import json

import pytest

pytest.importorskip("pyarrow")

from dianjin_ext.data.candidate import Candidate, write_candidates
from dianjin_ext.errors import DianjinError
from dianjin_ext.questions.question import Question
from dianjin_ext.rewards.judge.prompt import classifier_input
from dianjin_ext.verifier.labelled import counted, gather
from dianjin_ext.verifier.settings import VerifierSettings


def candidate(number, answer, **own):
    question = Question(
        id=f"q/{number}",
        data_source="cflue_oe",
        question=f"第{number}题是什么税？",
        kind="open",
        answer="增值税",
    )
    own = {"question": question} | own
    return Candidate(response=f"\\boxed{{{answer}}}", reasoning="想一想。", **own)


def verified(number, answer, reason, judge=None, **own):
    notes = {"verify": {"rule": "undecided" if judge else reason} | ({"judge": judge} if judge else
             {})}  # fmt: skip
    return candidate(number, answer, reason=reason, notes=notes, **own)


@pytest.fixture
def gathered(tmp_path):
    def gathered(*candidates, labels=(), **own):
        write_candidates(candidates, tmp_path / "candidates.parquet")
        given = {"model": "m", "answers": [tmp_path / "candidates.parquet"], "out": "o"} | own
        if labels:
            (tmp_path / "labels.jsonl").write_text("".join(json.dumps(e) + "\n" for e in labels))
            given["labels"] = tmp_path / "labels.jsonl"
        return gather(VerifierSettings(**given))

    return gathered


def pairs(found):
    return [(each.text.rpartition("\n")[2], each.right, each.by) for each in found.answers]


def test_a_verdict_is_a_label_whoever_gave_it_and_whether_or_not_the_response_stands(gathered):
    found = gathered(
        verified(0, "增值税", "correct"),
        verified(1, "销项税", "correct", judge="correct"),
        verified(2, "关税", "wrong", judge="wrong", dropped="verify: wrong"),
        verified(3, "印花税", "undecided", judge="undecided"),
        verified(4, "契税", "no_think"),
        candidate(5, "消费税"),
    )
    assert pairs(found) == [
        ("增值税", True, "rules"),
        ("销项税", True, "judge"),
        ("关税", False, "judge"),
    ]
    assert counted(found.answers) == {"right": 2, "wrong": 1}
    assert found.left_out["without a verdict"] == 3


def test_a_judge_that_was_only_compared_decides_nothing(gathered):
    compared = candidate(
        0, "增值税", reason="correct", notes={"verify": {"rule": "correct", "judge": "wrong"}}
    )
    assert pairs(gathered(compared)) == [("增值税", True, "rules")]


def test_every_thought_of_a_search_has_an_answer(gathered):
    rounds = [
        {"answer": "关税", "verdict": "wrong", "judge": "wrong"},
        {"verdict": "not_in_form"},
        {"answer": "解", "verdict": "wrong"},
        {"answer": "销项税", "verdict": "undecided", "judge": "undecided"},
        {"answer": "增值税", "verdict": "correct"},
    ]
    kept = candidate(0, "增值税", reason="correct", notes={"search": {"rounds": rounds}})
    lost = candidate(
        1, "契税", dropped="search: not_found", notes={"search": {"rounds": rounds[:1]}}
    )
    found = gathered(kept, lost)
    assert pairs(found) == [
        ("关税", False, "judge"),
        ("增值税", True, "rules"),
        ("关税", False, "judge"),
    ]
    assert found.left_out == {
        "without an answer": 1,
        "without a verdict": 1,
        "repeated": 1,
        "contradictory": 0,
    }


def test_the_text_is_what_the_judge_of_the_reward_sends(gathered):
    template = "<m>{answer}</m><r>{gold}</r>"
    for own in {}, {"template": template}:
        (found,) = gathered(verified(7, "关<|im_end|>税", "wrong"), **own).answers
        texts = ("第7题是什么税？", "增值税", "关<|im_end|>税")
        expected = classifier_input(*texts, own.get("template"))
        assert found.text == expected and "<|im_end|>" not in found.text


def test_equal_answers_count_once_and_contradictory_ones_not_at_all(gathered):
    same = verified(0, "销项税", "correct", judge="correct")
    found = gathered(
        same,
        same,
        verified(1, "关税", "wrong"),
        verified(1, "关税", "correct", judge="correct", sample=1),
    )
    assert pairs(found) == [("销项税", True, "judge")]
    assert found.left_out == {"repeated": 2, "contradictory": 1}


def test_people_have_the_last_word(gathered):
    rows = [
        verified(0, "销项税", "correct", judge="correct"),
        verified(0, "销项税", "correct", judge="correct", sample=1),
        candidate(1, "关税"),
    ]
    labels = [{"id": "q/0", "sample": 1, "right": False}, {"id": "q/1", "right": False}]
    assert pairs(gathered(*rows, labels=labels)) == [
        ("销项税", False, "people"),
        ("关税", False, "people"),
    ]
    with pytest.raises(DianjinError, match=r"labels\.jsonl: 1 labels are of no response.*'q/9'"):
        gathered(*rows, labels=[{"id": "q/9", "right": True}])


def test_what_no_judge_is_sent_is_no_answer(gathered):
    long = "长" * 2001
    found = gathered(
        verified(0, "增值税", "correct"), verified(1, long, "wrong"), verified(2, "：", "wrong")
    )
    assert len(found.answers) == 1
    assert found.left_out["longer than 2000 characters"] == 1
    assert found.left_out["without an answer"] == 1


def test_a_file_without_verdicts_is_refused_in_one_line(gathered, tmp_path):
    for rows in (), (candidate(0, "增值税"), verified(1, "增值税", "undecided", judge="undecided")):
        with pytest.raises(DianjinError, match=r"candidates\.parquet: no response has a verdict; "):
            gathered(*rows)
    (tmp_path / "x.jsonl").write_text("{}\n")
    with pytest.raises(DianjinError, match=r"x\.jsonl: can't be read as parquet"):
        gather(VerifierSettings(model="m", answers=[tmp_path / "x.jsonl"], out="o"))
