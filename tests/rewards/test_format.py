import pytest

from dianjin_ext import compute_score
from dianjin_ext.answers import Reading
from dianjin_ext.rewards.format import compare, extract
from dianjin_ext.rewards.policy import Policy


def grade(response, **policies):
    return compute_score("cflue_mcq", response, "A", **policies)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (r"\boxed{A}", "correct"),
        (r"综上，选 $\boxed{A}$。", "correct"),
        ("A", "not_boxed"),
        ("", "not_boxed"),
        (r"\boxed{", "not_boxed"),
        (r"\boxed{A", "not_boxed"),
        (r"\boxed{}", "not_boxed"),
        (r"\boxed{ }", "not_boxed"),
        (r"\boxed A", "not_boxed"),
        (r"\boxed{A} \boxed{B}", "ambiguous"),
        (r"\boxed{A} \boxed{A}", "ambiguous"),
        (r"\boxed{B} no, \boxed{A}", "ambiguous"),
        (r"\boxed{B}", "wrong"),
    ],
)
def test_strict_wants_one_box(answer, reason):
    row = grade(f"<think>x</think><answer>{answer}</answer>")
    assert row["reason"] == reason
    assert row["format"] == (reason in ("correct", "wrong"))


@pytest.mark.parametrize(
    ("response", "reason"),
    [
        (r"\boxed{A}", "correct"),
        ("A", "correct"),
        ("答案是A", "correct"),
        (r"<answer>\boxed{A}</answer>", "correct"),
        (r"so</think>\boxed{A}", "correct"),
        (r"<think></think><answer>A</answer>", "correct"),
        (r"Well <think>x</think> so <answer>\boxed{B} no, \boxed{A}</answer> ok", "correct"),
        (r"<think>x</think><answer>\boxed{A}", "correct"),
        (r"<think>x</think><answer>\boxed{B}</answer><answer>\boxed{A}</answer>", "correct"),
        (r"<think>x</think></think><answer>\boxed{A}</answer>", "correct"),
        (r"<think>\boxed{A}", "truncated"),
        (r"<think>x <answer>\boxed{A}</answer>", "truncated"),
        (r"<answer>\boxed{A}</answer><think>x</think>", "order"),
        (r"<think>\boxed{A}</think>", "no_answer"),
        (r"<think>\boxed{A}</think> B", "wrong"),
        (r"<think>x</think>\boxed{}", "not_boxed"),
        ("I think that A is right", "no_answer"),
        ("A或B", "ambiguous"),
        ("A/B/C 之一", "ambiguous"),
    ],
)
def test_lenient(response, reason):
    row = grade(response, strictness="lenient")
    assert row["reason"] == reason
    if reason == "correct":
        assert row["score"] == row["format"] == 1.0


def test_whether_the_answer_was_boxed_is_told():
    lenient = Policy(strictness="lenient")
    assert extract(r"so \boxed{A}", lenient) == ("A", "", "", True, "so ", "")
    assert extract("so A", lenient) == ("so A", "", "", False, "", "")


def test_compare_takes_any_kind_of_answer():
    found = extract(r"\boxed{7}", Policy(strictness="lenient"))

    def read(extract):
        return Reading(int(extract.text))

    assert compare(found, 7, read).score == 1.0
    near = compare(found, 6, read, right=lambda answer, gold: answer > gold, show=hex)
    assert (near.score, near.pred) == (1.0, "0x7")
    assert compare(found, None, read).reason == "gold_unusable"


@pytest.mark.parametrize(
    ("think", "prefilled", "complete"),
    [
        ("auto", "correct", "correct"),
        ("true", "correct", "repeated_tag"),
        ("false", "no_think", "correct"),
        (True, "correct", "repeated_tag"),
        (False, "no_think", "correct"),
    ],
)
def test_prefilled_think(think, prefilled, complete):
    rest = r"why</think><answer>\boxed{A}</answer>"
    assert grade(rest, think=think)["reason"] == prefilled
    assert grade("<think>" + rest, think=think)["reason"] == complete


def test_open_answers_need_no_box():
    for answer, score in [("增值税", 1), (r"\boxed{增值税}", 1), (r"\boxed{增值税} \boxed{x}", 0)]:
        response = f"<think>x</think><answer>{answer}</answer>"
        assert compute_score("cflue_oe", response, "增值税")["score"] == score
        assert compute_score("cflue_oe", response, "增值税")["format"] == score
