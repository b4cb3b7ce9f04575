import pytest

from dianjin_ext import compute_score


def grade(name, box, gold):
    return compute_score(name, rf"<think>x</think><answer>\boxed{{{box}}}</answer>", gold)


@pytest.mark.parametrize(
    ("name", "box", "gold", "reason"),
    [
        ("ccc", "合规", "合规", "correct"),
        ("ccc", "不合规", "合规", "wrong"),
        ("ccc", "违规", "不合规", "correct"),
        ("ccc", "是", "是", "correct"),
        ("ccc", "yes", "是", "correct"),
        ("ccc", "不是", "是", "wrong"),
        ("ccc", "是", "合规", "no_answer"),
        ("ccc", "合规/不合规", "合规", "ambiguous"),
        ("ccc", "并非合规", "不合规", "no_answer"),
        ("ccc", "利好", "合规", "no_answer"),
        ("ccc", "合规", "bullish", "gold_unusable"),
        ("ccc", "合规", None, "gold_unusable"),
        ("tfns", "利好", "bullish", "correct"),
        ("tfns", "Bearish", "利空", "correct"),
        ("tfns", "中性", "neutral", "correct"),
        ("tfns", "not bullish", "bullish", "no_answer"),
        ("tfns", "", "neutral", "not_boxed"),
        ("tfns", "neutral", 2, "gold_unusable"),
    ],
)
def test_label(name, box, gold, reason):
    row = grade(name, box, gold)
    assert row["reason"] == reason
    assert row["score"] == row["acc"] == (reason == "correct")
