"""Curves as SVG that takes its colours from the page, and has no words."""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from dianjin_ext.pages.blocks import Chart

_WIDTH, _HEIGHT = 360, 210
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 10, 10, 24
_MOST_POINTS: Final = 400
"""Points of a curve that are drawn; of more, every so-manieth and the last."""
_DOTTED: Final = 12
"""Up to so many points are marked."""

Points = Sequence[tuple[float, float]]


def curves(chart: Chart) -> str:
    """Return an SVG element; the nth curve is of class `series-N`, from 0."""
    series = [_thinned(points) for _, points in chart.series]
    if chart.logarithmic:
        series = [[(math.log2(x), y) for x, y in points] for points in series]
    every = [point for points in series for point in points]
    if not every:
        return ""
    low_x, high_x = _range([x for x, _ in every])
    low_y, high_y = (0.0, 1.0) if chart.shares else _range([y for _, y in every])
    y_ticks = _ticks(low_y, high_y)
    if not chart.shares:
        low_y, high_y = min(low_y, y_ticks[0]), max(high_y, y_ticks[-1])

    def place(x: float, y: float) -> tuple[float, float]:
        return (
            _LEFT + (x - low_x) / (high_x - low_x) * (_WIDTH - _LEFT - _RIGHT),
            _TOP + (high_y - y) / (high_y - low_y) * (_HEIGHT - _TOP - _BOTTOM),
        )

    parts = [f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-hidden="true">']
    for tick in y_ticks:
        _, y = place(low_x, tick)
        label = f"{tick:.0%}" if chart.shares else _number(tick)
        parts.append(f'<path class="grid" d="M{_LEFT} {y:.1f}H{_WIDTH - _RIGHT}"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{y + 3.5:.1f}" class="y">{label}</text>')
    for tick in _powers(low_x, high_x) if chart.logarithmic else _ticks(low_x, high_x):
        x, _ = place(tick, low_y)
        label = _number(2**tick if chart.logarithmic else tick)
        parts.append(f'<text x="{x:.1f}" y="{_HEIGHT - 6}" class="x">{label}</text>')
    for nth, points in enumerate(series):
        placed = [place(*point) for point in points]
        line = "".join(f"{'L' if at else 'M'}{x:.1f} {y:.1f}" for at, (x, y) in enumerate(placed))
        parts.append(f'<path class="line series-{nth % 8}" d="{line}"/>')
        if len(placed) <= _DOTTED:
            parts += [
                f'<circle class="series-{nth % 8}" cx="{x:.1f}" cy="{y:.1f}" r="3"/>'
                for x, y in placed
            ]
    return "".join([*parts, "</svg>"])


def _thinned(points: Points) -> Points:
    step = -(-len(points) // _MOST_POINTS)
    if step <= 1:
        return points
    kept = list(points[::step])
    return kept if kept[-1] == points[-1] else [*kept, points[-1]]


def _range(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    if low < high:
        return low, high
    return low - (abs(low) or 1.0) / 2, high + (abs(high) or 1.0) / 2


def _ticks(low: float, high: float) -> list[float]:
    """Return about five round numbers that span a range."""
    rough = (high - low) / 4
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(m * power for m in (1, 2, 2.5, 5, 10) if m * power >= rough * 0.999)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    ticks = [nth * step for nth in range(first, last + 1)]
    return ticks if any(a < b for a, b in pairwise(ticks)) else [low, high]


def _powers(low: float, high: float) -> list[float]:
    """Return the powers of two in a range, by their logarithm; of more than eight every other."""
    whole = list(range(math.ceil(low), math.floor(high) + 1))
    return [float(power) for power in whole[:: -(-len(whole) // 8) or 1]]


def _number(value: float) -> str:
    if value and (abs(value) >= 1e5 or abs(value) < 1e-3):
        return f"{value:.1e}".replace("e-0", "e-").replace("e+0", "e")
    return f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}"
