"""Means and reasons of graded responses, per data source."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from rich.table import Table

_TOP = 3
_ALL = "all"


class Tally:
    """Counts graded rows without keeping them."""

    def __init__(self) -> None:
        self.sums: dict[str, Counter[str]] = {}
        self.reasons: dict[str, Counter[str]] = {}

    def add(self, data_source: str, result: Mapping[str, Any]) -> None:
        """Count one result of `compute_score`."""
        sums = self.sums.setdefault(data_source, Counter())
        for key, value in result.items():
            if not isinstance(value, str):
                sums[key] += value
        self.reasons.setdefault(data_source, Counter())[result["reason"]] += 1

    def update(self, other: "Tally") -> None:
        """Add the counts of another tally."""
        for name, sums in other.sums.items():
            mine = self.sums.setdefault(name, Counter())
            for key, value in sums.items():
                mine[key] += value
            self.reasons.setdefault(name, Counter()).update(other.reasons[name])

    def summary(self) -> dict[str, dict[str, Any]]:
        """Return for each data source `n`, the mean of every number, and `reasons` with counts."""
        return {name: self._summary(name) for name in sorted(self.sums)}

    def _summary(self, name: str) -> dict[str, Any]:
        reasons = self.reasons[name]
        n = reasons.total()
        means = {key: value / n for key, value in self.sums[name].items()}
        return {"n": n, **means, "reasons": dict(reasons.most_common())}

    def table(self) -> Table:
        """Return one line for each data source, and one for all where there are several."""
        rows = self.summary()
        if len(rows) > 1:
            whole = Tally()
            for name in rows:
                part = Tally()
                part.sums[_ALL], part.reasons[_ALL] = self.sums[name], self.reasons[name]
                whole.update(part)
            rows[_ALL] = whole._summary(_ALL)
        keys = list(dict.fromkeys(key for row in rows.values() for key in row))
        means = [key for key in keys if key not in ("n", "reasons")]
        table = Table("data source", "n", *means, "reasons for zeros")
        for column in table.columns[1:-1]:
            column.justify = "right"
        for name, row in rows.items():
            table.add_row(
                name,
                str(row["n"]),
                *(f"{row[key]:.3f}" if key in row else "" for key in means),
                _shares(row["reasons"], row["n"]),
            )
        return table


def _shares(reasons: Mapping[str, int], n: int) -> str:
    bad = [(reason, count) for reason, count in reasons.items() if reason != "correct"]
    return ", ".join(f"{reason} {count / n:.1%}" for reason, count in bad[:_TOP])
