import numpy as np
import pytest

from dianjin_ext import compute_score
from dianjin_ext.errors import DianjinError
from dianjin_ext.rewards import gold_response

CHOICES = {"A": "货币市场", "B": "债券市场", "C": "商品市场", "D": "金融衍生品市场", "E": None}


def good(answer: str) -> str:
    return f"<think>\nbecause\n</think>\n<answer>\n{answer}\n</answer>"


def grade(response, gold, choices=None, **policies):
    extra_info = {"choices": choices} if choices is not None else None
    return compute_score("cflue_mcq", response, gold, extra_info, **policies)


# Responses on which the published rule of DianJin-R1 is wrong; see test_dianjin.py for its values.
@pytest.mark.parametrize(
    ("response", "gold", "score", "reason"),
    [
        (good(r"\boxed{\text{A}, \text{C}}"), "AC", 1, "correct"),
        (good(r"\boxed{A. Bank loan and Debt}"), "A", 1, "correct"),
        (good(r"\boxed{C (EBITDA)}"), "C", 1, "correct"),
        (good(r"\boxed{B：GDP增速}"), "B", 1, "correct"),
        (good(r"\boxed{ALL of the Above}"), "A", 0, "no_answer"),
        (good(r"\boxed{EBITDA}"), "ABDE", 0, "no_answer"),
        (good(r"\boxed{}"), "H", 0, "gold_unusable"),
        (good(r"\boxed{H}"), "H", 0, "gold_unusable"),
        (good(r"\boxed{999}"), "12", 0, "gold_unusable"),
        (good(r"\boxed{错}"), "对", 0, "gold_unusable"),
        (good(r"\boxed{a}"), "A", 1, "correct"),
        (good(r"\boxed{Ａ}"), "A", 1, "correct"),
        (good(r"\boxed {A}"), "A", 1, "correct"),
        (good(r"\boxed{不选A，选C}"), "C", 0, "ambiguous"),
        (r"<answer>\boxed{A}</answer><think>because</think>", "A", 0, "order"),
        (r"<think>because <answer>\boxed{A}</answer></think>", "A", 0, "order"),
        (
            r"<think>\n</think><answer>\boxed{A}</answer>".replace(r"\n", "\n"),
            "A",
            0,
            "empty_think",
        ),
        ("Well. " + good(r"\boxed{A}"), "A", 0, "outside_text"),
        (good(r"\boxed{A}") + " Done.", "A", 0, "outside_text"),
        (good(r"\boxed{A}") + "</think>", "A", 0, "repeated_tag"),
        (good(r"\boxed{A}").removeprefix("<think>"), "A", 1, "correct"),
        ("<think>" * 4096, "A", 0, "truncated"),
    ],
)
def test_strict(response, gold, score, reason):
    row = grade(response, gold)
    assert (row["score"], row["acc"], row["reason"]) == (score, score, reason)


@pytest.mark.parametrize(
    ("answer", "gold", "score", "pred"),
    [
        (r"\boxed{CA}", "AC", 1, "AC"),
        (r"\boxed{A}", "AC", 0, "A"),
        (r"\boxed{ACD}", "AC", 0, "ACD"),
        (r"\boxed{B}", "A", 0, "B"),
    ],
)
def test_sets_are_compared_as_a_whole(answer, gold, score, pred):
    row = grade(good(answer), gold)
    assert row == {
        "score": score,
        "acc": score,
        "format": 1.0,
        "pred": pred,
        "reason": "correct" if score else "wrong",
    }


@pytest.mark.parametrize(
    "gold", ["AC", "A,C", "A、C", "CA", ["A", "C"], ("C", "A"), np.array(["A", "C"])]
)
def test_forms_of_the_gold_answer(gold):
    assert grade(good(r"\boxed{A、C}"), gold)["score"] == 1.0


@pytest.mark.parametrize(
    "gold", [None, "", "H", "12", 3, 1.5, float("nan"), [], [1], {"A": 1}, "A或B"]
)
def test_unusable_gold_is_told_apart_from_a_wrong_answer(gold):
    for response, layout in ((good(r"\boxed{A}"), 1.0), ("A", 0.0)):
        row = grade(response, gold)
        assert (row["score"], row["reason"], row["format"]) == (0.0, "gold_unusable", layout)


