"""Run one stage as a process of its own: log to a file, measure, and leave nothing running."""

import os
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from dianjin_ext.errors import DianjinError
from dianjin_ext.quickstart.meter import Meter

POLL_SECONDS = 0.1
LOOK_SECONDS = 1.0
TAIL_LINES = 25


@dataclass(frozen=True)
class Usage:
    """What a stage took, summed over its tree of processes.

    Attributes:
        seconds: Wall-clock time.
        processor_seconds: User and system time.
        peak_memory_gib: Proportional set size: pages that processes share are counted once.
    """

    seconds: float
    processor_seconds: float
    peak_memory_gib: float


def run_stage(
    command: list[str],
    *,
    folder: Path,
    environment: Mapping[str, str],
    log: Path,
    tick: Callable[[], None] = lambda: None,
) -> Usage:
    """Run `command` in `folder` and wait for it; `tick` is called now and then.

    Whatever ends this function early (Ctrl-C too) ends the whole tree of processes first.

    Raises:
        DianjinError: The command failed; the message ends with the last lines of its log.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    start = time.monotonic()
    next_look = 0.0
    with log.open("ab") as output:
        process = psutil.Popen(
            command,
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C reaches this process alone, which then ends the tree
        )
        meter = Meter(process.pid)
        try:
            while process.poll() is None:
                time.sleep(POLL_SECONDS)
                seconds = time.monotonic() - start
                if seconds >= next_look:
                    tick()
                    meter.look()
                    # often at first, so that a stage of half a second is measured too
                    next_look = seconds + min(seconds, LOOK_SECONDS)
        finally:
            meter.look()
            _end(meter.pids)
            meter.look()
    if process.returncode != 0:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-TAIL_LINES:]
        raise DianjinError(
            f"{os.path.basename(command[0])} ended with exit code {process.returncode}; "
            f"its log is {log} and ends:\n" + "\n".join(lines)
        )
    return Usage(
        seconds=time.monotonic() - start,
        processor_seconds=meter.processor_seconds,
        peak_memory_gib=meter.peak_memory / 2**30,
    )


def _end(pids: Iterable[int]) -> None:
    """Ask every process to end, and kill those that haven't after five seconds."""
    alive = []
    for pid in pids:
        try:
            alive.append(psutil.Process(pid))
        except psutil.NoSuchProcess:
            continue
    for process in alive:
        try:
            process.terminate()
        except psutil.NoSuchProcess:
            continue
    _, left = psutil.wait_procs(alive, timeout=5)
    for process in left:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue
    psutil.wait_procs(left, timeout=5)
