"""Figures as inline SVG."""

from collections.abc import Mapping, Sequence
from io import StringIO
from typing import Any


def accuracy(summary: Mapping[str, Any], stages: Sequence[str]) -> str:
    """Return bars of accuracy with 95 % intervals, and of the format rate, for each stage."""
    figure, axes = _figure(f"Held-out questions (n = {summary[stages[0]]['n']})")
    places = range(len(stages))
    rows = [summary[stage] for stage in stages]
    values = [row["accuracy"] for row in rows]
    errors = [
        [row["accuracy"] - row["accuracy_low"] for row in rows],
        [row["accuracy_high"] - row["accuracy"] for row in rows],
    ]
    axes.bar([p - 0.2 for p in places], values, 0.38, yerr=errors, capsize=5, label="accuracy")
    axes.bar([p + 0.2 for p in places], [r["format_rate"] for r in rows], 0.38, label="format")
    axes.set_xticks(list(places), stages)
    axes.set_ylim(0, 1.05)
    axes.legend()
    return _svg(figure)


def curves(
    lines: Sequence[Mapping[str, Any]], x: str, series: Mapping[str, str], title: str
) -> str:
    """Return one curve for each metric in `series` (metric to label) over `x`.

    Lines that lack a metric are passed over, so metrics may be logged at different intervals.
    """
    figure, axes = _figure(title)
    for metric, label in series.items():
        points = [(line[x], line[metric]) for line in lines if metric in line]
        if points:
            marker = "o" if len(points) < 12 else ""
            axes.plot(*zip(*points, strict=True), label=label, marker=marker, markersize=3)
    axes.set_xlabel("step")
    if axes.lines:
        axes.legend(fontsize="small")
    return _svg(figure)


def _figure(title: str) -> tuple[Any, Any]:
    from matplotlib.figure import Figure  # without pyplot: no global state, no display

    figure = Figure(figsize=(5.2, 3.2), layout="constrained")
    axes = figure.add_subplot()
    axes.set_title(title, fontsize="medium")
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _svg(figure: Any) -> str:
    text = StringIO()
    figure.savefig(text, format="svg", metadata={"Date": None})
    return text.getvalue()[text.getvalue().index("<svg") :]
