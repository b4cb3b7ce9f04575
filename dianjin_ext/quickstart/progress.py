"""How far a stage says it is: done and total."""

import json
from collections.abc import Callable
from pathlib import Path

Progress = Callable[[], tuple[int, int] | None]


def none() -> None:
    """A stage that doesn't say."""


def of_sft(log: Path) -> Progress:
    """Return the progress of LLaMA-Factory, from its trainer_log.jsonl."""

    def progress() -> tuple[int, int] | None:
        line = _last_line(log)
        return (line["current_steps"], line["total_steps"]) if line else None

    return progress


def of_verl(metrics: Path, log: Path) -> Progress:
    """Return the progress of verl.

    Args:
        metrics: Of its file logger.
        log: Where the console's lines are.
    """

    def progress() -> tuple[int, int] | None:
        line = _last_line(metrics)
        return (line["step"], _total(log, line["step"])) if line else None

    return progress


def _total(log: Path, step: int) -> int:
    """Return the total in `step N/TOTAL`, as `dianjin_ext.hosts.verl.console` prints it."""
    found = step
    for line in log.read_text(encoding="utf-8", errors="replace").splitlines():
        if line.startswith("step ") and "/" in line:
            found = int(line.removeprefix("step ").partition("/")[2].split()[0])
    return found


def _last_line(path: Path) -> dict[str, int]:
    """Return the last whole JSON line of a file that is being written, or an empty dict."""
    if not path.is_file():
        return {}
    lines = path.read_bytes().rpartition(b"\n")[0].splitlines()
    return dict(json.loads(lines[-1])) if lines else {}
