"""What the statistics promise, on runs whose truth is known: no bias, and 95 % of them covered.

A simulated model answers question i right with a probability of its own, which is beta-distributed
around p: the smaller `spread`, the more alike are the samples of a question. DIANJIN_TEST_ALL has a
thousand runs of all sizes.
"""

import os
from itertools import product
from math import factorial, prod

import pytest

pytest.importorskip("scipy")

import numpy as np
from scipy import stats

from dianjin_ext.evaluation.result import Results
from dianjin_ext.evaluation.statistics import compare, cons_at_k, estimate, pass_at_k
from dianjin_ext.intervals import wilson_interval

ALL = bool(os.environ.get("DIANJIN_TEST_ALL"))
RATES = [0.3, 0.5, 0.8]
SIZES = [50, 150, 500, 1000]
SPREADS = [0.5, 2.0, 20.0, None]  # None: samples that have nothing in common
WRONG = (0.5, 0.3, 0.2)  # of a wrong reply, which answer it gives


def difficulties(rng, shape, p, spread):
    """How often each question is answered right."""
    return np.full(shape, p) if spread is None else rng.beta(p * spread, (1 - p) * spread, shape)


def means(rng, runs, questions, samples, p, spread):
    """Of each run the share of right samples of each question."""
    return rng.binomial(samples, difficulties(rng, (runs, questions), p, spread)) / samples


def estimates(runs):
    return [estimate([[mean] for mean in run], seed=seed) for seed, run in enumerate(runs.tolist())]


def coverage(found, truth):
    """The share of intervals that cover the truth; none leaves [0, 1] or its value."""
    assert all(0.0 <= e.low <= e.value <= e.high <= 1.0 and e.low < e.high for e in found)
    return np.mean([e.low <= truth <= e.high for e in found])


def is_unbiased(found, truth):
    """Whether what runs found is the truth on average, within three standard errors."""
    return abs(np.mean(found) - truth) <= 3 * stats.sem(found) + 1e-12


def moment(p, spread, right, wrong):
    """E[q^right (1 - q)^wrong] over the difficulties q."""
    if spread is None:
        return p**right * (1 - p) ** wrong
    a, b = p * spread, (1 - p) * spread
    up = prod(a + i for i in range(right)) * prod(b + i for i in range(wrong))
    return up / prod(a + b + i for i in range(right + wrong))


def true_cons(p, spread, k):
    """The probability that the majority of k samples is right, ties by lot: every way to vote."""
    total = 0.0
    for counts in product(range(k + 1), repeat=1 + len(WRONG)):
        if sum(counts) != k or counts[0] < max(counts):
            continue
        right, *wrong = counts
        ways = factorial(k) / prod(map(factorial, counts))
        which = prod(share**count for share, count in zip(WRONG, wrong, strict=True))
        total += ways * which * moment(p, spread, right, k - right) / counts.count(right)
    return total


def votes(rng, right, samples):
    """The answers to a question: "A" is right."""
    wrong = rng.choice(len(WRONG), size=samples - right, p=WRONG)
    said = ["A"] * int(right) + ["BCD"[which] for which in wrong]
    return said, [vote == "A" for vote in said]


@pytest.mark.parametrize("p", RATES)
@pytest.mark.parametrize("n", SIZES)
def test_a_rate_is_covered_in_93_to_97_percent(n, p):
    # exactly: each number of right answers with its probability
    covered = 0.0
    for right in np.flatnonzero(stats.binom.pmf(np.arange(n + 1), n, p) > 1e-9).tolist():
        found = estimate([[1.0]] * right + [[0.0]] * (n - right))
        covered += stats.binom.pmf(right, n, p) * (found.low <= p <= found.high)
    assert 0.93 <= covered <= 0.97


@pytest.mark.parametrize("p", RATES)
def test_a_mean_over_samples_is_covered_in_93_to_97_percent(p):
    runs = means(np.random.default_rng(1), 1000 if ALL else 400, 150, 4, p, 2.0)
    assert 0.93 <= coverage(estimates(runs), p) <= 0.97
    assert is_unbiased(runs.mean(axis=1), p)


@pytest.mark.long
@pytest.mark.parametrize("spread", SPREADS)
@pytest.mark.parametrize("samples", [4, 8])
@pytest.mark.parametrize("n", [20, *SIZES])
@pytest.mark.parametrize("p", RATES)
def test_a_mean_is_covered_whatever_its_samples_have_in_common(p, n, samples, spread):
    runs = means(np.random.default_rng(2), 1000, n, samples, p, spread)
    # 1000 runs of an interval that covers 95 % differ by 0.7 points; of 20 questions by more
    slack = 0.015 if n == 20 else 0.005
    assert 0.93 - slack <= coverage(estimates(runs), p) <= 0.97 + slack
    assert is_unbiased(runs.mean(axis=1), p)


