"""Answers of several samples vote by `pred`: equal answers together, right and wrong ones never."""

import random

import pytest

from dianjin_ext import compute_score
from dianjin_ext.rewards.base import MAX_PRED, short_pred


def vote(source, answer, gold, info=None, **settings):
    response = rf"<think>x</think><answer>\boxed{{{answer}}}</answer>"
    row = compute_score(source, response, gold, info or {}, **settings)
    return row["pred"], row["acc"]


MILLIONS = {"scale": "million"}
PERCENT = {"scale": "percent"}
OPTIONS = {"choices": {"A": "现金", "B": "存货", "C": "负债", "D": "商誉"}}
TOGETHER = [
    ("finqa", "0.5", {}, ["0.5", "50%", "1/2", "0.50", ".5", "5e-1", r"\frac{1}{2}", "五成"]),
    ("finqa", "0.7", {}, ["0.5", "50%", "1/2", "0.50", ".5", "5e-1", "5000bps"]),
    ("finqa", "1", {}, ["50000", "5万", "50,000", "5万元", "¥50,000", "50千"]),
    ("finqa", "5万元", {}, ["50000", "5万", "50,000元", "5万元"]),
    ("finqa", "0.33333", {}, ["1/3", "0.33333", "33.333%", "0.333333"]),
    ("finqa", "-5", {}, ["-5", "(5)", "−5", "minus 5", "下降5"]),
    ("finqa", "yes", {}, ["yes", "Yes", "是"]),
    ("finqa", "0.07", {}, ["5-7%", "5%~7%", "0.05到0.07"]),
    ("finqa", "0.000003", {}, ["0.000003", "3e-6", "0.0003%"]),
    ("finqa", "5", MILLIONS, ["5", "5 million", "$5 million", "5.0", "5,000 thousand"]),
    ("finqa", "7", MILLIONS, ["5", "5 million", "$5 million", "5.0", "5,000 thousand"]),
    ("finqa", "12.5%", PERCENT, ["12.5", "12.5%", "0.125"]),
    (
        "tatqa",
        ["2018", "2019"],
        {},
        ["2018; 2019", "2019; 2018", "['2019', '2018']", "2018 和 2019"],
    ),
    ("tatqa", ["5%", "2%"], {}, ["5%; 2%", "0.02; 0.05", "1/20; 1/50"]),
    ("tatqa", ["Cash", "Debt"], {}, ["cash; debt", "Debt; Cash", "'Debt', 'Cash'"]),
    ("tatqa", ["5", "6"], MILLIONS, ["5; 6", "6 million; $5 million"]),
    ("tatqa", "net loss", {}, ["net loss", "Net Loss", "NET  LOSS"]),
    (
        "cflue_mcq",
        "AC",
        OPTIONS,
        ["AC", "CA", "A、C", "A, C", r"\text{C}和\text{A}", "A. 现金；C. 负债"],
    ),
    ("cflue_mcq", "B", OPTIONS, ["AC", "CA", "A、C"]),
    ("tfns", "bullish", {}, ["bullish", "利好", "Bullish", "看涨"]),
    ("ccc", "合规", {}, ["不合规", "违规"]),
    ("math", r"\frac{1}{2}", {}, ["0.5", r"\frac{1}{2}", "1/2", "0.50", r"\dfrac12", r"x=\frac12"]),
    ("math", "7", {}, [r"\sqrt{8}", r"2\sqrt{2}", r"\frac{4}{\sqrt2}"]),
    ("math", "x^2+2x+1", {}, ["(x+1)^2", "x^2+2x+1", "1 + 2x + x^2"]),
]


@pytest.mark.parametrize(("source", "gold", "info", "answers"), TOGETHER)
def test_spellings_of_one_answer_vote_together(source, gold, info, answers):
    votes = {answer: vote(source, answer, gold, info) for answer in answers}
    assert len(set(votes.values())) == 1, votes
    assert all(pred for pred, _ in votes.values())


