"""Rates as a card has them: successes of a number, with the interval."""

from typing import Any

from dianjin_ext.intervals import wilson_interval

Rate = dict[str, Any]


def rate(successes: int, n: int) -> Rate | None:
    """Return `k`, `n`, `rate`, `low`, `high` (Wilson, 95 %); None of nothing."""
    if not n:
        return None
    low, high = wilson_interval(successes, n)
    return {"k": successes, "n": n, "rate": successes / n, "low": low, "high": high}


def f1(hits: int, misses: int) -> Rate | None:
    """Return F1 with an interval; `n` counts the rows that were kept, or should have been.

    F1 = 2J / (1 + J) grows with J = hits / (hits + misses), the share of hits among the rows that
    were kept or should have been. J is a plain proportion, so its Wilson interval, taken through
    the same formula, is one of F1.

    Args:
        hits: Rows that were kept and should have been.
        misses: Rows that were kept or should have been, but not both.
    """
    found = rate(hits, hits + misses)
    if found is None:
        return None
    bent = {key: 2 * found[key] / (1 + found[key]) for key in ("rate", "low", "high")}
    return {**found, **bent}


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