@pytest.mark.parametrize("p", [0.02, 0.98])
@pytest.mark.parametrize("spread", SPREADS if ALL else [2.0])
@pytest.mark.parametrize("n", [20, 50, 150] if ALL else [50])
def test_rates_near_the_ends_are_covered(n, spread, p):
    # rather more than 95 %: few questions say anything
    runs = means(np.random.default_rng(3), 1000 if ALL else 300, n, 8, p, spread)
    assert coverage(estimates(runs), p) >= 0.93


@pytest.mark.parametrize("p", [0.1, 0.5, 0.8])
@pytest.mark.parametrize("n", range(1, 20, 1 if ALL else 3))
def test_few_questions_are_covered_as_by_wilsons_interval_of_as_many_trials(n, p):
    trials = sum(
        stats.binom.pmf(right, n, p) * (low <= p <= high)
        for right in range(n + 1)
        for low, high in [wilson_interval(right, n)]
    )
    for spread in SPREADS:
        runs = means(np.random.default_rng(n), 1000 if ALL else 100, n, 4, p, spread)
        slack = 3 * (0.05 * 0.95 / len(runs)) ** 0.5
        assert coverage(estimates(runs), p) >= min(trials, 0.95) - slack, spread


@pytest.mark.parametrize("p", RATES)
def test_pass_and_cons_at_k_have_no_bias(p):
    rng = np.random.default_rng(4)
    samples, runs, n = 6, 40, 150
    found = {f"pass@{k}": [] for k in (1, 2, 4, 6)} | {"cons": []}
    for _ in range(runs):
        right = rng.binomial(samples, difficulties(rng, n, p, 2.0))
        for k in (1, 2, 4, 6):
            found[f"pass@{k}"].append(np.mean([pass_at_k(int(r), samples, k) for r in right]))
        found["cons"].append(np.mean([cons_at_k(*votes(rng, r, samples)) for r in right]))
    for k in (1, 2, 4, 6):
        assert is_unbiased(found[f"pass@{k}"], 1 - moment(p, 2.0, 0, k)), k
    assert is_unbiased(found["cons"], true_cons(p, 2.0, samples))


@pytest.mark.parametrize("p", RATES)
@pytest.mark.parametrize("spread", [2.0, *([20.0] if ALL else [])])
def test_the_numbers_of_a_result_are_the_truth(spread, p):
    rng = np.random.default_rng(5)
    samples, runs, n = 4, 1000 if ALL else 20, 150
    truths = {f"pass@{k}": 1 - moment(p, spread, 0, k) for k in (1, 2, 4)}
    truths |= {"accuracy": p, "cons": true_cons(p, spread, samples)}
    found, covered = {name: [] for name in truths}, dict.fromkeys(truths, 0)
    for _ in range(runs):
        results = Results(samples)
        for right in rng.binomial(samples, difficulties(rng, n, p, spread)):
            results.add([row(*each) for each in zip(*votes(rng, right, samples), strict=True)])
        summary = results.summary()
        numbers = {f"pass@{k}": summary["pass_at_k"][str(k)] for k in (1, 2, 4)}
        low, high = summary["accuracy_low"], summary["accuracy_high"]
        numbers["accuracy"] = {"value": summary["accuracy"], "low": low, "high": high}
        numbers["cons"] = summary["cons_at_k"]
        for name, number in numbers.items():
            found[name].append(number["value"])
            covered[name] += number["low"] <= truths[name] <= number["high"]
    for name, truth in truths.items():
        assert is_unbiased(found[name], truth), name
        share, chance = covered[name] / runs, 3 * (0.05 * 0.95 / runs) ** 0.5
        assert share >= 0.95 - chance, (name, share)
        # a rate near an end, as pass@4 of an easy set, is covered rather more often
        assert truth > 0.95 or share <= 0.95 + chance, (name, share)


def test_mcnemar_calls_equal_models_different_in_at_most_five_percent():
    # exactly: among m questions that one of two equal models alone answers, either is as likely
    for m in range(1, 121, 1 if ALL else 7):
        called = 0.0
        for gained in range(m + 1):
            first, second = [[0.0]] * gained + [[1.0]] * (m - gained), [[1.0]] * gained
            second += [[0.0]] * (m - gained)
            called += stats.binom.pmf(gained, m, 0.5) * (compare(first, second).p <= 0.05)
        assert called <= 0.05, m


