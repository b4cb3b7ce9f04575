"""Numbers as a document shows them."""

from collections.abc import Mapping
from typing import Any

from dianjin_ext.pages.blocks import Share


def percent(value: float) -> str:
    """Return a share as people read it."""
    return f"{100 * value:.1f} %"


def rated(found: Mapping[str, Any] | None) -> Share | None:
    """Return a rate with its interval; None of nothing."""
    if found is None:
        return None
    low, high = found["low"], found["high"]
    text = f"{percent(found['rate'])} [{100 * low:.1f}, {100 * high:.1f}]"
    return Share(found["rate"], text, low, high)


def part(number: int, whole: int) -> Share:
    """Return a count as a part of a whole."""
    return Share(number / whole if whole else 0.0, f"{number:,}")


def joined(counts: Mapping[str, int]) -> str:
    """Return counts by name in one line."""
    return ", ".join(f"{name}: {number:,}" for name, number in counts.items())