@pytest.mark.parametrize(
    ("gold", "policy", "answers"),
    [
        ("12.5%", {"percent": "gold_hint"}, ["12.5%", "12.5", "0.125"]),
        ("12.5", {"percent": "either"}, ["12.5", "12.5%"]),
        ("5万元", {"unit": "gold_hint"}, ["5", "5万", "50000"]),
        ("5元", {"unit": "ignore"}, ["5元", "5美元", "5"]),
        ("0.33", {"round_to_gold": True}, ["0.333", "33.3%"]),
    ],
)
def test_what_a_policy_takes_for_the_same_votes_together(gold, policy, answers):
    votes = {answer: vote("finqa", answer, gold, numbers=policy) for answer in answers}
    assert len(set(votes.values())) == 1, votes
    assert next(iter(votes.values()))[1] == 1.0


@pytest.mark.parametrize(
    ("source", "gold", "info", "answers"),
    [
        ("finqa", "5元", {}, ["5元", "5美元", "5欧元", "6", "-5", "5%"]),
        ("finqa", "0.000003", {}, ["0.000003", "0.000004", "0"]),
        ("finqa", "1", {}, ["5万", "5", "5%", "5‰", "5~6"]),
        ("tatqa", ["5元", "6元"], {}, ["5元; 6元", "5美元; 6元", "5; 7"]),
        ("cflue_mcq", "A", OPTIONS, ["A", "AB", "B", "ABC"]),
        ("math", "1", {}, ["(1,2)", "[1,2]", "x", "2", r"\sqrt2"]),
        ("cflue_oe", "x" * 90, {}, ["x" * 90, "x" * 91, "x" * 90 + "y"]),
    ],
)
def test_different_answers_vote_apart(source, gold, info, answers):
    preds = [vote(source, answer, gold, info)[0] for answer in answers]
    assert len(set(preds)) == len(answers), preds


def test_an_answer_that_says_what_it_counts_otherwise_shows_it():
    assert vote("finqa", "5美元", "5元") == ("5 USD", 0.0)
    assert vote("finqa", "5元", "5元") == ("5", 1.0)
    assert vote("finqa", "$5,466,312,000", "5466.312", MILLIONS) == ("5466312000", 1.0)
    assert vote("finqa", "5,466,312,000", "5466.312", MILLIONS) == ("5466312000000000", 0.0)


def test_a_list_shows_how_it_was_written_where_its_text_alone_would_be_right():
    gold, info, policy = ["¥5.001元", "0"], {"scale": "万元"}, {"decimals": 2}
    assert vote("tatqa", "500%; 0", gold, info, numbers=policy) == ("0; 5", 1.0)
    assert vote("tatqa", "¥5.0; 0", gold, info, numbers=policy) == ("0; 5 (¥5.0; 0)", 0.0)


def test_what_is_not_read_has_no_vote():
    assert vote("finqa", "no idea", "5") == ("", 0.0)
    assert vote("cflue_mcq", "A或B", "A", OPTIONS) == ("", 0.0)


def test_prose_votes_as_a_box_does():
    for answer, gold, prose in (
        ("net loss", "cash", "It is clear. The answer is Net Loss."),
        ("0.125", "5", "Therefore, the rate is 12.5%."),
    ):
        row = compute_score("tatqa", prose, gold, strictness="lenient")
        assert row["pred"] == vote("tatqa", answer, gold)[0]


def test_a_long_answer_keeps_its_own_vote():
    one, other = short_pred("长" * 90), short_pred("长" * 90 + "短")
    assert one != other and max(len(one), len(other)) <= MAX_PRED
    assert short_pred("\ud800" * 90)