def test_options_of_the_row():
    assert grade(good(r"\boxed{货币市场}"), "A", CHOICES)["score"] == 1.0
    assert grade(good(r"\boxed{A. 债券市场}"), "A", CHOICES)["reason"] == "ambiguous"
    assert grade(good(r"\boxed{E}"), "A", CHOICES)["reason"] == "no_answer"
    assert grade(good(r"\boxed{A}"), "E", CHOICES)["reason"] == "gold_unusable"
    assert grade(good(r"\boxed{B}"), "错", {"A": "对", "B": "错", "C": None})["score"] == 1.0
    assert (
        grade(good(r"\boxed{J}"), "J", {letter: letter * 2 for letter in "ABCDEFGHIJ"})["acc"] == 1
    )


@pytest.mark.parametrize(
    "choices",
    [None, {}, {"A": None, "B": None}, {"A": float("nan")}, []],
)
def test_a_row_without_options_uses_a_to_g(choices):
    row = compute_score("cflue_mcq", good(r"\boxed{G}"), "G", {"choices": choices})
    assert row["score"] == 1.0


@pytest.mark.parametrize(
    "choices",
    [
        ["甲", "乙", "丙"],
        ["A. 甲", "B. 乙", "C. 丙"],
        np.array(["甲", "乙", "丙"]),
        [{"label": "A", "text": "甲"}, {"label": "B", "text": "乙"}, {"label": "C", "text": "丙"}],
        [
            {"key": "a", "content": "甲"},
            {"key": "b", "content": "乙"},
            {"key": "c", "content": "丙"},
        ],
        {"label": ["A", "B", "C"], "text": ["甲", "乙", "丙"]},
        {"a": "甲", "b": "乙", "c": "丙"},
        {"A.": "甲", "B.": "乙", "C.": "丙", "D.": None},
    ],
)
def test_forms_of_options(choices):
    for box, acc in (("乙", 1), ("B", 1), ("B. 乙", 1), ("丙", 0), ("B. 丙", 0), ("D", 0)):
        row = compute_score("cflue_mcq", good(rf"\boxed{{{box}}}"), "B", {"choices": choices})
        assert row["acc"] == acc


@pytest.mark.parametrize(
    "choices",
    [
        {1: "x"},
        "['x']",
        ["x", ["y"]],
        [{"A": "x"}, {"A": "y"}],
        [["A", "x"], ["B"]],
        {"选项": "x"},
        {"A": "x", "a": "y"},
        {"label": ["A"], "text": ["x", "y"]},
        7,
        ["x"] * 27,
    ],
)
def test_options_that_cannot_be_read_are_a_fault_of_the_row(choices):
    row = compute_score("cflue_mcq", good(r"\boxed{A}"), "A", {"choices": choices})
    assert row["reason"] == "gold_unusable"
    with pytest.raises(DianjinError, match=r"choices is .*expected letter to text"):
        gold_response("cflue_mcq", "A", {"choices": choices})


def test_options_that_are_numbers():
    choices = {"A": 3000, "B": np.float64(23173.5), "C": None}
    assert grade(good(r"\boxed{3000}"), "A", choices)["score"] == 1.0
    assert grade(good(r"\boxed{23173.5}"), "B", choices)["score"] == 1.0


@pytest.mark.parametrize(
    ("after", "score", "reason"),
    [
        ("", 1.0, "correct"),
        ("。故选C。", 1.0, "correct"),
        ("。修正久期衡量风险。", 1.0, "correct"),
        ("\n\nANSWER: B", 0.0, "ambiguous"),
        (". B is the correct answer.", 0.0, "ambiguous"),
        ("。更正：B", 0.0, "ambiguous"),
    ],
)
def test_lenient_refuses_a_box_that_the_text_contradicts(after, score, reason):
    row = grade("<think>x</think>\\boxed{C}" + after, "C", CHOICES, strictness="lenient")
    assert (row["score"], row["reason"]) == (score, reason)


@pytest.mark.parametrize(
    "choices",
    [
        [["A", "货币市场"], ["B", "债券市场"]],
        [{"A": "货币市场", "B": None}, {"A": None, "B": "债券市场"}],
    ],
)
def test_options_in_pairs(choices):
    assert grade(good(r"\boxed{债券市场}"), "B", choices)["acc"] == 1.0
    assert grade(good(r"\boxed{货币市场}"), "B", choices)["acc"] == 0.0


@pytest.mark.parametrize(
    "choices", ['{"A": "x"}', {"1": "x", "2": "y"}, {"label": ["A"], "text": []}]
)
def test_options_in_another_form_are_told(choices):
    assert grade(good(r"\boxed{A}"), "A", choices)["reason"] == "gold_unusable"
    with pytest.raises(DianjinError, match=r"choices is .*expected letter to text"):
        gold_response("cflue_mcq", "A", {"choices": choices})
