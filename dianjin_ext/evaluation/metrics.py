"""Rates over graded responses, with confidence intervals."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dianjin_ext.intervals import wilson_interval


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Return the rows of a JSON-lines file."""
    with path.open(encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def summarise(rows: Sequence[Mapping[str, Any]]) -> dict[str, float | int]:
    """Return accuracy with its 95 % interval, format rate and n of graded responses.

    Args:
        rows: Results of `compute_score`, one a response.
    """
    n = len(rows)
    correct = sum(row["acc"] == 1.0 for row in rows)
    low, high = wilson_interval(correct, n)
    return {
        "accuracy": correct / n,
        "accuracy_low": low,
        "accuracy_high": high,
        "format_rate": sum(row["format"] == 1.0 for row in rows) / n,
        "n": n,
    }
