"""The interval of a rate."""

import math

Z_95 = 1.959963984540054  # two-sided 95 % of the normal distribution


def wilson_interval(successes: float, n: float) -> tuple[float, float]:
    """Return the 95 % score interval of a proportion (Wilson 1927, JASA 22:209-212).

    Unlike the normal approximation it stays inside [0, 1] and is sound near both ends. `n` may be
    an effective number of trials, with `successes` in proportion.

    Raises:
        ValueError: `n` is not positive or `successes` is not between 0 and `n`.
    """
    if n <= 0 or not 0 <= successes <= n:
        raise ValueError(f"expected 0 <= successes <= n and n > 0, got {successes} of {n}")
    rate = successes / n
    centre = rate + Z_95**2 / (2 * n)
    half = Z_95 * math.sqrt(rate * (1 - rate) / n + Z_95**2 / (4 * n**2))
    scale = 1 + Z_95**2 / n
    low = 0.0 if successes == 0 else (centre - half) / scale  # exactly, not up to rounding
    high = 1.0 if successes == n else (centre + half) / scale
    return low, high
