import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dianjin_ext import compute_score
from dianjin_ext.rewards.score import gold_response

NAMES = ["finqa", "convfinqa", "tatqa", "docmath", "xbrl_math", "numeric"]


def grade(answer, gold, name="finqa", **settings):
    return compute_score(name, f"<think>x</think><answer>{answer}</answer>", gold, **settings)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("box", "gold", "score"),
    [
        ("1,234", "1234", 1),
        ("1234", 1234, 1),
        ("1.42403", 1.42403, 1),
        ("1.42403", np.float64(1.42403), 1),
        ("0.00001", 1e-05, 1),
        ("24.691358", "24.69136", 1),
        ("24.69", "24.69136", 0),
        ("0.3", "0.30", 1),
        ("(5)", "-5", 1),
        ("(5)", "5", 0),
        ("-5", "5", 0),
        ("50", "5", 0),
        ("5000", "5", 0),
        ("1250", "12.5", 0),
        ("380", "3.8", 0),
        (r"380\%", "3.8", 1),
        (r"12.5\%", "0.125", 1),
        ("12.5%", "12.5%", 1),
        ("12.5%", "12.5", 0),
        ("12.5", "0.125", 0),
        ("0.125", "12.5%", 1),
        ("-0", "0", 1),
        ("rubbish", "0", 0),
        (r"5\text{ million}", "5", 0),
        (r"5\text{ million}", "5,000,000", 1),
        ("三千二百万元", "3200万元", 1),
        ("$5", "5元", 0),
        ("约5", "5", 1),
        ("5-7", "5", 0),
        ("no", "no", 1),
        ("否", "no", 1),
        ("yes", "no", 0),
        ("5", "no", 0),
        ("no", "0", 0),
        ("1e300", "1e300", 1),
    ],
)
def test_box(name, box, gold, score):
    assert grade(rf"\boxed{{{box}}}", gold, name)["score"] == score


@pytest.mark.parametrize("after", ["%", r"\%", "％", " %", r" \% of sales", r"$\%", " percent"])
def test_percent_sign_after_the_box_belongs_to_the_number(after):
    assert grade(r"\boxed{12.5}" + after, "0.125")["score"] == 1.0
    assert grade(r"\boxed{12.5}" + after, "12.5")["score"] == 0.0
    assert grade(r"\boxed{12.5\%}" + after, "0.125")["reason"] == "ambiguous"


@pytest.mark.parametrize(
    ("after", "gold", "score"),
    [
        ("万元。", "50000", 1),
        ("万元。", "5", 0),
        ("万元。", "5万美元", 0),
        (r"\text{ million dollars}", "$5,000,000", 1),
        ("$ million", "5 million", 1),
        ("$ and $7$", "5", 1),
        (" years", "5", 1),
        (" millionaires", "5", 1),
        ("个人认为", "5", 1),
        (" m", "5", 1),
        (" 美元", "5元", 0),
    ],
)
def test_scale_and_currency_after_the_box_belong_to_the_number(after, gold, score):
    assert grade(r"\boxed{5}" + after, gold)["score"] == score


@pytest.mark.parametrize(
    "gold", [None, "", "5 apples", "5 or 6", "abc", float("nan"), float("inf"), [1, 2], True]
)
def test_unusable_gold(gold):
    assert grade(r"\boxed{5}", gold)["reason"] == "gold_unusable"


@pytest.mark.parametrize(
    "gold",
    [0, -1.5, 1e-05, 1042490.2, "12.5%", "-$5.2 million", "(5)", "5-7%", "3/4", "五万", "no"],
)
def test_every_gold_wins_when_it_is_given_back(gold):
    response = gold_response("finqa", gold)
    assert compute_score("finqa", response, gold)["score"] == 1.0


def test_equal_numbers_have_one_pred():
    spellings = ("0.125", ".1250", "12.5%", "1.25e-1", r"\frac{1}{8}", "1250bps", "百分之十二点五")
    assert {grade(rf"\boxed{{{box}}}", "1")["pred"] for box in spellings} == {"0.125"}


def test_pred_is_short():
    assert len(grade(r"\boxed{1e300}", "1")["pred"]) <= 80


@pytest.mark.parametrize(
    ("answer", "gold", "reason"),
    [
        ("Therefore, the answer is $5.2 million.", "5200000", "correct"),
        ("因此，增长率为12.5%。", "12.5%", "correct"),
        ("The answer is no.", "no", "correct"),
        ("5.2 million", "5200000", "correct"),
        ("The answer is -5.", "5", "wrong"),
        ("The answer is a loss of 5.", "5", "ambiguous"),
        ("The profit is 5 and 6 or 7.", "5", "no_answer"),
        ("The answer is 12. Therefore, the period is 30 days.", "12", "ambiguous"),
        (r"The answer is 5. \boxed{6}", "6", "correct"),
        (r"The answer is 5. \boxed{x}", "5", "no_answer"),
        ("The answer is 5 or 6.", "5", "ambiguous"),
    ],
)
def test_lenient_reads_what_prose_states(answer, gold, reason):
    row = compute_score("finqa", answer, gold, strictness="lenient")
    assert row["reason"] == reason
    assert grade(answer, gold)["format"] == ("boxed" in answer)


def test_policies_come_from_settings():
    for gold, box, numbers in [
        ("12.5", r"12.5\%", {"percent": "either"}),
        ("5万元", "5", {"unit": "gold_hint"}),
        ("5元", "5美元", {"unit": "ignore"}),
        ("100", "101", {"rel_tol": 0.01}),
        ("100", "101", {"abs_tol": 1.0}),
        ("12.3", "12.34", {"round_to_gold": True}),
        ("5", "-5", {"parity": "docmath"}),
    ]:
        assert grade(rf"\boxed{{{box}}}", gold)["score"] == 0.0
        assert grade(rf"\boxed{{{box}}}", gold, numbers=numbers)["score"] == 1.0


@given(st.text(max_size=60), st.sampled_from(["strict", "lenient", "dianjin"]))
def test_no_text_raises(text, strictness):
    for answer in (rf"\boxed{{{text}}}", rf"\boxed{{5}}{text}", text):
        row = grade(answer, "5", strictness=strictness)
        assert row.keys() == {"score", "acc", "format", "pred", "reason"}


def test_random_bytes_never_score_against_a_random_number():
    generator = random.Random(0)
    for _ in range(2000):
        text = "".join(generator.choices("0123456789%$,.-()万亿 million\\{}frac/", k=8))
        assert grade(rf"\boxed{{{text}}}", "-31415926.5358979")["score"] == 0.0


@pytest.mark.parametrize(
    ("after", "reason"),
    [
        (".\n\nThe answer is $5.00$.", "correct"),
        (".\n\nThe answer is about 5.01.", "correct"),
        ("\n#### 3. Notes\nBe careful.", "correct"),
        (".\n\nAnswer: 6", "ambiguous"),
        ("\n#### 6", "ambiguous"),
    ],
)
def test_lenient_refuses_a_box_that_the_text_contradicts(after, reason):
    response = "<think>x</think>\\boxed{5}" + after
    assert compute_score("finqa", response, "5", strictness="lenient")["reason"] == reason
