"""How often Python looks for cycles of objects while hundreds of requests are under way."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

__all__ = ["sought_seldom"]

_OBJECTS: Final = 10_000


@contextmanager
def sought_seldom() -> Iterator[None]:
    """Look for cycles after 10,000 new objects instead of 700, for as long as the context lasts.

    Each look goes through all young objects, and requests under way are tens of thousands of them:
    looking so often took a fifth of an evaluation's processor time.
    """
    first, *others = before = gc.get_threshold()
    if first:  # 0 never looks
        gc.set_threshold(max(first, _OBJECTS), *others)
    try:
        yield
    finally:
        gc.set_threshold(*before)
