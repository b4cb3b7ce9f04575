"""Replies on disk from the moment they come: one JSON line each, only ever appended to."""

import fcntl
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, Self

from dianjin_ext.errors import DianjinError

__all__ = ["Journal", "SharedJournal", "read_journal"]

_CHUNK: Final = 1 << 14


class Taken(DianjinError):
    """Another process writes to a journal."""


class Recorded:
    """What a journal holds, for reading; a torn last line is left out.

    A reply takes about 150 bytes of memory.

    Args:
        path: The file.

    Raises:
        DianjinError: It can't be opened, or a line is no record.
    """

    _flags = os.O_RDONLY

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._file = os.open(path, self._flags, 0o644)
        except OSError as error:
            what = "read" if self._flags == os.O_RDONLY else "written"
            raise DianjinError(f"{path}: can't be {what}: {error.strerror}") from error
        self._end = 0
        self._offsets: dict[int, int] = {}
        try:
            self._begin()
        except BaseException:
            os.close(self._file)
            raise

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)

    def __len__(self) -> int:
        return len(self._offsets)

    def __contains__(self, key: str) -> bool:
        return int(key, 16) in self._offsets

    def get(self, key: str) -> dict[str, Any] | None:
        """Return the record of a key, if it is there."""
        offset = self._offsets.get(int(key, 16))
        if offset is None:
            return None
        line = b""
        while not line.endswith(b"\n"):
            chunk = os.pread(self._file, _CHUNK, offset + len(line))
            if not chunk:
                raise DianjinError(f"{self.path}: it was shortened meanwhile; start again")
            head, newline, _ = chunk.partition(b"\n")
            line += head + newline
        record: dict[str, Any] = json.loads(line)
        return record

    def _begin(self) -> None:
        with os.fdopen(os.dup(self._file), "rb") as file:
            file.seek(0)
            for number, line in enumerate(file, 1):
                if not line.endswith(b"\n"):
                    break
                try:
                    key = int(json.loads(line)["key"], 16)
                except (ValueError, KeyError, TypeError):
                    raise DianjinError(
                        f"{self.path}: line {number} is no record of a reply; name another file, "
                        f"or remove the line (sed -i {number}d FILE)"
                    ) from None
                self._offsets.setdefault(key, self._end)
                self._end += len(line)


class Journal(Recorded):
    """The replies of one run; one process at a time writes to it.

    A process that is killed leaves at most a torn last line, which is cut off when the journal is
    next opened.

    Args:
        path: The file; made where it is missing.

    Raises:
        DianjinError: It can't be opened, another process has it, or a line is no record.
    """

    _flags = os.O_RDWR | os.O_APPEND | os.O_CREAT

    def __init__(self, path: Path) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DianjinError(f"{path}: can't be written: {error.strerror}") from error
        super().__init__(path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def put(self, key: str, line: str) -> None:
        """Append a record.

        Args:
            key: Says what was asked.
            line: A JSON object in one line, with the same `key`.

        Raises:
            DianjinError: The disk is full.
        """
        data = line.encode() + b"\n"
        offset = self._end
        try:
            written = os.write(self._file, data)
        except OSError as error:
            raise DianjinError(f"{self.path}: can't be written: {error.strerror}") from error
        if written < len(data):
            os.ftruncate(self._file, offset)
            raise DianjinError(f"{self.path}: can't be written; is the disk full?")
        self._end += written
        self._offsets.setdefault(int(key, 16), offset)

    def _begin(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Taken(
                f"{self.path}: another process writes to it; wait for its end, or name another"
            ) from None
        super()._begin()
        if self._end < os.fstat(self._file).st_size:
            os.ftruncate(self._file, self._end)  # a torn last line


class SharedJournal:
    """A folder of journals: each process has one of its own, and knows what the others recorded.

    What others write after this one opened is not seen: give no two processes the same questions.

    Args:
        folder: On a disk that all processes share; made where it is missing.
        name: What the journals of a model are called, such as `teacher`.

    Raises:
        DianjinError: It can't be used, or a line is no record.
    """

    def __init__(self, folder: Path, name: str) -> None:
        number = 0
        while True:
            try:
                self._own = Journal(folder / f"{name}-{number}.jsonl")
                break
            except Taken:
                number += 1
        self._others = [
            Recorded(path)
            for path in sorted(folder.glob(f"{name}-*.jsonl"))
            if path != self._own.path
        ]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._own.__exit__()
        for other in self._others:
            other.close()

    def __len__(self) -> int:
        return len(self._own) + sum(map(len, self._others))

    def __contains__(self, key: str) -> bool:
        return key in self._own or any(key in other for other in self._others)

    def get(self, key: str) -> dict[str, Any] | None:
        """Return the record of a key, if it is there."""
        for journal in (self._own, *self._others):
            if (record := journal.get(key)) is not None:
                return record
        return None

    def put(self, key: str, line: str) -> None:
        """Append a record to this process's own journal; see `Journal.put`."""
        self._own.put(key, line)


def read_journal(path: Path) -> Iterator[dict[str, Any]]:
    """Yield what is recorded so far, also while it is written to; a torn last line is left out.

    Raises:
        DianjinError: The file can't be read.
    """
    try:
        with path.open("rb") as file:
            for line in file:
                if line.endswith(b"\n"):
                    yield json.loads(line)
    except (OSError, ValueError) as error:
        raise DianjinError(f"{path}: can't be read as a journal ({error})") from error
