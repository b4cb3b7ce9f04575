"""Run one stage as a process of its own: log to a file, measure, and leave nothing running."""

import os
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from dianjin_ext.errors import DianjinError

POLL_SECONDS = 0.1
MEMORY_SECONDS = 2.0  # PSS is read from every process; more often would slow the run down
TAIL_LINES = 25


@dataclass(frozen=True)
class Usage:
    """What a stage took: wall-clock seconds, and the peak of the process tree's memory.

    Memory is the proportional set size: pages that processes share are counted once.
    """

    seconds: float
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
    next_read = 0.0
    peak = 0
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
        tree: set[psutil.Process] = {process}
        try:
            while process.poll() is None:
                time.sleep(POLL_SECONDS)
                seconds = time.monotonic() - start
                if seconds >= next_read:
                    tick()
                    tree |= _descendants(process)
                    peak = max(peak, sum(map(_memory, tree)))
                    # often at first, so that a stage of half a second is measured too
                    next_read = seconds + min(seconds, MEMORY_SECONDS)
        finally:
            _end(tree | _descendants(process))
    if process.returncode != 0:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-TAIL_LINES:]
        raise DianjinError(
            f"{os.path.basename(command[0])} ended with exit code {process.returncode}; "
            f"its log is {log} and ends:\n" + "\n".join(lines)
        )
    return Usage(time.monotonic() - start, peak / 2**30)


def _descendants(process: psutil.Process) -> set[psutil.Process]:
    try:
        return set(process.children(recursive=True))
    except psutil.NoSuchProcess:
        return set()


def _memory(process: psutil.Process) -> int:
    try:
        return int(process.memory_full_info().pss)
    except psutil.Error:
        return 0
    except AttributeError:  # not Linux: pages that are shared count more than once
        return int(process.memory_info().rss)


def _end(tree: set[psutil.Process]) -> None:
    """Ask every process to end, and kill those that haven't after five seconds."""
    alive = [process for process in tree if process.is_running()]
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
