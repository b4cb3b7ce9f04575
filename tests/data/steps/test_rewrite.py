import json
from dataclasses import replace

import pytest

from dianjin_ext.data.steps.rewrite import problem, read_check

NEW = "企业购买商品后尚未支付给供应商的款项，在资产负债表中归入哪个流动负债科目？"
YES = "SELF_CONTAINED: yes\nSAME_ANSWER: yes"


def replies(new, *checks):
    script = iter(checks or (YES,))

    def reply(body):
        return next(script) if "SELF_CONTAINED" in body["messages"][-1]["content"] else new

    return reply


def test_a_choice_becomes_an_open_question_with_the_gold_options_text(run, choice):
    (row,), report = run("rewrite", [choice], replies(f"QUESTION: {NEW}"))
    assert (row.id, row.question, row.answer) == ("cflue/1/open", NEW, "应付账款")
    assert (row.data_source, row.kind, row.choices) == ("cflue_oe", "open", {})
    assert report["dropped"] == {}
    several = replace(choice, answer="AC", id="cflue/2")
    (row,), _ = run("rewrite", [several], replies(f"QUESTION: {NEW}"))
    assert row.answer == "应收账款；存货"


@pytest.mark.parametrize(
    ("new", "checks", "reason"),
    [
        ("IMPOSSIBLE: 离不开选项", (), "impossible"),
        (f"好的，改写如下：{NEW}", (), "not_in_form"),
        ("QUESTION: 下列哪项属于流动负债？", (), "refers_to_options"),
        ("QUESTION: 应付账款属于哪类负债？", (), "contains_answer"),
        (f"QUESTION: {NEW}", ("SELF_CONTAINED: no\nSAME_ANSWER: yes",), "needs_options"),
        (f"QUESTION: {NEW}", ("SELF_CONTAINED: yes\nSAME_ANSWER: no",), "answer_changed"),
        (f"QUESTION: {NEW}", ("yes", "yes, both", "sure"), "check_undecided"),
    ],
)
def test_what_does_not_hold_is_removed_with_the_reason(run, choice, tmp_path, new, checks, reason):
    rows, report = run("rewrite", [choice], replies(new, *checks))
    assert rows == [] and report["dropped"] == {reason: 1}
    (line,) = (tmp_path / "out.removed.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(line)["id"] == "cflue/1" and json.loads(line)["reason"] == reason


def test_what_can_not_be_opened_is_not_asked_about(run, choice, number):
    rows = [
        number,
        replace(choice, id="a", choices={"A": "对", "B": "错"}),
        replace(choice, id="b", choices=dict(choice.choices) | {"B": "以上都对"}),
        replace(choice, id="c", choices=dict(choice.choices) | {"B": "A和C"}),
        replace(choice, id="d", answer=None),
    ]
    _, report = run("rewrite", rows)
    assert report["dropped"] == {
        "not_multiple_choice": 1, "true_or_false": 1, "answer_names_options": 2, "without_gold": 1,
    }  # fmt: skip


def test_numbers_of_the_question_must_stay(choice):
    stem = replace(choice, question="某债券面值1,000元，票面利率5%，期限3年，每年利息为多少？")
    kept = "面值1,000元、票面利率5%、期限3年的债券每年付息多少元？"
    assert problem(stem, "50元", kept) == ""
    assert problem(stem, "50元", kept.replace("3年", "三年")) == "numbers_lost"
    written = stem.question.replace("1,000", "１０００").replace("5%", "5.0％")
    assert problem(replace(stem, question=written), "50元", kept) == ""
    assert problem(replace(stem, question="1、" + written + "（2）求值"), "50元", kept) != ""
    assert problem(replace(stem, question=f"（1）{written}\n2. 求值"), "50元", kept) == ""
    # a text that the question is about holds them too
    about = replace(stem, context="面值1,000元，票面利率5%，期限3年")
    assert problem(about, "50元", "这只债券每年付息多少元？") == ""


@pytest.mark.parametrize(
    ("text", "bad"),
    [
        ("Which of the following is an asset?", True),
        ("Which option is right?", True),
        ("Which option strategy gains from volatility alone?", False),
        ("What is the delta of a call option at the money?", False),
        ("Which of the above is a liability?", True),
        ("What will earnings be in the following year?", False),
        ("持股5%以上的股东增持多少时应当公告？", False),
        ("县级以上人民政府财政部门可以处以多少罚款？", False),
        ("甲公司购入设备。根据以上资料，应记入哪个科目？", False),
        ("以上各项中哪项正确？", True),
        ("A、B两家公司的净利润之和是多少？", False),
        ("Who advised J.P. Morgan in Schedule A) of the deal?", False),
        ("应收账款属于：A.资产 B.负债", True),
        ("应收账款属于：（A）资产 （B）负债", True),
        ("Which asset is A. cash or B. stock?", True),
        ("What is the price of a call at expiry?", False),
        ("以下简称“甲公司”的企业于2019年购入设备，应记入哪个科目？", False),
        ("上述哪项业务增加负债？", True),
        ("甲公司2019年购入设备，以上说法正确的是？", True),
    ],
)
def test_references_to_options_are_found_and_other_words_are_not(choice, text, bad):
    plain = replace(choice, question="?")
    assert (problem(plain, "—", text) == "refers_to_options") is bad


def test_the_check_counts_in_its_form_alone():
    assert read_check(YES) == (True, True)
    assert read_check("**SELF_CONTAINED:** yes\n**SAME_ANSWER: no**") == (True, False)
    assert read_check("**SELF_CONTAINED**: No\n\nSAME_ANSWER：yes.") == (False, True)
    for odd in ("", "yes\nyes", "SAME_ANSWER: yes\nSELF_CONTAINED: yes", f"{YES}\nI think"):
        assert read_check(odd) is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("均衡价格", None),
        ("都市圈", None),
        ("全部资产", None),
        ("AB股结构", None),
        ("BCG矩阵", None),
        ("C-D生产函数", None),
        ("A和B类份额", None),
        ("Part of all of the shares", None),
        ("5%以上", None),
        ("一次充值5000元以上均不许用现金", None),
        ("Hedge holds until maturity", None),
        ("Fed is the lender of last resort", None),
        ("都不对", "answer_names_options"),
        ("均正确", "answer_names_options"),
        ("AB都对", "answer_names_options"),
        ("A、B、C", "answer_names_options"),
        ("A和C均不正确", "answer_names_options"),
        ("B项正确", "answer_names_options"),
        ("上述各项都是", "answer_names_options"),
        ("None of these", "answer_names_options"),
        ("All of the above are correct", "answer_names_options"),
        ("Both A and B", "answer_names_options"),
        ("neither", "answer_names_options"),
        ("不正确", "true_or_false"),
        ("说法错误。", "true_or_false"),
        ("Incorrect", "true_or_false"),
        ("Ｆ", "true_or_false"),
    ],
)
def test_answers_that_name_options_or_say_only_yes_are_left_out(run, choice, text, reason):
    asked = replace(choice, choices=dict(choice.choices) | {"B": text})
    rows, report = run("rewrite", [asked], replies(f"QUESTION: {NEW}"))
    assert [row.answer for row in rows] == ([] if reason else [text])
    assert report["dropped"] == ({reason: 1} if reason else {})


@pytest.mark.parametrize("shown", ["应付账款", "应付 账款", "“应付账款”", "ＡＰ与应付账款"])
def test_an_answer_that_is_shown_is_found_in_other_dress(choice, shown):
    assert problem(choice, "应付账款", f"{shown}属于哪类负债？") == "contains_answer"
    english = replace(choice, question="Which of the following is a liability?")
    assert problem(english, "Accounts payable", "Are ACCOUNTS  Payable owed?") == "contains_answer"
    assert problem(choice, "1,000元", "付款1000元的企业应记入哪个科目？") == "contains_answer"


@pytest.mark.parametrize(
    "dress", ["**QUESTION:** {}", "**QUESTION**: {}", "**QUESTION: {}**", "`{}`"]
)
def test_bold_type_is_no_part_of_the_question(run, choice, dress):
    said = dress.format(NEW) if "QUESTION" in dress else dress.format(f"QUESTION: {NEW}")
    (row,), _ = run("rewrite", [choice], replies(said))
    assert row.question == NEW


def test_bold_type_inside_a_question_stays(run, choice):
    (row,), _ = run("rewrite", [choice], replies(f"QUESTION: **甲公司**的{NEW}"))
    assert row.question == f"**甲公司**的{NEW}"
