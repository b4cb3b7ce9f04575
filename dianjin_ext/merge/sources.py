"""Find the rank files of a checkpoint, and read them."""

import json
import os
import re
import resource
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from dianjin_ext.errors import DianjinError
from dianjin_ext.merge.closing import Closing
from dianjin_ext.merge.direct import (
    ALIGN,
    aligned,
    buffer,
    is_cached,
    is_direct,
    open_direct,
    read_at,
)
from dianjin_ext.merge.elsewhere import advice

Fetcher = Callable[[int, memoryview], None]
"""Fills a buffer with the bytes of a file from an offset on."""

_WINDOW = 1 << 20  # bytes
RANK_FILE = re.compile(r"model_world_size_(\d+)_rank_(\d+)\.pt")


@dataclass(frozen=True)
class Checkpoint:
    """The files of one checkpoint.

    Attributes:
        folders: Where they were found, in the order given.
        ranks: One file a rank; position R is rank R.
        base: The base model's weight files, where they take part.
        fetchers: How to read those files that only stand for others; see places.
    """

    folders: tuple[Path, ...]
    ranks: tuple[Path, ...]
    base: tuple[Path, ...] = ()
    fetchers: Mapping[Path, Fetcher] = field(default_factory=dict, compare=False)

    @property
    def files(self) -> tuple[Path, ...]:
        """All files that tensors come from."""
        return self.ranks + self.base


def find_checkpoint(paths: Sequence[Path]) -> Checkpoint:
    """Find one file for every rank.

    Args:
        paths: Folders that together hold all ranks (several where each machine of a run kept its
            own): `global_step_N/actor`, or `global_step_N` itself.

    Raises:
        DianjinError: A folder is missing or holds no rank files; ranks are missing (they are
            named); or the same rank lies in two folders.
    """
    folders = tuple(dict.fromkeys(_model_folder(path) for path in paths))
    found: dict[int, dict[int, Path]] = {}
    for folder in folders:
        for file in sorted(folder.iterdir()):
            match = RANK_FILE.fullmatch(file.name)
            if not match:
                continue
            world, rank = int(match[1]), int(match[2])
            other = found.setdefault(world, {}).setdefault(rank, file)
            if other is not file and not other.samefile(file):
                raise DianjinError(
                    f"rank {rank} lies both at {other} and at {file}; give folders of one "
                    "checkpoint only, each rank once"
                )
    world = _world_size(folders, found)
    missing = [rank for rank in range(world) if rank not in found[world]]
    if missing:
        raise DianjinError(
            f"no file for rank{'s'[: len(missing) > 1]} {_ranges(missing)} of {world} in "
            f"{', '.join(map(str, folders))} (expected model_world_size_{world}_rank_"
            f"{missing[0]}.pt); a run on several machines leaves the ranks apart: give all folders"
        )
    return Checkpoint(folders, tuple(found[world][rank] for rank in range(world)))


def _model_folder(path: Path) -> Path:
    """Accept the folder of a training step in place of the actor's."""
    if not path.is_dir():
        raise DianjinError(f"{path} is not a folder; give verl's global_step_N or its actor folder")
    path = path.resolve()
    for folder in (path, path / "actor"):
        if folder.is_dir() and any(RANK_FILE.fullmatch(f.name) for f in folder.iterdir()):
            return folder
    known = advice(path)
    if known:
        raise DianjinError(known)
    steps = sorted(step.name for step in path.glob("global_step_*"))
    hint = f"; give one of {', '.join(steps)}" if steps else ""
    raise DianjinError(f"{path} holds no model_world_size_*_rank_*.pt{hint}")


