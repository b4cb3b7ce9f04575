"""An output folder that appears complete, or not at all."""

import fcntl
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from dianjin_ext.errors import DianjinError
from dianjin_ext.merge.closing import Closing

_STATE = ".fingerprint"


class OutputFolder(Closing):
    """A folder that is filled beside its target and renamed to it at the end.

    It is filled as `.NAME.merging`, under a lock that ends with the process. On an error it is
    removed, and what a killed run left there is cleared away by the next one, unless resuming:
    then finished weight files stay, and are found again by a run with the same fingerprint.

    Args:
        target: The folder to make.
        overwrite: Replace the model that is there.
        protected: Folders that the target must not replace.
        fingerprint: Identifies what is being written.
        resume: Keep finished weight files.

    Raises:
        DianjinError: The target exists, is not a merged model, or another process is filling it.
    """

    def __init__(
        self,
        target: Path,
        *,
        overwrite: bool,
        protected: Sequence[Path],
        fingerprint: str,
        resume: bool,
    ) -> None:
        self.target = target.resolve()
        self._part = self.target.with_name(f".{self.target.name}.merging")
        self._old = self.target.with_name(f".{self.target.name}.replaced")
        self._overwrite = overwrite
        self._protected = protected
        self._fingerprint = fingerprint
        self._resume = resume
        self._lock = -1

    def __enter__(self) -> Path:  # type: ignore[override]
        self._check_target()
        self.target.parent.mkdir(parents=True, exist_ok=True)
        self._lock = self._take()
        try:
            if self._old.exists() and not self.target.exists():  # killed between two renames
                self._old.rename(self.target)
            self._check_target()
            state = self._part / _STATE
            same = self._resume and state.exists() and state.read_text() == self._fingerprint
            for leftover in self._part.iterdir():
                if not (same and leftover.suffix == ".safetensors"):
                    _remove(leftover)
            state.write_text(self._fingerprint)
        except BaseException:
            self._abandon()
            raise
        return self._part

    def close(self, *, failed: bool) -> None:
        """Publish the folder, or clear it away."""
        if failed:
            self._abandon()
            return
        try:
            self._publish()
        except BaseException:
            self._abandon()
            raise
        try:
            sync(self.target.parent)
            if self._old.exists():
                _remove(self._old)
        finally:
            os.close(self._lock)

    def _check_target(self) -> None:
        if not self.target.exists():
            return
        if not self.target.is_dir():
            raise DianjinError(f"{self.target} is a file; name a folder to make")
        if any(
            folder.resolve().is_relative_to(self.target.resolve()) for folder in self._protected
        ):
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
        while True:
            self._part.mkdir(exist_ok=True)
            lock = os.open(self._part, os.O_RDONLY)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                os.close(lock)
                raise DianjinError(
                    f"another process is writing {self.target}; wait for it"
                ) from error
            except OSError:
                return lock  # a file system without locks
            try:
                if self._part.stat().st_ino == os.fstat(lock).st_ino:
                    return lock
            except FileNotFoundError:
                pass
            os.close(lock)  # the other process has just renamed or removed it: begin anew

    def _publish(self) -> None:
        (self._part / _STATE).unlink()
        sync(self._part)
        self._check_target()  # it may have appeared meanwhile
        if self.target.exists() and any(self.target.iterdir()):
            if self._old.exists():
                _remove(self._old)
            self.target.rename(self._old)
        self._part.rename(self.target)

    def _abandon(self) -> None:
        try:
            if not self._resume:
                _remove(self._part)
        finally:
            os.close(self._lock)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def sync(path: Path) -> None:
    """Make a file, or the names in a folder, outlast a power failure."""
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
