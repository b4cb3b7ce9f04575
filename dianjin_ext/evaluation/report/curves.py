"""Logs of training: LLaMA-Factory's trainer_log.jsonl and the metrics of verl's file logger."""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

Line = dict[str, Any]

_SKIPPED: Final = frozenset({"responses", "journal", "evaluation", "data", "checkpoints", "logs"})
_HEAD: Final = 4096  # bytes that tell what a file is


class Curves(NamedTuple):
    """The log of one training.

    Attributes:
        name: Its folder.
        kind: `sft` for LLaMA-Factory's, `rl` for verl's.
        steps: Of each metric its values by step.
    """

    name: str
    kind: str
    steps: Mapping[str, Sequence[tuple[float, float]]]


def find_curves(folder: Path) -> list[Curves]:
    """Return the logs in a folder and in the folders in it: those of SFT first, then by name."""
    found = []
    inside = [p for p in sorted(folder.iterdir()) if p.is_dir() and p.name not in _SKIPPED]
    for place in (folder, *inside):
        sft = place / "trainer_log.jsonl"
        if sft.is_file():
            found.append(Curves(place.name, "sft", _points(_lines(sft), "current_steps")))
        metrics = [p for p in place.glob("*.jsonl") if p != sft and _is_verls(p)]
        # A resumed run has a file of its own; of a step that it repeated, the later one counts.
        lines = [line for p in sorted(metrics, key=_attempt) for line in _of_verl(p)]
        if lines:
            found.append(Curves(place.name, "rl", _points(lines, "step")))
    return sorted((each for each in found if each.steps), key=lambda each: each.kind == "rl")


def _is_verls(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(_HEAD).startswith((b'{"step":', b'{"step" :'))


def _attempt(path: Path) -> tuple[int, str]:
    number = path.stem.rpartition("-")[2]
    return (int(number) if number.isdecimal() else 0, path.name)


def _of_verl(path: Path) -> Iterator[Line]:
    for line in _lines(path):
        if isinstance(line.get("data"), dict):
            yield line["data"] | {"step": line.get("step")}


def _lines(path: Path) -> Iterator[Line]:
    """Yield the objects of a log; the last line of one that is being written may be cut."""
    with path.open(encoding="utf-8", errors="replace") as file:
        for text in file:
            try:
                line = json.loads(text)
            except (ValueError, RecursionError):
                continue
            if isinstance(line, dict):
                yield line


def _points(lines: Iterator[Line] | list[Line], x: str) -> dict[str, list[tuple[float, float]]]:
    found: dict[str, dict[float, float]] = {}
    for line in lines:
        step = line.get(x)
        if step is None or not _is_number(step):
            continue
        for name, value in line.items():
            if name != x and _is_number(value):
                found.setdefault(name, {})[float(step)] = float(value)
    return {name: sorted(points.items()) for name, points in found.items()}


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value)
