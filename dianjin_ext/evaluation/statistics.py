"""How sure a number is, and whether two differ.

The unit is the question: several samples of one are not independent, so they are averaged first.
Questions that are not independent either, as the turns of a conversation, are resampled together.
"""

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from math import comb
from typing import Final

from dianjin_ext.evaluation.resampling import (
    adjusted_interval,
    bca_interval,
    cluster_sums,
    clustered_interval,
    effective_interval,
    sign_flip,
)
from dianjin_ext.intervals import wilson_interval

__all__ = ["Comparison", "Estimate", "compare", "cons_at_k", "estimate", "holm", "pass_at_k"]

_FEW: Final = 20  # questions
_FEW_APART: Final = 5  # questions that are not like the rest
_FEW_DIFFERENT: Final = 10  # pairs


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over questions with its 95 % interval.

    Attributes:
        value: The mean.
        low: Lower end.
        high: Upper end.
        error: Standard error, clustered by question, or by conversation.
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
            that are right or wrong, else a sign-flip permutation test; of whole conversations
            where there are some.
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


def estimate(
    values: Sequence[Sequence[float]], *, clusters: Sequence[Hashable] = (), seed: int = 0
) -> Estimate:
    """Return the mean over questions of the mean over each question's samples.

    The interval is Wilson's where every question is all right or all wrong, else a bootstrap over
    questions (BCa). Where a bootstrap would be too short it is Wilson's again: on the questions
    where fewer than 5 are not like the rest, on their effective number where there are fewer
    than 20. `tests/evaluation/test_statistics_coverage.py` holds what that covers.

    Args:
        values: Of each question its samples' values, from 0 to 1.
        clusters: Of each question the conversation or the like that it belongs to; nothing where
            each stands by itself. The interval then is Wilson's on the effective number.
        seed: Of the bootstrap.

    Raises:
        ValueError: There is no question, one without a sample, or a value below 0 or above 1.
    """
    means = _means(values)
    n = len(means)
    value = sum(means) / n
    if not 0.0 <= min(means) <= max(means) <= 1.0:
        raise ValueError(f"expected values from 0 to 1, found means of {min(means)}, {max(means)}")
    if len(set(clusters)) < len(clusters):
        return Estimate(value, *clustered_interval(means, clusters), n)
    if _all_or_nothing(means) or _apart(means) < _FEW_APART:
        low, high = wilson_interval(min(sum(means), n), n)
    elif n < _FEW:
        low, high = effective_interval(means)
    else:
        low, high = bca_interval(means, seed)
    return Estimate(value, low, high, _error(means), n)


def compare(
    first: Sequence[Sequence[float]],
    second: Sequence[Sequence[float]],
    *,
    clusters: Sequence[Hashable] = (),
    seed: int = 0,
) -> Comparison:
    """Compare two runs on the same questions, in the same order.

    Args:
        first: Of each question its samples' values, from 0 to 1; of the run that was before.
        second: The same of the other run; it may have another number of samples.
        clusters: Of each question the conversation or the like that it belongs to; nothing where
            each stands by itself.
        seed: Of the permutation test.

    Raises:
        ValueError: They have different questions, or none, or one without a sample.
    """
    if len(first) != len(second):
        raise ValueError(f"expected the same questions, found {len(first)} and {len(second)}")
    before, after = _means(first), _means(second)
    differences = [b - a for a, b in zip(before, after, strict=True)]
    gained, lost = sum(d > 0 for d in differences), sum(d < 0 for d in differences)
    difference = sum(differences) / len(differences)
    units = differences
    if len(set(clusters)) < len(clusters):
        sums = cluster_sums(differences, clusters)
        units = [total * len(sums) / len(differences) for total in sums]
        test, p = "sign-flip permutation by conversation", sign_flip(units, seed)
    elif _all_or_nothing(before) and _all_or_nothing(after):
        test, p = "McNemar exact", _mcnemar(gained, lost)
    else:
        test, p = "sign-flip permutation", sign_flip(differences, seed)
    low, high = adjusted_interval(units, few=_apart(units) < _FEW_DIFFERENT)
    return Comparison(difference, low, high, gained, lost, p, test, len(differences))


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


def _all_or_nothing(means: Sequence[float]) -> bool:
    return all(mean in (0.0, 1.0) for mean in means)


def _apart(values: Sequence[float]) -> int:
    """Return how many differ from the most frequent value."""
    return len(values) - max(Counter(round(value, 9) for value in values).values())


def _error(means: Sequence[float]) -> float:
    n = len(means)
    if n < 2:
        return 0.0
    centre = sum(means) / n
    variance = sum((mean - centre) ** 2 for mean in means) / (n - 1)
    return float((variance / n) ** 0.5)


def _mcnemar(gained: int, lost: int) -> float:
    from scipy.stats import binomtest

    return float(binomtest(gained, gained + lost).pvalue) if gained + lost else 1.0
