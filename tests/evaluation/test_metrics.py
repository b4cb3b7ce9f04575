import pytest

from dianjin_ext.evaluation.metrics import summarise


def test_summarise_counts_right_answers_and_right_formats():
    rows = [{"acc": 1.0, "format": 1.0}, {"acc": 0.0, "format": 1.0}, {"acc": 0.0, "format": 0.0}]
    summary = summarise(rows)
    assert summary["accuracy"] == pytest.approx(1 / 3)
    assert summary["format_rate"] == pytest.approx(2 / 3)
    assert summary["n"] == 3
    assert summary["accuracy_low"] < 1 / 3 < summary["accuracy_high"]
