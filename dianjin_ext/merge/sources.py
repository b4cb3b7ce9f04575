"""Find the rank files of a checkpoint, and read them."""

import json
import os
import re
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from dianjin_ext.errors import DianjinError

_RANK_FILE = re.compile(r"model_world_size_(\d+)_rank_(\d+)\.pt")


@dataclass(frozen=True)
class Checkpoint:
    """The files of one checkpoint.

    Attributes:
        folders: Where they were found, in the order given.
        ranks: One file a rank; position R is rank R.
    """

    folders: tuple[Path, ...]
    ranks: tuple[Path, ...]


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
            match = _RANK_FILE.fullmatch(file.name)
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
        if folder.is_dir() and any(_RANK_FILE.fullmatch(f.name) for f in folder.iterdir()):
            return folder
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


class RankReader:
    """Reads bytes of rank files, with a bounded number of them open at a time."""

    def __init__(self, paths: Sequence[Path], max_open: int = 256) -> None:
        self._paths = paths
        self._max_open = max_open
        self._open: OrderedDict[int, int] = OrderedDict()

    def __enter__(self) -> "RankReader":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        while self._open:
            os.close(self._open.popitem()[1])

    def path(self, rank: int) -> Path:
        """The file of a rank."""
        return self._paths[rank]

    def _fd(self, rank: int) -> int:
        if rank not in self._open:
            if len(self._open) >= self._max_open:
                os.close(self._open.popitem(last=False)[1])
            self._open[rank] = os.open(self._paths[rank], os.O_RDONLY)
        self._open.move_to_end(rank)
        return self._open[rank]

    def read_into(self, rank: int, offset: int, buffer: memoryview) -> None:
        """Fill `buffer` with the bytes of a rank's file from `offset` on.

        Raises:
            DianjinError: The file ends before.
        """
        done, fd = 0, self._fd(rank)
        while done < len(buffer):
            got = os.preadv(fd, [buffer[done:]], offset + done)
            if got == 0:
                raise DianjinError(
                    f"{self._paths[rank]}: reading stopped at byte {offset + done}; the file was "
                    "cut short while it was being merged"
                )
            done += got
