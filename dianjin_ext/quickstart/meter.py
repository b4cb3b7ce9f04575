"""What a tree of processes takes: processor seconds, and the peak of its memory.

Linux counts the time of a process that ended in its parent, if the parent waited for it. Ray's
raylet doesn't wait for its workers, so what these took is known from the last look at them only.
"""

import os
import resource
import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

__all__ = ["Meter"]

_PROC: Final = Path("/proc")
_TICK: Final = 1 / os.sysconf("SC_CLK_TCK")
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")
_MEMORY_SHARE: Final = 0.01  # of a core, for reading the memory
_MORE: Final = 1.02  # memory is read again when its cheap upper bound is this times the last one

_Key = tuple[int, float]  # process id and start: ids are used again


@dataclass(frozen=True)
class _Process:
    parent: int
    session: int
    own: float  # processor seconds
    ended: float  # of its children that it waited for, and of theirs
    resident: int  # bytes


class Meter:
    """Measures the tree below one process, which this process has started.

    `look` has to be called about once a second. A look takes 20 µs a process of the machine; what
    is dearer, the memory, is read when the tree has grown, and takes 1 % of a core at most.

    Args:
        root: Process id of the top of the tree; it must be running, or not be waited for yet.

    Attributes:
        peak_memory: Bytes, the proportional set size: pages that processes share count once.
    """

    def __init__(self, root: int) -> None:
        self.peak_memory = 0
        self._root = root
        self._tree: dict[_Key, _Process] = {}
        self._lost = 0.0
        self._waited_before = _waited()
        self._waited = self._waited_before
        self._start = time.monotonic()
        self._memory_seconds = 0.0
        self._memory_bound = 0.0
        self.look()

    @property
    def processor_seconds(self) -> float:
        """User and system time up to the last look; exact for processes that were waited for."""
        alive = sum(process.own + process.ended for process in self._tree.values())
        return alive + self._lost + self._waited - self._waited_before

    @property
    def pids(self) -> list[int]:
        """The processes that ran at the last look."""
        return [pid for pid, _ in self._tree]

    def look(self) -> None:
        """Look at every process of the tree."""
        now, waited = _find(self._root, self._tree), _waited()
        self._lost += self._lost_since(now, waited)
        self._tree, self._waited = now, waited
        bound = sum(process.resident for process in now.values())
        allowed = _MEMORY_SHARE * (time.monotonic() - self._start)
        if bound > _MORE * self._memory_bound and self._memory_seconds <= allowed:
            started = time.thread_time()
            self.peak_memory = max(self.peak_memory, sum(map(_memory, now.items())))
            self._memory_seconds += time.thread_time() - started
            self._memory_bound = bound

    def _lost_since(self, now: dict[_Key, _Process], waited: float) -> float:
        """Return the time of processes that are gone and whose time nobody took over."""
        keys = {pid: (pid, start) for pid, start in self._tree}
        gone: dict[_Key | None, float] = defaultdict(float)
        for key, process in self._tree.items():
            if key not in now:
                gone[self._heir(process, keys, now)] += process.own + process.ended
        lost = 0.0
        for heir, seconds in gone.items():
            taken_over = now[heir].ended - self._tree[heir].ended if heir else waited - self._waited
            lost += max(0.0, seconds - taken_over)
        return lost

    def _heir(
        self, process: _Process, keys: dict[int, _Key], now: dict[_Key, _Process]
    ) -> _Key | None:
        """Return the nearest ancestor that still runs; None is this process."""
        while (key := keys.get(process.parent)) is not None:
            if key in now:
                return key
            process = self._tree[key]
        return None


def _waited() -> float:
    """Return the processor seconds of the children that this process waited for."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _find(root: int, before: Iterable[_Key]) -> dict[_Key, _Process]:
    """Return the processes below `root`, those of its session, and those seen `before`."""
    found = _linux() if _PROC.joinpath("self/stat").exists() else _elsewhere()
    below: dict[int, list[_Key]] = defaultdict(list)
    for key, process in found.items():
        below[process.parent].append(key)
    todo = [key for key in before if key in found]
    todo += [key for key, process in found.items() if root in (key[0], process.session)]
    tree: dict[_Key, _Process] = {}
    while todo:
        key = todo.pop()
        if key not in tree:
            tree[key] = found[key]
            todo += below[key[0]]
    return tree


def _linux() -> dict[_Key, _Process]:
    found = {}
    for name in os.listdir(_PROC):
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/stat", "rb") as file:
                line = file.read()
        except OSError:  # it has ended
            continue
        # proc(5); the name in parentheses may hold anything, so fields are counted behind it
        fields = line[line.rindex(b")") + 2 :].split()
        user, system, ended_user, ended_system = map(int, fields[11:15])
        found[int(name), float(fields[19])] = _Process(
            parent=int(fields[1]),
            session=int(fields[3]),
            own=(user + system) * _TICK,
            ended=(ended_user + ended_system) * _TICK,
            resident=int(fields[21]) * _PAGE,
        )
    return found


def _elsewhere() -> dict[_Key, _Process]:
    import psutil

    found = {}
    for process in psutil.process_iter():
        try:
            with process.oneshot():
                times, memory = process.cpu_times(), process.memory_info()
                found[process.pid, process.create_time()] = _Process(
                    parent=process.ppid(),
                    session=-1,
                    own=times.user + times.system,
                    ended=getattr(times, "children_user", 0) + getattr(times, "children_system", 0),
                    resident=memory.rss,
                )
        except psutil.Error:
            continue
    return found


def _memory(item: tuple[_Key, _Process]) -> int:
    (pid, _), process = item
    try:
        text = _PROC.joinpath(str(pid), "smaps_rollup").read_bytes()
    except FileNotFoundError:  # not Linux: pages that are shared count more than once
        return 0 if _PROC.joinpath("self/stat").exists() else process.resident
    except OSError:  # it has ended, or is another user's
        return 0
    return int(text.partition(b"\nPss:")[2].split(maxsplit=1)[0]) * 1024 if text else 0
