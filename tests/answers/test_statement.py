from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dianjin_ext.answers import read_number
from dianjin_ext.answers.markers import WINDOW
from dianjin_ext.answers.statement import read_statement

STATED = [
    ("Therefore, the answer is 168.6006.", "168.6006"),
    ("So we add 3 and 4.\n\nThe final answer is: $5.2 million.", "5200000"),
    ("**Answer:** 12.5%", "0.125"),
    ("The answer is:\n\\[ 12.5\\% \\]", "0.125"),
    ("The answer to this question is approximately $51.89.", "51.89"),
    ("#### 1,234", "1234"),
    ("根据题意，答案是5万元。", "50000"),
    ("最终答案：约3.5%", "0.035"),
    ("故答案为 5。", "5"),
    ("因此，每股收益为2.5元。", "2.5"),
    ("综上，增长率是12.5%。", "0.125"),
    ("答：5万元。", "50000"),
    ("答：该公司的净利润为5万元。", "50000"),
    ("Therefore, the yield will be approximately 18.146%.", "0.18146"),
    ("Thus, the 10-year rate of Method 4 is 3%.", "0.03"),
    ("Therefore, the average is (7500 + 2500) / 2 = 5000", "5000"),
    ("The answer is $2 + $3 = $5.", "5"),
    ("the answer is 0.2 or 20%.", "0.2"),
    ("Therefore, the worth will be $229,475.39 after 2 years for a shareholder.", "229475.39"),
    ("Therefore, the answer is 30.7 days in 2017.", "30.7"),
    ("The answer is 3. On checking, I made a mistake. The answer is 5.", "5"),
    ("The answer is 72, in total, so the fund pays that much.", "72"),
    ("The answer is 5 because 2 + 3 = 5.", "5"),
    ("Therefore, the DPO is approximately 93.88 days when rounded to two decimal places.", "93.88"),
    ("The answer is a loss of $5.", "-5"),
    (
        "Therefore, the answer is 0.8145, which is the weight of a return with a decay of 0.95.",
        "0.8145",
    ),
    ("The answer is 5. This assumes that the rate of 3% is constant.", "5"),
    ("The answer is 5.\nTherefore, the profit is 5.", "5"),
    ("### Answer\n5", "5"),
    ("**Final Answer**\n\n$5$", "5"),
    ("### 最终答案\n\n5万元", "50000"),
    ("Therefore, NPV = 5.", "5"),
    ("The answer is: therefore, the value of the share is $37.18", "37.18"),
]


@pytest.mark.parametrize(("text", "value"), STATED)
def test_stated(text, value):
    assert read_statement(text, read_number).value.value == Fraction(value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "5",
        "The profit is 5.",
        "The answer is the result of your calculation.",
        "The answer is a loss.",
        "The answer is a decrease of one in 5.",
        "The answer is not 5.",
        "It is not true that the answer is 5.",
        "If the answer is 5, sell.",
        "Is it true that the answer is 5?",
        "如果答案是5，则卖出。",
        "答案不是5。",
        "The answer isn't 5.",
        "The answer is more than 5.",
        "The answer is 5 at least.",
        "The answer is 5 in millions.",
        "The answer is 5 of 7.",
        "The answer is 5, which is 7% of sales.",
        "Therefore, the price is $5 and the yield is 3%.",
        "Therefore, the price is $5 and the yield = 3%.",
        "The answer is 5 and 6.",
        "The answers are 5, 6.",
        "Therefore, the price rose to 5.",
        "Therefore, the price is 5. But then taxes come in, too.",
        "So the price is 5.\nNow for the tax.",
        "这件事故是5。",
        "I doubt the answer is 5.",
        "It is false that the answer is 5.",
        "He claims the answer is 5.",
        "I assume that the answer is 5.",
        "The answer is unlikely to be 5.",
        "有人说答案是5",
        "#### 3. Conclusion",
        "#### 5. 结论\n利润上升",
        "The answer could be 5.",
        "### Answer\nnot 5",
        "The answer is " + "9" * 5000,
        "The answer is 5." + " and so on" * WINDOW,
    ],
)
def test_nothing_is_guessed(text):
    assert read_statement(text, read_number) == (None, "no_answer")


@pytest.mark.parametrize(
    "text",
    [
        "The answer is 12.\n\nTherefore, the period is 30.7 days.",
        "The answer is 5 or 6.",
        "The answer is 3. The answer is 5.",
        "Answer: 5\nActually, 6.",
        "答案是5。等等，应该是6。",
        "The answer is 5. On second thought, it is 6.",
        "The answer is 5. However, with tax it comes to 6.",
        "答案是5。重新计算后应为6。",
        "答案是5。但题目要求含税，应取6。",
    ],
)
def test_two_answers_are_ambiguous(text):
    assert read_statement(text, read_number) == (None, "ambiguous")


def test_answers_agree_as_the_caller_says():
    text = "The answer is 12.5%. Therefore, the rate is 0.125."
    assert read_statement(text, read_number).fault == "ambiguous"
    by_value = read_statement(text, read_number, lambda one, other: one.value == other.value)
    assert by_value.value.value == Fraction(1, 8)


PIECES = [
    "the answer is ",
    "答案是",
    "Therefore, ",
    "so ",
    " is ",
    "= ",
    "为",
    ". ",
    "。",
    "\n",
    "?",
]
PIECES += [
    "5",
    "5%",
    "$3",
    " and ",
    ", ",
    "not ",
    "for ",
    "<|endoftext|>",
    "####",
    "约",
    "x ",
    "(",
    ")",
]


@given(st.lists(st.sampled_from(PIECES), max_size=20).map("".join))
def test_any_text_is_read_or_refused(text):
    number, fault = read_statement(text, read_number)
    assert (number is None) == bool(fault)
