"""Rates as a card has them: successes of a number, with the interval."""

from typing import Any

from dianjin_ext.intervals import wilson_interval

Rate = dict[str, Any]


class Tally:
    """Successes among trials of which some belong together, such as responses to one question.

    Those that belong together are more alike than others, so their number says more than it is
    worth. The interval is Wilson's for the effective number: the number divided by the design
    effect, which is the variance of the rate between clusters (ratio estimator; Cochran 1977,
    Sampling Techniques, section 2.11) over that of as many independent trials, and at least 1. Of a
    rate of 0 or 1 the variance is no guide, and the number of clusters counts.

    Trials that belong together must come one after the other.
    """

    def __init__(self) -> None:
        self.k, self.n, self.clusters = 0, 0, 0
        self._squares = [0, 0, 0]  # of successes, of successes times trials, of trials
        self._name: str | None = None
        self._open = [0, 0]

    def add(self, cluster: str, success: bool) -> None:
        """Count a trial."""
        if cluster != self._name:
            self._close()
            self._name = cluster
            self.clusters += 1
        self._open[0] += success
        self._open[1] += 1
        self.k += success
        self.n += 1

    def _close(self) -> None:
        k, n = self._open
        for place, square in enumerate((k * k, k * n, n * n)):
            self._squares[place] += square
        self._open = [0, 0]

    def rate(self) -> Rate | None:
        """Return `k`, `n`, `clusters`, `rate`, `low`, `high` (95 %); None of nothing."""
        if not self.n:
            return None
        self._close()
        share = self.k / self.n
        n = self.n / self._design_effect(share)
        low, high = wilson_interval(share * n, n) if 0 < self.k < self.n else _end(share, n)
        return {"k": self.k, "n": self.n, "clusters": self.clusters, "rate": share} | {
            "low": low,
            "high": high,
        }

    def _design_effect(self, share: float) -> float:
        if self.clusters == self.n:
            return 1.0
        if share in (0.0, 1.0) or self.clusters == 1:
            return self.n / self.clusters
        successes, both, trials = self._squares
        spread = successes - 2 * share * both + share * share * trials
        between = self.clusters / (self.clusters - 1) * spread / self.n**2
        return max(1.0, between / (share * (1 - share) / self.n))


def _end(share: float, n: float) -> tuple[float, float]:
    """Return the interval of 0 or 1, without an error of rounding."""
    return wilson_interval(n if share else 0.0, n)


def f1(hits: Tally) -> Rate | None:
    """Return F1 with an interval, from hits among the rows that were kept, or should have been.

    F1 = 2J / (1 + J) grows with J, the share of rows that were kept and should have been among
    those that were one of the two. J is a plain proportion, so its interval, taken through the same
    formula, is one of F1.
    """
    found = hits.rate()
    if found is None:
        return None
    return found | {key: 2 * found[key] / (1 + found[key]) for key in ("rate", "low", "high")}


def kappa(both: int, first: int, second: int, neither: int) -> float | None:
    """Return Cohen's kappa of two who say yes or no (1960, Educ. Psychol. Meas. 20:37-46).

    None where both always say the same one thing: then there is nothing to agree about.

    Args:
        both: How often both say yes.
        first: How often the first alone does.
        second: How often the second alone does.
        neither: How often both say no.
    """
    n = both + first + second + neither
    yes = (both + first) * (both + second)
    no = (second + neither) * (first + neither)
    if not n or yes + no == n * n:
        return None
    chance = (yes + no) / (n * n)
    return ((both + neither) / n - chance) / (1 - chance)
