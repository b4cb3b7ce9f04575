"""Resamples drawn by how often a value is in them, beside scipy's, drawn question by question."""

import itertools

import pytest

pytest.importorskip("scipy")

import numpy as np
from scipy import stats

from dianjin_ext.evaluation.resampling import (
    adjusted_interval,
    bca_interval,
    effective_interval,
    sign_flip,
)
from dianjin_ext.intervals import wilson_interval


def shares(n, samples, p=0.5, seed=0):
    rng = np.random.default_rng(seed)
    return (rng.binomial(samples, rng.beta(p, 1 - p, n)) / samples).tolist()


@pytest.mark.parametrize(("n", "samples", "p"), [(25, 4, 0.5), (150, 3, 0.8), (400, 8, 0.1)])
def test_a_bootstrap_is_scipys(n, samples, p):
    values = shares(n, samples, p)
    theirs = stats.bootstrap(
        (np.asarray(values),), np.mean, method="BCa", n_resamples=20_000, rng=1, batch=1000
    ).confidence_interval
    ours = np.mean([bca_interval(values, seed) for seed in range(10)], axis=0)
    error = np.std(values) / n**0.5
    assert ours == pytest.approx(list(theirs), abs=0.1 * error)


def test_a_bootstrap_of_values_that_are_all_different():
    values = np.random.default_rng(0).random(700).tolist()
    low, high = bca_interval(values, 0)
    error = np.std(values) / 700**0.5
    assert (low, high) == pytest.approx(
        (np.mean(values) - 1.96 * error, np.mean(values) + 1.96 * error), abs=0.15 * error
    )


def test_an_effective_number_of_trials():
    # of questions that are all right or all wrong it is nearly that of the questions
    rate = [1.0] * 6 + [0.0] * 9
    low, high = effective_interval(rate)
    wide = wilson_interval(6, 15)
    assert low < wide[0] < 0.4 < wide[1] < high
    assert (high - low) / (wide[1] - wide[0]) == pytest.approx(1.1, abs=0.02)
    # questions that are half right say more: they are less apart than tosses of a coin
    low, high = effective_interval([0.25, 0.5, 0.75] * 5)
    assert 0.35 < low < 0.5 < high < 0.65


def test_a_difference_of_few_pairs_is_bonetts_and_prices():
    # their formula, of 5 gained and 1 lost of 40
    b, c, n = 5, 1, 40
    p12, p21 = (b + 1) / (n + 2), (c + 1) / (n + 2)
    half = 1.959964 * ((p12 + p21 - (p12 - p21) ** 2) / (n + 2)) ** 0.5
    found = adjusted_interval([1.0] * b + [-1.0] * c + [0.0] * (n - b - c), few=True)
    assert found == pytest.approx((p12 - p21 - half, p12 - p21 + half), abs=1e-6)


def test_a_difference_of_many_pairs_is_students():
    rng = np.random.default_rng(1)
    differences = (np.asarray(shares(80, 4, seed=1)) - rng.permutation(shares(80, 4))).tolist()
    theirs = stats.ttest_1samp(differences, 0.0).confidence_interval(0.95)
    assert adjusted_interval(differences, few=False) == pytest.approx(tuple(theirs))


@pytest.mark.parametrize("seed", range(4))
def test_flips_are_all_flips(seed):
    differences = np.round(np.random.default_rng(seed).normal(0.2, 0.4, 10) * 3) / 3
    every = [np.dot(differences, signs) for signs in itertools.product((-1, 1), repeat=10)]
    exact = np.mean(np.abs(every) >= abs(differences.sum()) - 1e-9)
    # 0.1 + 0.2 is not 0.3: sums that are equal in thirds count as equal
    assert sign_flip(differences.tolist(), seed) == pytest.approx(exact, abs=0.02)


def test_flips_of_no_difference():
    assert sign_flip([0.0] * 5, 0) == 1.0