def _world_size(folders: tuple[Path, ...], found: dict[int, dict[int, Path]]) -> int:
    """Which world size counts where files of an earlier run lie beside those of the last one."""
    for folder in folders:
        file = folder / "fsdp_config.json"
        if not file.exists():
            continue
        try:
            world = int(json.loads(file.read_text(encoding="utf-8"))["world_size"])
        except (ValueError, KeyError, TypeError) as error:
            raise DianjinError(f"{file}: expected a JSON object with world_size") from error
        if world not in found:
            raise DianjinError(
                f"{file} says world size {world}, but the files are of world size "
                f"{', '.join(map(str, sorted(found)))}"
            )
        return world
    if len(found) > 1:
        found = {n: ranks for n, ranks in found.items() if len(ranks) == n} or found
    if len(found) > 1:
        raise DianjinError(
            f"{folders[0]} holds files of world sizes {', '.join(map(str, sorted(found)))} and no "
            "fsdp_config.json says which counts; move the others away"
        )
    return next(iter(found))


def _ranges(numbers: list[int]) -> str:
    """Write 1, 2, 3, 7 as `1-3, 7`."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in runs)


class RankReader(Closing):
    """Reads bytes of rank files, from several threads if need be.

    What is in the page cache comes from there; what is not is read past it.

    Args:
        paths: The rank files.
        fetchers: How to read those of them that only stand for others; see places.
        max_open: How many of them are kept open; any beyond are opened again for every read. Half
            of what the process may have open unless given.
    """

    def __init__(
        self,
        paths: Sequence[Path],
        fetchers: Mapping[Path, Fetcher] = MappingProxyType({}),
        max_open: int | None = None,
    ) -> None:
        self._paths = paths
        self._fetchers = fetchers
        if max_open is None:
            max_open = resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 2
        self._max_open = max_open
        self._open: dict[int, int] = {}
        self._lock = threading.Lock()
        self._threads = threading.local()

    def close(self, *, failed: bool) -> None:
        """Close what is open."""
        while self._open:
            os.close(self._open.popitem()[1])

    def path(self, rank: int) -> Path:
        """The file of a rank."""
        return self._paths[rank]

    def read_into(self, rank: int, offset: int, data: memoryview) -> None:
        """Fill `data` with the bytes of a rank's file from `offset` on.

        Raises:
            DianjinError: The file ends before.
        """
        fetch = self._fetchers.get(self._paths[rank])
        if fetch is not None:
            fetch(offset, data)
            return
        if rank >= self._max_open:
            fd = self._open_file(rank)
            try:
                self._read(fd, rank, offset, data)
            finally:
                os.close(fd)
            return
        fd = self._open.get(rank, -1)
        if fd < 0:
            with self._lock:
                if rank not in self._open:
                    self._open[rank] = self._open_file(rank)
                fd = self._open[rank]
        self._read(fd, rank, offset, data)

    def _open_file(self, rank: int) -> int:
        path = self._paths[rank]
        fd = os.open(path, os.O_RDONLY)
        if is_cached(fd, os.fstat(fd).st_size):
            return fd
        os.close(fd)
        return open_direct(path, os.O_RDONLY)

    def _read(self, fd: int, rank: int, offset: int, data: memoryview) -> None:
        direct, done = is_direct(fd), 0
        while done < len(data):
            at = offset + done
            if direct:
                window = self._window()
                skipped = at % ALIGN
                wanted = min(aligned(skipped + len(data) - done), len(window))
                got = read_at(fd, window[:wanted], at - skipped) - skipped
                got = min(got, len(data) - done)
                if got > 0:
                    data[done : done + got] = window[skipped : skipped + got]
            else:
                got = read_at(fd, data[done:], at)
            if got <= 0:
                raise DianjinError(
                    f"{self._paths[rank]}: reading stopped at byte {at}; the file was cut short "
                    "while it was being merged"
                )
            done += got

    def _window(self) -> memoryview:
        """Aligned memory of the calling thread, for direct reads."""
        window: memoryview | None = getattr(self._threads, "window", None)
        if window is None:
            window = self._threads.window = buffer(_WINDOW)
        return window
