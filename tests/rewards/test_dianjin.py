"""`strictness="dianjin"` is the published rule of DianJin-R1, bit for bit."""

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dianjin_ext import compute_score


def published(response: str, gold: str) -> float:
    """Restate the rule with patterns, as it was published, not with searches as it is graded."""
    thoughts = re.compile("<think>(.*?)</think>", re.S).findall(response)
    answers = re.compile("<answer>(.*?)</answer>", re.S).findall(response)
    if (len(thoughts), len(answers)) != (1, 1):
        return 0.0
    boxes = re.compile(r"\\boxed\{(.*?)\}", re.S).findall(answers[0])
    return float(bool(boxes) and re.findall("[A-G]", _each(boxes[-1])) == list(_each(gold)))


def _each(text: str) -> str:
    return "".join(letter for letter in "ABCDEFG" if letter in text)


FRAGMENTS = [
    "<think>",
    "</think>",
    "<answer>",
    "</answer>",
    "\\boxed{",
    "\\boxed",
    "}",
    "{",
    "\\}",
    "A",
    "AB",
    "C",
    "H",
    "Ａ",
    " ",
    "\n",
    "<",
    "think>",
    "对",
]
FREE = st.lists(st.sampled_from(FRAGMENTS), max_size=14).map("".join)
INSIDE = st.lists(st.sampled_from(FRAGMENTS[4:]), max_size=8).map("".join)
NEARLY_GOOD = st.builds(
    "{}<think>{}</think>{}<answer>{}\\boxed{{{}</answer>{}".format,
    *[INSIDE, INSIDE, INSIDE, INSIDE, INSIDE, st.one_of(INSIDE, FREE)],
)
GOLD = st.text(alphabet="ABCH对", max_size=3)


@settings(max_examples=600, deadline=None)
@given(st.one_of(FREE, NEARLY_GOOD), GOLD)
@example("<think></think><answer>\\boxed{A\\boxed{B}} \\boxed{</answer>", "AB")
@example("<answer>\\boxed{A}<think></answer></think>", "A")
def test_same_score_on_random_responses(response, gold):
    row = compute_score("cflue_mcq", response, gold, strictness="dianjin")
    assert row["score"] == published(response, gold)


@settings(max_examples=100)
@given(NEARLY_GOOD, GOLD, st.sampled_from(["auto", "true", "false"]))
def test_policies_and_options_change_nothing(response, gold, think):
    row = compute_score(
        "fineval", response, gold, {"choices": {"A": "对"}}, strictness="dianjin", think=think
    )
    assert row["score"] == published(response, gold)


def good(answer: str) -> str:
    return f"<think>because</think><answer>{answer}</answer>"


TABLE = [
    (good(r"\boxed{\text{A}, \text{C}}"), "AC", 0),
    (good(r"\boxed{A. Bank loan and Debt}"), "A", 0),
    (good(r"\boxed{C (EBITDA)}"), "C", 0),
    (good(r"\boxed{B：GDP增速}"), "B", 0),
    (good(r"\boxed{ALL of the Above}"), "A", 1),
    (good(r"\boxed{EBITDA}"), "ABDE", 1),
    (good(r"\boxed{}"), "H", 1),
    (good(r"\boxed{H}"), "H", 1),
    (good(r"\boxed{999}"), "12", 1),
    (good(r"\boxed{错}"), "对", 1),
    (good(r"\boxed{a}"), "A", 0),
    (good(r"\boxed{Ａ}"), "A", 0),
    (good(r"\boxed {A}"), "A", 0),
    (good(r"\boxed{不选A，选C}"), "C", 0),
    (r"<answer>\boxed{A}</answer><think>because</think>", "A", 1),
    (r"<think>because <answer>\boxed{A}</answer></think>", "A", 1),
    (r"<think></think><answer>\boxed{A}</answer>", "A", 1),
    ("Well. " + good(r"\boxed{A}") + " Done.", "A", 1),
    (good(r"\boxed{A}") + "</think>", "A", 1),
    (good(r"\boxed{A}").removeprefix("<think>"), "A", 0),
    (good(r"\boxed{A}") * 2, "A", 0),
    (good("A"), "A", 0),
    (good(r"\boxed{A} \boxed{B}"), "B", 1),
    (good(r"\boxed{CA}"), "AC", 1),
]


@pytest.mark.parametrize(("response", "gold", "score"), TABLE)
def test_published_values(response, gold, score):
    assert published(response, gold) == score
    row = compute_score("cflue_mcq", response, gold, strictness="dianjin")
    assert row["score"] == row["acc"] == score


def test_gold_that_is_no_text_is_reported():
    row = compute_score("cflue_mcq", good(r"\boxed{A}"), None, strictness="dianjin")
    assert row["reason"] == "gold_unusable"


def test_other_rewards_use_the_published_layout():
    response = r"<answer>\boxed{1,000}</answer> then <think></think>"
    assert compute_score("finqa", response, "1000", strictness="dianjin")["score"] == 1.0
    assert compute_score("finqa", response, "1000")["reason"] == "order"
