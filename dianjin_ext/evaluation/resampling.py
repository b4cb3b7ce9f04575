"""Intervals and tests by resampling questions, for means that are no plain rates.

A mean over k samples takes k + 1 values, so a resample is drawn as how often each value is in it:
the same distribution as drawing questions, at a cost that does not grow with their number.
"""

from collections.abc import Hashable, Iterator, Sequence
from typing import Any, Final

from dianjin_ext.intervals import Z_95, wilson_interval

__all__ = [
    "adjusted_interval",
    "bca_interval",
    "clustered_interval",
    "effective_interval",
    "sign_flip",
]

_RESAMPLES: Final = 4000
_FLIPS: Final = 10_000  # the least p is one part of it, small enough for Holm among 500
_CELLS: Final = 2_000_000  # numbers in memory at a time
_DIGITS: Final = 12  # what differs less differs by rounding


def bca_interval(values: Sequence[float], seed: int) -> tuple[float, float]:
    """Return the 95 % bootstrap interval of a mean (Efron 1987, JASA 82:171-185, BCa).

    Args:
        values: One a question, not all alike.
        seed: Of the resamples.
    """
    import numpy as np
    from scipy.stats import norm

    levels, counts = _levels(values)
    n = len(values)
    mean = counts @ levels / n
    rng = np.random.default_rng(seed)
    drawn = np.concatenate(
        [
            rng.multinomial(n, counts / n, size=size) @ levels / n
            for size in _batches(_RESAMPLES, len(levels))
        ]
    )
    apart = np.round(drawn - mean, _DIGITS)
    below = (np.mean(apart < 0) + np.mean(apart <= 0)) / 2
    least = 0.5 / _RESAMPLES
    bias = norm.ppf(np.clip(below, least, 1 - least))
    away = levels - mean
    acceleration = (counts @ away**3) / (6 * (counts @ away**2) ** 1.5)
    z = bias + np.array([-Z_95, Z_95])
    low, high = np.quantile(drawn, norm.cdf(bias + z / (1 - acceleration * z)))
    return float(low), float(high)


def effective_interval(values: Sequence[float]) -> tuple[float, float]:
    """Return Wilson's interval of a mean, on the number of trials that its variance is worth.

    That number is corrected for the variance being estimated (Korn & Graubard 1998, Survey
    Methodology 24:193-201). It holds for few questions, where a bootstrap is too short.

    Args:
        values: One a question, from 0 to 1, not all alike.
    """
    import numpy as np
    from scipy.stats import t

    n, mean = len(values), float(np.mean(values))
    variance = float(np.var(values, ddof=1)) / n
    effective = mean * (1 - mean) / variance * (Z_95 / float(t.ppf(0.975, n - 1))) ** 2
    return wilson_interval(mean * effective, effective)


def clustered_interval(
    values: Sequence[float], clusters: Sequence[Hashable]
) -> tuple[float, float, float]:
    """Return Wilson's interval of a mean over alike questions, and its standard error.

    The variance is that of a ratio of sums over clusters (Cochran 1977, Sampling Techniques,
    section 9A.2); the interval is on the number of trials which that is worth, as in
    `effective_interval`, or on that of clusters where all of them have the same mean.

    Args:
        values: One a question, from 0 to 1.
        clusters: Of each question which others it is like, such as those of its conversation.
    """
    import numpy as np
    from scipy.stats import t

    n, mean = len(values), float(np.mean(values))
    totals = np.asarray(cluster_sums([value - mean for value in values], clusters))
    g = len(totals)
    variance = float(totals @ totals) / n**2 * g / max(1, g - 1)
    if g == 1 or variance < 10**-_DIGITS / n:
        return *wilson_interval(mean * g, g), variance**0.5
    effective = mean * (1 - mean) / variance * (Z_95 / float(t.ppf(0.975, g - 1))) ** 2
    return *wilson_interval(mean * effective, effective), variance**0.5


def cluster_sums(values: Sequence[float], clusters: Sequence[Hashable]) -> list[float]:
    """Return the sum of the values of each cluster."""
    sums: dict[Hashable, float] = {}
    for value, cluster in zip(values, clusters, strict=True):
        sums[cluster] = sums.get(cluster, 0.0) + value
    return list(sums.values())


def adjusted_interval(differences: Sequence[float], *, few: bool) -> tuple[float, float]:
    """Return the 95 % interval of a mean difference between pairs.

    Args:
        differences: One a question, from -1 to 1.
        few: So few of them differ from the rest that their variance says too little. Two questions
            are added then, one that each side wins (Bonett & Price 2012, J. Educ. Behav. Stat.
            37:479-488); else it is Student's.
    """
    import numpy as np
    from scipy.stats import t

    given = np.asarray([*differences, 1.0, -1.0] if few else differences)
    n, mean = len(given), float(np.mean(given))
    spread = float(np.std(given) if few else np.std(given, ddof=1)) / n**0.5
    half = spread * (Z_95 if few else float(t.ppf(0.975, n - 1)))
    return max(-1.0, mean - half), min(1.0, mean + half)


def sign_flip(differences: Sequence[float], seed: int) -> float:
    """Return the probability of such a mean where each difference is as likely to be the opposite.

    It is two-sided, of a sample of all flips, the given one counted in (Phipson & Smyth 2010, Stat.
    Appl. Genet. Mol. Biol. 9:39).

    Args:
        differences: One a question.
        seed: Of the flips.
    """
    import numpy as np

    levels, counts = _levels([abs(difference) for difference in differences])
    found = abs(sum(differences))
    rng = np.random.default_rng(seed)
    as_far = 0
    for size in _batches(_FLIPS, len(levels)):
        flipped = 2 * rng.binomial(counts, 0.5, size=(size, len(levels))) - counts
        as_far += int(np.sum(np.round(abs(flipped @ levels) - found, _DIGITS - 3) >= 0))
    return (as_far + 1) / (_FLIPS + 1)


def _levels(values: Sequence[float]) -> Any:
    """Return the values that there are, and how often each is there."""
    import numpy as np

    return np.unique(np.round(np.asarray(values, dtype=float), _DIGITS), return_counts=True)


def _batches(draws: int, levels: int) -> Iterator[int]:
    most = max(1, _CELLS // levels)
    for first in range(0, draws, most):
        yield min(most, draws - first)
