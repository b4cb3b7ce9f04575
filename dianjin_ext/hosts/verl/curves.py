"""Reward components as training curves, from the rows that a reward manager made."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from numbers import Real
from typing import Any

__all__ = ["RewardCurves"]

_MAX_REASONS = 50  # a function that writes free text as its reason must not make a curve a row


class RewardCurves:
    """Turns the `reward_extra_info` of one training step into metrics.

    `reward/{key}/mean` is the mean of a numeric component, `reward_reason/{reason}` the share of
    responses with that reason, between 0 and 1. With several data sources each has its own
    curves as well: `reward/{data_source}/{key}/mean` and `reward_reason/{data_source}/{reason}`.
    Other texts, such as `pred`, are left out, and so are the numbers of `skipped` responses. A
    reason that was seen once is 0.0 in later steps where it is absent, so that its curve goes on.
    """

    def __init__(self) -> None:
        self._reasons: dict[str, None] = {}  # in order of appearance

    def __call__(self, rows: Iterable[tuple[str, Mapping[str, Any]]]) -> dict[str, float]:
        """Return the metrics of one step.

        Args:
            rows: Per response its data source and its `reward_extra_info`.
        """
        groups: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
        for source, row in rows:
            groups[source].append(row)
        metrics = self._group("", [row for group in groups.values() for row in group])
        if len(groups) > 1:
            for source, group in sorted(groups.items()):
                metrics |= self._group(f"{source}/", group)
        return metrics

    def _group(self, prefix: str, rows: list[Mapping[str, Any]]) -> dict[str, float]:
        values: dict[str, list[float]] = defaultdict(list)
        reasons: Counter[str] = Counter()
        for row in rows:
            skipped = row.get("reason") == "skipped"  # no score: it would pull the means down
            for key, value in row.items():
                if isinstance(value, Real) and not skipped:
                    values[key].append(float(value))
            if isinstance(row.get("reason"), str) and row["reason"]:
                reasons[self._name(row["reason"])] += 1
        metrics = {f"reward/{prefix}{key}/mean": sum(v) / len(v) for key, v in values.items()}
        for reason in self._reasons:
            metrics[f"reward_reason/{prefix}{reason}"] = reasons[reason] / len(rows)
        return metrics

    def _name(self, reason: str) -> str:
        if reason not in self._reasons and len(self._reasons) >= _MAX_REASONS:
            reason = "other"
        self._reasons[reason] = None
        return reason
