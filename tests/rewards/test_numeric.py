import numpy as np
import pytest

from dianjin_ext import compute_score

NAMES = ["finqa", "convfinqa", "tatqa", "docmath", "xbrl_math"]


def grade(answer, gold, name="finqa", **policies):
    return compute_score(name, f"<think>x</think><answer>{answer}</answer>", gold, **policies)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("box", "gold", "score"),
    [
        ("1,234", "1234", 1),
        ("1234", 1234, 1),
        ("1.42403", 1.42403, 1),
        ("1.42403", np.float64(1.42403), 1),
        ("24.691358", "24.69136", 1),
        ("24.69", "24.69136", 0),
        ("0.3", "0.30", 1),
        ("(5)", "-5", 1),
        ("(5)", "5", 0),
        ("-5", "5", 0),
        ("50", "5", 0),
        ("5000", "5", 0),
        ("1250", "12.5", 0),
        (r"12.5\%", "0.125", 1),
        ("12.5%", "12.5%", 1),
        ("12.5%", "12.5", 0),
        ("12.5", "0.125", 0),
        ("0.125", "12.5%", 1),
        ("-0", "0", 1),
        ("rubbish", "0", 0),
        (r"5\text{ million}", "5", 0),
        ("no", "no", 1),
        ("否", "no", 1),
        ("yes", "no", 0),
        ("1e300", "1e300", 1),
    ],
)
def test_box(name, box, gold, score):
    assert grade(rf"\boxed{{{box}}}", gold, name)["score"] == score


@pytest.mark.parametrize("after", ["%", r"\%", "％", " %", r" \% of sales"])
def test_percent_sign_after_the_box_belongs_to_the_number(after):
    assert grade(r"\boxed{12.5}" + after, "0.125")["score"] == 1.0
    assert grade(r"\boxed{12.5}" + after, "12.5")["score"] == 0.0
    assert grade(r"\boxed{12.5\%}" + after, "0.125")["reason"] == "no_answer"


@pytest.mark.parametrize("gold", [None, "", "5 million", "abc", float("nan"), float("inf"), [1, 2]])
def test_unusable_gold(gold):
    assert grade(r"\boxed{5}", gold)["reason"] == "gold_unusable"


def test_equal_numbers_have_one_pred():
    preds = {
        grade(rf"\boxed{{{box}}}", "1")["pred"] for box in ("0.125", ".1250", "12.5%", "1.25e-1")
    }
    assert preds == {"0.125"}


def test_pred_is_short():
    assert len(grade(r"\boxed{1e300}", "1")["pred"]) <= 80
