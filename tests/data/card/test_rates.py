import pytest

from dianjin_ext.data.card.rates import f1, kappa, rate
from dianjin_ext.intervals import wilson_interval


def test_a_rate_has_its_interval_and_nothing_has_none():
    found = rate(3, 4)
    assert (found["k"], found["n"], found["rate"]) == (3, 4, 0.75)
    assert (found["low"], found["high"]) == wilson_interval(3, 4)
    assert rate(0, 0) is None


def test_f1_is_what_precision_and_recall_make_and_lies_in_its_interval():
    # 6 kept and good, 2 kept and bad, 4 dropped and good: precision 6/8, recall 6/10
    found = f1(6, 6)
    assert found["rate"] == pytest.approx(2 * 0.75 * 0.6 / (0.75 + 0.6))
    low, high = wilson_interval(6, 12)
    assert found["low"] == pytest.approx(2 * low / (1 + low))
    assert found["low"] < found["rate"] < found["high"] == pytest.approx(2 * high / (1 + high))
    assert f1(0, 3)["rate"] == 0.0 and f1(0, 0) is None


def test_kappa():
    # The example of Cohen's that every textbook has: 20 both yes, 5 and 10 apart, 15 both no.
    assert kappa(20, 5, 10, 15) == pytest.approx(0.4)
    assert kappa(5, 0, 0, 5) == 1.0
    assert kappa(0, 5, 5, 0) == -1.0
    assert kappa(9, 0, 0, 0) is None  # nothing but yes from both
    assert kappa(0, 0, 0, 0) is None
