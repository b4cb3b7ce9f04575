"""Letters that prose states; the audit's corpus has many more cases."""

import pytest

from dianjin_ext.answers.markers import WINDOW
from dianjin_ext.answers.stated import contradicts, read_stated_choices

FUNDS = {"A": "货币基金", "B": "债券基金", "C": "股票基金", "D": "混合基金"}


def letters(text, question=""):
    return read_stated_choices(text, FUNDS, question).value


@pytest.mark.parametrize(
    ("text", "stated"),
    [
        ("B is out.\nANSWER: C\n\nConfidence: 85%", "C"),
        ("The answer is C, not B.", "C"),
        ("答案：C是正确的，D是干扰项", "C"),
        ("【答案】AC", "AC"),
        ("综合以上分析，选C。", "C"),
        ("正确的有A、C。", "AC"),
        ('{"reasoning": "A is wrong", "answer": "C"}', "C"),
        ("A、C正确，B、D错误。", "AC"),
        ("Therefore, options A and C are correct.", "AC"),
        ("The correct options are:\nA. 货币基金\nC. 股票基金", "AC"),
        ("C. 股票基金\nExplanation: B pays less.", "C"),
        ("I first thought the answer was A. On reflection, the answer is C.", "C"),
    ],
)
def test_stated(text, stated):
    assert letters(text) == stated


@pytest.mark.parametrize(
    "text",
    [
        "Some say the answer is C.",
        "The student's answer is C.",
        "One tempting answer is C.",
        "你的答案是C，错误。",
        "答案是C，A也对。",
        "The answer is C. However, A is the better answer.",
        "答案：C。但题目问的是债券，应选B。",
        "Answer: C\nAnswer: B",
        "Answer: C. B is the correct answer.",
        "以下哪项正确的是C",
        "下列说法正确的是：\nA. 货币基金\nB. 债券基金\nC. 股票基金\nD. 混合基金",
        "C项正确，但不符合题意。",
        "If it pays more, option C is correct.",
        "C\nB",
    ],
)
def test_not_stated(text):
    assert letters(text) is None


@pytest.mark.parametrize(
    "explanation",
    [
        "修正久期衡量利率风险。",
        "A属于会计差错更正，B有误。",
        "A market correction changes nothing.",
        "Investors wait for rates to fall.",
        "However, A would be correct if the fund held bills.",
        "Is A right? No, since it pays less.",
    ],
)
def test_an_explanation_takes_nothing_back(explanation):
    assert letters(f"ANSWER: C. {explanation}") == "C"


def test_what_is_right_is_no_answer_to_what_is_wrong():
    said = "A、B、D正确，C错误。"
    assert letters(said) == "ABD"
    assert letters(said, "下列说法错误的是") is None
    assert letters(said + "故选C。", "下列说法错误的是") == "C"


def test_only_the_end_is_looked_at():
    assert letters("ANSWER: C" + " x" * WINDOW) is None
    assert letters("x " * WINDOW + "ANSWER: C") == "C"


def test_what_follows_a_box():
    assert contradicts("\nANSWER: B", "C", FUNDS)
    assert contradicts(". B is the correct answer.", "C", FUNDS)
    assert not contradicts("\nANSWER: C", "C", FUNDS)
    assert not contradicts("\nB pays less.", "C", FUNDS)
    assert not contradicts(" \n", "C", FUNDS)


@pytest.mark.parametrize(
    "lead", ["怀疑", "不能说", "没有把握", "例如：", "格式：", "上一题", "不正确的"]
)
def test_an_answer_that_is_only_mentioned(lead):
    assert letters(f"{lead}答案：C") is None


def test_another_option_beside_the_letter():
    assert letters("The answer is C, 股票基金") == "C"
    assert letters("The answer is C, 债券基金") is None