NUMBERS = [
    *("5", "5.0", "-5", "(5)", "5%", "500%", "0.05", "50000", "5万", "5万元", "5元", "5美元", "$5"),
    *(
        "5 million",
        "$5 million",
        "5000000",
        "$5,000,000",
        "1/3",
        "0.33333",
        "0.3333349",
        "0.333335",
    ),
    *(
        "33.3333%",
        "0.125",
        "12.5",
        "12.5%",
        "1250",
        "0.12499999",
        "12.4500001%",
        "0.1245",
        "5 shares",
    ),
    *(
        "5元/股",
        "$5 per share",
        "下降5",
        "下降5%",
        "5-7",
        "5-7%",
        "0.000003",
        "0.000004",
        "0",
        "5bps",
    ),
    *("5000000%", "12.4999", "12.50001", "5.001", "5.0010000001", "5.005", "4.995", "4.9949999"),
]
POLICIES = [
    {},
    {"percent": "gold_hint"},
    {"percent": "either", "unit": "gold_hint"},
    {"unit": "ignore"},
    {"rel_tol": 0.001},
    {"abs_tol": 0.001, "percent": "either"},
    {"decimals": None},
    {"decimals": 2},
    {"round_to_gold": True},
    {"round_to_gold": "decimals", "percent": "gold_hint"},
    {"scale": "none"},
    {"parity": "docmath"},
    {"parity": "finqa"},
    {"parity": "tatqa"},
]
ROWS = [{}, MILLIONS, PERCENT, {"scale": "万元"}, {"question": "下降了多少？"}]


def made_up(chance):
    """Return a quantity near one of the others, or one of them."""
    if chance.random() < 0.5:
        return chance.choice(NUMBERS)
    number = chance.choice([5, 0.05, 12.5, 0.125, 50000, 0.33333]) + chance.choice([0, 1e-3, -5e-6])
    before, after = (
        chance.choice(["", "$", "-", "¥"]),
        chance.choice(["", "%", " million", "万", "元"]),
    )
    return f"{before}{number:.{chance.randint(0, 8)}f}{after}"


@pytest.mark.parametrize("source", ["finqa", "tatqa", "convfinqa"])
def test_no_right_number_votes_with_a_wrong_one(source):
    chance, together = random.Random(source), 0
    for _ in range(150):
        gold, info, policy = made_up(chance), chance.choice(ROWS), chance.choice(POLICIES)
        if source == "tatqa" and chance.random() < 0.3:
            gold = [gold, made_up(chance)]
        seen = {}
        for _ in range(60):
            answer = made_up(chance)
            if isinstance(gold, list):
                answer = f"{answer}; {chance.choice([made_up(chance), gold[1]])}"
            pred, right = vote(source, answer, gold, info, numbers=policy)
            if pred:
                first = seen.setdefault(pred, (right, answer))
                assert first[0] == right, (gold, info, policy, pred, first, answer)
                together += first[1] != answer
    assert together >= 500


@pytest.mark.parametrize("strictness", ["strict", "lenient", "dianjin", "dianjin_eval"])
def test_no_right_letters_vote_with_wrong_ones(strictness):
    chance = random.Random(4)
    pieces = ["A", "B", "C", "、", "，", ". ", "现金", "存货", "a", " ", "对", "或", "不选"]
    for _ in range(200):
        gold, seen = chance.choice(["A", "AC", "B", "现金"]), {}
        for _ in range(40):
            answer = "".join(chance.choice(pieces) for _ in range(chance.randint(1, 4)))
            pred, right = vote("cflue_mcq", answer, gold, OPTIONS, strictness=strictness)
            if pred:
                assert seen.setdefault(pred, right) == right, (gold, pred, answer)


def test_no_right_mathematics_votes_with_wrong_one():
    thirds = ["1/3", r"\frac{333333}{1000000}", "0.333333", "0.33333333", "0.3333333333", "x=1/3"]
    others = ["0.5", r"\frac12", r"\sqrt{\frac{1}{9}}", "(x+1)^2", "x^2+2x+1", "[0,1]", "(0,1)"]
    for gold in thirds + others[3:]:
        seen = {}
        for answer in thirds + others:
            pred, right = vote("math", answer, gold)
            assert pred and seen.setdefault(pred, right) == right, (gold, pred, answer)
