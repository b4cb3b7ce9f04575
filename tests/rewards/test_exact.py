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
        ("不是增值税", "增值税", "undecided"),
        ("增值税和消费税", "增值税", "undecided"),
        ("……", "增值税", "no_answer"),
        (r"\boxed{\quad}", "增值税", "no_answer"),
        (r"\boxed{:}", "增值税", "no_answer"),
        (r"\boxed{}", "增值税", "not_boxed"),
        (r"\boxed{增值税}\boxed{消费税}", "增值税", "ambiguous"),
        ("增值税", "±", "gold_unusable"),
        (r"\frac{1}{23}", r"\frac{1}{23}", "correct"),
        (r"$\frac{1}{23}$", r"\frac{1}{23}", "correct"),
        (r"\text{比率} = \frac{1}{23}", r"比率=\frac{1}{23}", "correct"),
        (r"\mathrm{x}^{2}", "x^{2}", "correct"),
        (r"\frac{12}{3}", r"\frac{1}{23}", "undecided"),
        ("x_{1}2", "x_{12}", "undecided"),
        ("2**3", "23", "undecided"),
        ("**2**3", "23", "undecided"),
        ("共**23**个", "共23个", "correct"),
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
    assert row["pred"].startswith("长" * 70 + "…")
    assert len(row["pred"]) <= 80
    other = compute_score("cflue_oe", f"<think>x</think><answer>{'长' * 90}短</answer>", "长")
    assert other["pred"] != row["pred"]


def test_an_open_answer_keeps_its_format_and_pred():
    row = compute_score("exact", "<think>x</think><answer>消费 税</answer>", "增值税")
    assert row == {"score": 0, "acc": 0, "format": 1, "pred": "消费税", "reason": "undecided"}


@pytest.mark.parametrize(
    ("response", "reason"),
    [
        ("<answer>消费税</answer>", "no_think"),
        ("<think>x</think>消费税", "no_answer"),
        ("<think>x</think><answer>消费税", "truncated"),
        ("<think>x</think><answer>消费税</answer> Done.", "outside_text"),
    ],
)
def test_a_broken_layout_keeps_its_reason(response, reason):
    row = compute_score("exact", response, "增值税")
    assert (row["reason"], row["format"]) == (reason, 0.0)


@pytest.mark.parametrize("blanks", [0, 1, 1000])
def test_a_long_gold_answer_is_matched_whole(blanks):
    gold = "增值税" * 3000
    for said, reason in ((gold, "correct"), (gold + "不", "undecided")):
        response = f"<think>x</think><answer>{said}{' ' * blanks}</answer>"
        assert compute_score("exact", response, gold)["reason"] == reason


def test_long_runs_of_combining_marks_are_cut():
    from dianjin_ext.answers.text import plain

    assert plain("e" + "\u0316" * 31 + "x" * 2000) == "e" + "\u0316" * 30 + "x" * 2000
