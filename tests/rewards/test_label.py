import numpy as np
import pandas as pd
import pytest

from dianjin_ext import compute_score


def grade(name, box, gold, extra_info=None):
    response = rf"<think>x</think><answer>\boxed{{{box}}}</answer>"
    return compute_score(name, response, gold, extra_info)


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


RATINGS = {"buy": ["买入", "overweight"], "hold": ["持有"], "sell": ["卖出"]}


@pytest.mark.parametrize("name", ["label", "tfns", "ccc"])
@pytest.mark.parametrize(
    ("box", "gold", "reason"),
    [
        ("买入", "buy", "correct"),
        ("Overweight", "买入", "correct"),
        ("hold", "buy", "wrong"),
        ("buy or hold", "buy", "ambiguous"),
        ("not buy", "buy", "no_answer"),
        ("bullish", "buy", "no_answer"),
        ("buy", "bullish", "gold_unusable"),
    ],
)
def test_labels_of_the_row(name, box, gold, reason):
    for labels in (RATINGS, {**RATINGS, "of another row": None}):
        row = grade(name, box, gold, {"labels": labels})
        pred = {"correct": "buy", "wrong": "hold"}.get(reason, "")
        assert (row["reason"], row["pred"]) == (reason, pred)


@pytest.mark.parametrize("labels", [[], ["buy"], "buy", 3, ["buy", "buy "], {"buy": 1, "hold": 2}])
def test_an_unusable_set_is_a_fault_of_the_data(labels):
    row = grade("label", "buy", "buy", {"labels": labels})
    assert (row["reason"], row["format"]) == ("gold_unusable", 1.0)


def test_a_set_of_the_row_survives_parquet(tmp_path):
    rows = [{"labels": ["buy", "hold"], "words": {"up": ["涨"]}}, {"labels": ["up", "down"]}]
    pd.DataFrame({"extra_info": rows}).to_parquet(tmp_path / "rows.parquet")
    first, second = pd.read_parquet(tmp_path / "rows.parquet")["extra_info"]
    assert isinstance(first["labels"], np.ndarray)
    assert grade("label", "buy", "buy", first)["score"] == 1.0
    assert grade("label", "down", "up", second)["reason"] == "wrong"


def test_without_a_set_of_the_row_the_gold_answer_names_it():
    for extra_info in (None, {}, {"labels": None}, {"labels": {"buy": None, "hold": None}}):
        assert grade("label", "利空", "bearish", extra_info)["score"] == 1.0
        assert grade("label", "错", "对", extra_info)["reason"] == "wrong"
        assert grade("label", "buy", "buy", extra_info)["reason"] == "gold_unusable"


def test_labels_that_are_whole_numbers():
    assert grade("label", "2", 2, {"labels": np.array([0, 1, 2])})["score"] == 1.0
    assert grade("label", "1", 2, {"labels": [0, 1, 2]})["reason"] == "wrong"