@pytest.mark.parametrize("n", SIZES if ALL else [150])
@pytest.mark.parametrize("samples", [4, 8] if ALL else [4])
@pytest.mark.parametrize("spread", SPREADS if ALL else [2.0])
def test_equal_models_with_repeats_are_called_different_in_at_most_five_percent(n, samples, spread):
    rng = np.random.default_rng(6)
    called, runs = 0, 1000 if ALL else 200
    for run in range(runs):
        own = difficulties(rng, n, 0.5, spread)
        first, second = (rng.binomial(samples, own) / samples for _ in range(2))
        found = compare([[m] for m in first.tolist()], [[m] for m in second.tolist()], seed=run)
        called += found.p <= 0.05
    assert called / runs <= 0.05 + 2 * (0.05 * 0.95 / runs) ** 0.5


@pytest.mark.parametrize("samples", [1, 4, *([8] if ALL else [])])
@pytest.mark.parametrize("n", [20, *SIZES] if ALL else [150])
@pytest.mark.parametrize(("p", "gain"), [(0.5, 0.0), (0.5, 0.1), (0.8, 0.05), (0.95, 0.02)])
def test_a_difference_is_covered(p, gain, n, samples):
    rng = np.random.default_rng(7)
    covered, runs = 0, 1000 if ALL else 400 // samples
    for _ in range(runs):
        own = difficulties(rng, n, p, 2.0)
        better = own + gain * (1 - own) / (1 - p)
        first, second = (rng.binomial(samples, q) / samples for q in (own, better))
        differences = second - first
        found = compare([[m] for m in first.tolist()], [[m] for m in second.tolist()])
        assert found.difference == pytest.approx(differences.mean())
        assert -1.0 <= found.low <= found.difference <= found.high <= 1.0
        covered += found.low <= gain <= found.high
    # where few questions differ the interval is on the safe side
    assert 0.93 - 2 * (0.05 * 0.95 / runs) ** 0.5 <= covered / runs
    assert n * (1 - p) < 20 or covered / runs <= 0.98


def conversations(rng, number, p, samples=1):
    """Of each turn of some conversations which one it is of, and its share of right samples.

    The turns of a conversation are equally difficult.
    """
    turns = rng.integers(1, 8, number)
    own = np.repeat(difficulties(rng, number, p, 1.0), turns)
    clusters = np.repeat(np.arange(number), turns).tolist()
    return clusters, (rng.binomial(samples, own) / samples).tolist()


@pytest.mark.parametrize("samples", [1, 4])
@pytest.mark.parametrize("number", [15, 40, 100, 421] if ALL else [40, 100])
@pytest.mark.parametrize("p", RATES)
def test_alike_turns_of_conversations_are_covered_in_93_to_97_percent(p, number, samples):
    rng = np.random.default_rng(8)
    covered, apart, runs = 0, 0, 1000 if ALL else 300
    for _ in range(runs):
        clusters, values = conversations(rng, number, p, samples)
        found = estimate([[value] for value in values], clusters=clusters)
        alone = estimate([[value] for value in values])
        covered += found.low <= p <= found.high
        apart += alone.low <= p <= alone.high
    chance = 2 * (0.05 * 0.95 / runs) ** 0.5
    assert 0.93 - chance <= covered / runs <= 0.97 + chance
    assert apart / runs < 0.9  # as if each turn stood by itself


@pytest.mark.parametrize("number", [15, 100] if ALL else [60])
def test_equal_models_are_called_different_by_conversations_in_at_most_five_percent(number):
    rng = np.random.default_rng(9)
    called, runs = 0, 1000 if ALL else 200
    for run in range(runs):
        turns = rng.integers(1, 8, number)
        clusters = np.repeat(np.arange(number), turns).tolist()
        # each model has conversations of its own that it gets right
        sides = [np.repeat(rng.random(number) < 0.5, turns).astype(float) for _ in range(2)]
        first, second = ([[value] for value in side.tolist()] for side in sides)
        found = compare(first, second, clusters=clusters, seed=run)
        called += found.p <= 0.05
        assert found.low <= found.difference <= found.high
    assert called / runs <= 0.05 + 2 * (0.05 * 0.95 / runs) ** 0.5
    assert found.test == "sign-flip permutation by conversation"


def test_conversations_of_one_outcome_count_as_often_as_they_are():
    clusters = [name for name in "abcdefgh" for _ in range(5)]
    found = estimate([[1.0]] * 40, clusters=clusters)
    assert (found.value, found.low, found.high) == (1.0, *wilson_interval(8, 8))
    assert estimate([[0.0], [1.0]], clusters=["a", "a"]).low == wilson_interval(0.5, 1)[0]
    one = [[1.0], [0.0], [1.0]]
    assert estimate(one, clusters=["a", "b", "c"]) == estimate(one)


def row(vote, is_right):
    """What a result counts of a graded sample."""
    return {
        **{"acc": float(is_right), "format": 1.0, "pred": vote, "reason": "correct"},
        **{"category": "", "kind": "choice", "language": "en", "outcome": "answered"},
        **{"conversation": None},
        **{"prompt_tokens": 1, "completion_tokens": 1},
    }
