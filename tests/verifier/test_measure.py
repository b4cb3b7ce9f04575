"""What is told of a verifier."""

import pytest

from dianjin_ext.intervals import wilson_interval
from dianjin_ext.verifier.measure import measure


def test_right_above_the_threshold():
    probabilities = [0.41, 0.4, 0.9, 0.1]
    found = measure(probabilities, [True, True, False, False], threshold=0.4, commoner=False)
    assert (found.accuracy.value, found.accuracy.n) == (0.5, 4)
    assert (found.accuracy.low, found.accuracy.high) == wilson_interval(2, 4)
    assert (found.precision.value, found.recall.value) == (0.5, 0.5)
    assert found.commoner.value == 0.5
    other = measure(probabilities, [True, True, False, False], threshold=0.39, commoner=True)
    assert (other.recall.value, other.precision.n) == (1.0, 3)


@pytest.mark.parametrize("commoner", [True, False])
def test_one_that_always_says_the_same_is_not_better(commoner):
    right = [True] * 300 + [False] * 100
    found = measure([float(commoner)] * 400, right, threshold=0.4, commoner=commoner)
    assert found.accuracy == found.commoner and not found.better
    assert (found.precision.value is None) == (not commoner)
    assert str(found.precision) == ("0.750 (0.705 to 0.790, n = 400)" if commoner else
                                    "none to count")  # fmt: skip


def test_better_means_that_the_intervals_are_apart():
    right = [True] * 200 + [False] * 200
    for hits, better in ((215, False), (300, True)):
        said = [0.9 if (i < hits) == each else 0.1 for i, each in enumerate(right)]
        assert measure(said, right, threshold=0.4, commoner=True).better == better
