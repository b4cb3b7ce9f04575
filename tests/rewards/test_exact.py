import pytest

from dianjin_ext import compute_score


@pytest.mark.parametrize("name", ["cflue_oe", "finance_instruct"])
@pytest.mark.parametrize(
    ("answer", "gold", "reason"),
    [
        ("增值税", "增值税", "correct"),
        (" 增值税。\n", "增值税", "correct"),
        (r"\boxed{\text{增值税}}", "增值税", "correct"),
        ("ＧＤＰ growth", "gdp Growth", "correct"),
        ("不是增值税", "增值税", "wrong"),
        ("增值税和消费税", "增值税", "wrong"),
        (" ", "增值税", "no_answer"),
        ("增值税", " ", "gold_unusable"),
        ("增值税", None, "gold_unusable"),
    ],
)
def test_exact(name, answer, gold, reason):
    row = compute_score(name, f"<think>x</think><answer>{answer}</answer>", gold)
    assert row["reason"] == reason
    assert row["score"] == (reason == "correct")


def test_pred_of_a_long_answer_is_cut():
    row = compute_score("cflue_oe", f"<think>x</think><answer>{'长' * 9000}</answer>", "长")
    assert row["pred"] == "长" * 80
