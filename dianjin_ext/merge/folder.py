"""An output folder that appears complete, or not at all."""

import fcntl
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from dianjin_ext.errors import DianjinError


class OutputFolder:
    """A folder that is filled beside its target and renamed to it at the end.

    It is filled as `.NAME.merging`, under a lock that ends with the process. What a killed run
    left there is cleared away by the next one. On an error it is removed.

    Args:
        target: The folder to make.
        overwrite: Replace the model that is there.
        keep: Folders that the target must not replace.

    Raises:
        DianjinError: The target exists, is not a merged model, or another process is filling it.
    """

    def __init__(self, target: Path, *, overwrite: bool, keep: Sequence[Path]) -> None:
        self.target = target.absolute()
        self._part = self.target.with_name(f".{self.target.name}.merging")
        self._old = self.target.with_name(f".{self.target.name}.replaced")
        self._overwrite = overwrite
        self._keep = keep
        self._lock = -1

    def __enter__(self) -> Path:
        self._check_target()
        self.target.parent.mkdir(parents=True, exist_ok=True)
        self._lock = self._take()
        for leftover in self._part.iterdir():
            if leftover.name != _LOCK:
                _remove(leftover)
        return self._part

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self._publish()
        finally:
            if self._part.exists():
                _remove(self._part)
            os.close(self._lock)

    def _check_target(self) -> None:
        if not self.target.exists():
            return
        if not self.target.is_dir():
            raise DianjinError(f"{self.target} is a file; name a folder to make")
        if any(folder.resolve().is_relative_to(self.target.resolve()) for folder in self._keep):
            raise DianjinError(f"{self.target} holds the files to be merged; name another folder")
        if not any(self.target.iterdir()):
            return
        if not self._overwrite:
            raise DianjinError(
                f"{self.target} exists; name a new folder, or overwrite it (--overwrite)"
            )
        if not (self.target / "config.json").exists():
            raise DianjinError(
                f"{self.target} is not overwritten: it holds no config.json and so is no model"
            )

    def _take(self) -> int:
        """Make the folder to fill, and lock it."""
        self._part.mkdir(exist_ok=True)
        lock = os.open(self._part / _LOCK, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(lock)
            raise DianjinError(f"another process is writing {self.target}; wait for it") from error
        return lock

    def _publish(self) -> None:
        (self._part / _LOCK).unlink()
        sync_folder(self._part)
        self._check_target()  # it may have appeared meanwhile
        replace = self.target.exists() and any(self.target.iterdir())
        if replace:
            if self._old.exists():
                _remove(self._old)
            self.target.rename(self._old)
        self._part.rename(self.target)
        sync_folder(self.target.parent)
        if replace:
            _remove(self._old)


_LOCK = ".lock"


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def sync_folder(folder: Path) -> None:
    """Make the names in a folder outlast a power failure."""
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
