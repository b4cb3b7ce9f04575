import random

import pytest

from dianjin_ext.data.card.rates import Tally, f1, kappa
from dianjin_ext.intervals import wilson_interval


def tally(clusters):
    """Return the tally of clusters, each a text of 1 and 0."""
    found = Tally()
    for name, results in enumerate(clusters):
        for result in results:
            found.add(str(name), result == "1")
    return found


def test_a_rate_of_independent_trials_has_wilsons_interval_and_nothing_has_none():
    found = tally("1110").rate()
    assert (found["k"], found["n"], found["clusters"], found["rate"]) == (3, 4, 4, 0.75)
    assert (found["low"], found["high"]) == pytest.approx(wilson_interval(3, 4))
    assert Tally().rate() is None


def test_responses_that_are_all_alike_count_once_a_question():
    found = tally(["1111"] * 30 + ["0000"] * 10).rate()
    # The variance between 40 clusters is that of 40 trials, times 40 / 39 for the estimate.
    assert (found["low"], found["high"]) == pytest.approx(wilson_interval(0.75 * 39, 39))
    assert found["n"] == 160


def test_responses_that_differ_no_less_than_others_count_each():
    found = tally(["10"] * 20).rate()
    assert (found["low"], found["high"]) == pytest.approx(wilson_interval(20, 40))


def test_of_a_rate_of_0_or_1_and_of_one_question_the_questions_count():
    assert tally(["11"] * 20).rate()["low"] == wilson_interval(20, 20)[0]
    assert tally(["00"] * 20).rate()["high"] == wilson_interval(0, 20)[1]
    assert tally(["11"] * 20).rate()["high"] == 1.0 and tally(["0"] * 3).rate()["low"] == 0.0
    assert tally(["1100"]).rate()["low"] == pytest.approx(wilson_interval(0.5, 1)[0])


def test_the_interval_covers_the_truth_where_questions_differ():
    random_ = random.Random(0)
    covered = plain = 0
    for _ in range(300):
        chances = [random_.betavariate(0.6, 0.4) for _ in range(60)]  # 0.6 on average
        found = tally(
            ["".join("01"[random_.random() < p] for _ in range(6)) for p in chances]
        ).rate()
        covered += found["low"] <= 0.6 <= found["high"]
        low, high = wilson_interval(found["k"], found["n"])
        plain += low <= 0.6 <= high
    assert 0.92 <= covered / 300 <= 0.98
    assert plain / 300 < 0.8  # what taking responses as independent would have claimed


def test_f1_is_what_precision_and_recall_make_and_lies_in_its_interval():
    # 6 kept and good, 2 kept and bad, 4 dropped and good: precision 6/8, recall 6/10
    found = f1(tally("1" * 6 + "0" * 6))
    assert found["rate"] == pytest.approx(2 * 0.75 * 0.6 / (0.75 + 0.6))
    low, high = wilson_interval(6, 12)
    assert found["low"] == pytest.approx(2 * low / (1 + low))
    assert found["low"] < found["rate"] < found["high"] == pytest.approx(2 * high / (1 + high))
    assert f1(tally("000"))["rate"] == 0.0 and f1(Tally()) is None


def test_kappa():
    # 20 both yes, 5 and 10 apart, 15 both no: agreement 0.7, by chance 0.5.
    assert kappa(20, 5, 10, 15) == pytest.approx(0.4)
    assert kappa(5, 0, 0, 5) == 1.0
    assert kappa(0, 5, 5, 0) == -1.0
    assert kappa(9, 0, 0, 0) is None  # nothing but yes from both
    assert kappa(0, 0, 0, 0) is None
