import math

import pytest

from dianjin_ext import compute_score
from dianjin_ext.rewards.docmath import same_as_docmath


@pytest.mark.parametrize(
    ("text", "gold"),
    [
        ("5", 5.0),
        ("50", 5.0),
        ("5000", 5.0),
        ("-5", 5.0),
        ("0.05", 5.0),
        ("12.5", 0.125),
        ("5.007", 5.0),
        ("12.51", 0.125),
        ("125.1", 0.125),
        ("12510", 0.125),
        ("rubbish", 0.0),
        ("", 0.0),
        ("$5 million", 5.0),
        ("5%", 5.0),
        ("1,234.5", 1234.5),
        ("1,234.5 shares", 1234.5),
        ("EUR 5", 5.0),
        ("x = 5", 5.0),
        ("approximately 5", 5.0),
        ("5 or 7", 5.0),
        ("2 + 3", 5.0),
        ("1.2 x 10^3", 1200.0),
        ("3/4", 0.75),
        ("True", 1.0),
        ("no", 0.0),
        ("0.0001", 0.001),
    ],
)
def test_accepted(text, gold):
    assert same_as_docmath(text, gold)


@pytest.mark.parametrize(
    ("text", "gold"),
    [
        ("5.008", 5.0),
        ("1.251", 0.125),
        ("12.52", 0.125),
        ("6", 5.0),
        ("-5.003", 5.0),
        ("rubbish", 5.0),
        ("1,2", 1.0),
        ("(a)", 0.0),
        ("None", 0.0),
        ("[5]", 5.0),
        ("9**9**9**9", 1.0),
        ("5/0", 5.0),
        ("__import__('os')", 1.0),
        ("(" * 5000, 5.0),
        ("9" * 5000, 5.0),
    ],
)
def test_refused(text, gold):
    assert not same_as_docmath(text, gold)


def grade(answer, gold, **settings):
    response = f"<think>x</think><answer>{answer}</answer>"
    return compute_score("docmath", response, gold, numbers={"parity": "docmath"}, **settings)


def test_parity_replaces_the_comparison_only():
    assert grade(r"\boxed{-5}", 5)["score"] == 1.0
    assert grade(r"\boxed{-5}", "5.0")["score"] == 1.0
    assert grade(r"\boxed{rubbish}", 0)["pred"] == "rubbish"
    assert grade("-5", 5)["reason"] == "not_boxed"
    assert grade(r"\boxed{6}", 5)["reason"] == "wrong"
    assert grade(r"\boxed{5}", "abc")["reason"] == "gold_unusable"
    assert grade(r"\boxed{5}", math.nan)["reason"] == "gold_unusable"


def test_gold_answers_as_the_reader_of_finqa_writes_them():
    for answer in ("14.936%", "14.94", "0.14936", "0.1494"):
        assert grade(rf"\boxed{{{answer}}}", "14.936%")["reason"] == "correct", answer
    assert grade(r"\boxed{16%}", "14.936%")["reason"] == "wrong"
    assert grade(r"\boxed{yes}", "yes")["reason"] == "correct"
    assert grade(r"\boxed{no}", "yes")["reason"] == "wrong"
    assert grade(r"\boxed{no}", "no")["reason"] == "correct"
    assert grade(r"\boxed{yes}", "no")["reason"] == "wrong"
    for gold in ("%", "-%", "five %", "nan%", "inf%"):
        assert grade(r"\boxed{5}", gold)["reason"] == "gold_unusable", gold


def test_prose_is_read_as_a_statement():
    assert grade("Therefore, the answer is $-5.", 5, strictness="lenient")["score"] == 1.0
    assert grade("I have no idea.", 5, strictness="lenient")["score"] == 0.0
