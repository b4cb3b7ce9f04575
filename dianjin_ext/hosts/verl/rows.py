"""Make one row of `reward_extra_info` from what a reward function returned.

verl demands the same keys on every row, floats or strings only, and no key named `reward`; one NaN
score makes the advantages of a whole GRPO group NaN. A function need not know that.
"""

import math
from collections.abc import Mapping
from numbers import Real
from typing import Any

from dianjin_ext.hosts.verl.guard import RewardFailure

__all__ = ["Rows"]

Row = dict[str, float | str]


class Rows:
    """Builds rows that all have the same keys.

    The keys of the first row that was scored (and any that later rows add) are kept, so that a
    failed row has them too: 0.0 for a number, "" for a text. Every row has `score` and `acc`
    (finite floats) and `reason` (a string, empty when nothing is wrong).
    """

    def __init__(self) -> None:
        self._empty: Row = {"score": 0.0, "acc": 0.0, "reason": ""}
        self.ignored: set[str] = set()
        """Keys that were dropped or mended because verl could not have used their values."""

    def scored(self, result: Any) -> Row:
        """Return the row for the function's result: a number, or a dict with `score`.

        Raises:
            RewardFailure: There is no score in it, or the score is NaN or infinite.
        """
        given = dict(result) if isinstance(result, Mapping) else {"score": result}
        score = _plain(given.get("score"))
        if not isinstance(score, float):
            raise RewardFailure(
                "error",
                f"returned {result!r:.200}; expected a number or a dict with a number as 'score'",
            )
        if not math.isfinite(score):
            raise RewardFailure("error", f"the score is {score}")
        given.setdefault("acc", score)
        row: Row = {}
        for key, value in given.items():
            plain = _plain(value)
            expected = type(self._empty.get(key, plain))
            if key == "reward" or plain is None:
                self.ignored.add(str(key))
                continue
            if not isinstance(plain, expected) or plain in (math.inf, -math.inf) or plain != plain:
                self.ignored.add(str(key))
                plain = str(plain) if expected is str else 0.0
            row[str(key)] = plain
        self._empty.update({key: type(value)() for key, value in row.items()})
        return self._empty | row

    def failed(self, reason: str, score: float) -> Row:
        """Return the row of a response that could not be scored."""
        return self._empty | {"score": score, "reason": reason}


def _plain(value: Any) -> float | str | None:
    """Return a number (also bool, numpy, a tensor with one element) or a text as such."""
    if isinstance(value, str):
        return str(value)
    if hasattr(value, "item") and getattr(value, "size", 1) != 0:
        try:
            value = value.item()
        except (ValueError, RuntimeError):  # more than one element
            return None
    return float(value) if isinstance(value, Real) else None
