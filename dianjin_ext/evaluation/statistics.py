"""How sure a number is, and whether two differ.

The unit is the question: several samples of one are not independent, so they are averaged first.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb
from typing import Any, Final

from dianjin_ext.intervals import wilson_interval

_RESAMPLES: Final = 4000


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over questions with its 95 % interval.

    Attributes:
        value: The mean.
        low: Lower end.
        high: Upper end.
        error: Standard error, clustered by question.
        n: Questions.
    """

    value: float
    low: float
    high: float
    error: float
    n: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two runs on the same questions.

    Attributes:
        difference: Mean of the second less that of the first.
        low: Lower end of its 95 % interval.
        high: Upper end.
        gained: Questions that the second does better.
        lost: Questions that it does worse.
        p: Probability of such a difference where there is none: McNemar's exact test for answers
            that are right or wrong, else a sign-flip permutation test.
        test: Which of the two.
        n: Questions.
    """

    difference: float
    low: float
    high: float
    gained: int
    lost: int
    p: float
    test: str
    n: int


def estimate(values: Sequence[Sequence[float]], *, seed: int = 0) -> Estimate:
    """Return the mean over questions of the mean over each question's samples.

    The interval is Wilson's where each question has one sample that is right or wrong, else a
    bootstrap over questions (Efron 1987, BCa; `scipy.stats.bootstrap`).

    Args:
        values: Of each question its samples' values.
        seed: Of the bootstrap.

    Raises:
        ValueError: There is no question, or one without a sample.
    """
    means = _means(values)
    n = len(means)
    value = sum(means) / n
    error = _error(means)
    if _binary(values):
        low, high = wilson_interval(round(sum(means)), n)
    elif len(set(means)) == 1:  # nothing to resample: as many questions of one sample bound it
        low, high = wilson_interval(value * n, n)
    else:
        low, high = _bootstrap(means, seed)
    return Estimate(value, low, high, error, n)


def compare(
    first: Sequence[Sequence[float]], second: Sequence[Sequence[float]], *, seed: int = 0
) -> Comparison:
    """Compare two runs on the same questions, in the same order.

    Raises:
        ValueError: They have different questions, or none.
    """
    if len(first) != len(second):
        raise ValueError(f"expected the same questions, found {len(first)} and {len(second)}")
    from scipy import stats

    before, after = _means(first), _means(second)
    differences = [b - a for a, b in zip(before, after, strict=True)]
    gained, lost = sum(d > 0 for d in differences), sum(d < 0 for d in differences)
    low = high = difference = sum(differences) / len(differences)
    if gained + lost:
        low, high = _bootstrap(differences, seed) if len(set(differences)) > 1 else (low, high)
    if _binary(first) and _binary(second):
        test = "McNemar exact"
        p = stats.binomtest(gained, gained + lost).pvalue if gained + lost else 1.0
    else:
        test = "sign-flip permutation"
        p = _sign_flip(differences, seed)
    return Comparison(difference, low, high, gained, lost, float(p), test, len(differences))


def holm(ps: Sequence[float]) -> list[float]:
    """Return p values corrected for their number (Holm 1979, Scand. J. Statist. 6:65-70)."""
    order = sorted(range(len(ps)), key=lambda place: ps[place])
    corrected = [0.0] * len(ps)
    largest = 0.0
    for rank, place in enumerate(order):
        largest = max(largest, min(1.0, (len(ps) - rank) * ps[place]))
        corrected[place] = largest
    return corrected


def pass_at_k(right: int, samples: int, k: int) -> float:
    """Return the probability that one of k samples is right, without bias.

    Chen et al. 2021 (https://arxiv.org/abs/2107.03374), section 2.1: 1 - C(n-c, k) / C(n, k).

    Raises:
        ValueError: `k` is not between 1 and `samples`, or more are right than there are.
    """
    if not 1 <= k <= samples or not 0 <= right <= samples:
        raise ValueError(f"expected 1 <= k <= samples, found k={k}, {right} right of {samples}")
    return 1.0 - comb(samples - right, k) / comb(samples, k)


def cons_at_k(votes: Sequence[str], right: Sequence[bool]) -> float:
    """Return whether the most frequent answer is right; of several, the share of them that is.

    DeepSeek-R1's cons@64 (https://arxiv.org/abs/2501.12948, section 3): majority voting.

    Args:
        votes: Each sample's answer in the grader's canonical form, so that 0.5 and 50 % are one;
            empty for a sample without one, which has no vote.
        right: Whether each is right.
    """
    counts: dict[str, int] = {}
    won: dict[str, bool] = {}
    for vote, is_right in zip(votes, right, strict=True):
        if vote:
            counts[vote] = counts.get(vote, 0) + 1
            won[vote] = won.get(vote, False) or is_right
    if not counts:
        return 0.0
    most = max(counts.values())
    first = [vote for vote, number in counts.items() if number == most]
    return sum(won[vote] for vote in first) / len(first)


def _means(values: Sequence[Sequence[float]]) -> list[float]:
    if not values or not all(values):
        raise ValueError("expected at least one question, and at least one sample of each")
    return [sum(samples) / len(samples) for samples in values]


def _binary(values: Sequence[Sequence[float]]) -> bool:
    return all(len(samples) == 1 and samples[0] in (0.0, 1.0) for samples in values)


def _error(means: Sequence[float]) -> float:
    n = len(means)
    if n < 2:
        return 0.0
    centre = sum(means) / n
    variance = sum((mean - centre) ** 2 for mean in means) / (n - 1)
    return float((variance / n) ** 0.5)


def _bootstrap(values: Sequence[float], seed: int) -> tuple[float, float]:
    import numpy as np
    from scipy import stats

    found: Any = stats.bootstrap(
        (np.asarray(values),),
        np.mean,
        n_resamples=_RESAMPLES,
        method="BCa",
        rng=np.random.default_rng(seed),
        batch=500,
    )
    low, high = found.confidence_interval
    return float(low), float(high)


def _sign_flip(differences: Sequence[float], seed: int) -> float:
    import numpy as np
    from scipy import stats

    if not any(differences):
        return 1.0
    found: Any = stats.permutation_test(
        (np.asarray(differences),),
        np.mean,
        permutation_type="samples",
        n_resamples=_RESAMPLES,
        rng=np.random.default_rng(seed),
        batch=500,
    )
    return float(found.pvalue)
