"""Where the bytes of a file go: to disk, or into a comparison with what is on disk."""

import hashlib
import mmap
import os
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self

from dianjin_ext.errors import DianjinError

BUFFER = 8 << 20  # bytes


class Sink:
    """Takes a file from front to back: one buffer is filled while the other is being handled.

    Args:
        path: The file.
        flags: How to open it, as for `os.open`.
    """

    def __init__(self, path: Path, flags: int) -> None:
        self.path = path
        self._fd = os.open(path, flags, 0o666)
        self._buffers = [memoryview(mmap.mmap(-1, BUFFER)) for _ in range(2)]
        self._pending: list[Future[None] | None] = [None, None]
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="merge-sink")
        self._current = self._filled = self._offset = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self._flush()
                for handled in self._pending:
                    if handled is not None:
                        handled.result()
                self._end()
        finally:
            self._thread.shutdown()
            os.close(self._fd)

    @property
    def nbytes(self) -> int:
        """Bytes so far."""
        return self._offset + self._filled

    def space(self, nbytes: int) -> memoryview:
        """The next bytes to fill: at least one, at most `nbytes`."""
        return self._buffers[self._current][self._filled : self._filled + nbytes]

    def commit(self, nbytes: int) -> None:
        """Say that the first `nbytes` of `space` are filled."""
        self._filled += nbytes
        if self._filled == BUFFER:
            self._flush()

    def write(self, data: memoryview) -> None:
        """Append bytes."""
        while len(data):
            space = self.space(len(data))
            space[:] = data[: len(space)]
            data = data[len(space) :]
            self.commit(len(space))

    def _flush(self) -> None:
        data = self._buffers[self._current][: self._filled]
        self._pending[self._current] = self._thread.submit(self._handle, data, self._offset)
        self._offset += self._filled
        self._current, self._filled = 1 - self._current, 0
        previous = self._pending[self._current]
        if previous is not None:
            previous.result()

    def _handle(self, data: memoryview, offset: int) -> None:
        """Take the bytes that belong at `offset`; runs in the sink's thread."""
        raise NotImplementedError

    def _end(self) -> None:
        """All bytes were handled."""
        raise NotImplementedError


class FileWriter(Sink):
    """Writes the bytes, and fsyncs the file at the end."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)

    def _handle(self, data: memoryview, offset: int) -> None:
        while len(data):
            written = os.pwrite(self._fd, data, offset)
            data, offset = data[written:], offset + written

    def _end(self) -> None:
        os.fsync(self._fd)


class FileComparer(Sink):
    """Compares the bytes with those of a file, and sums the file up.

    Raises:
        DianjinError: The file holds other bytes.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path, os.O_RDONLY)
        # Read what is on the disk, not what is still cached from writing it.
        os.posix_fadvise(self._fd, 0, 0, os.POSIX_FADV_DONTNEED)
        self._found = bytearray(BUFFER)
        self._sum = hashlib.sha256()

    @property
    def sha256(self) -> str:
        """The SHA-256 of the file in hexadecimal, once everything was compared."""
        return self._sum.hexdigest()

    def _handle(self, data: memoryview, offset: int) -> None:
        if len(self._found) != len(data):
            self._found = bytearray(len(data))
        done = 0
        while done < len(data):
            got = os.preadv(self._fd, [memoryview(self._found)[done:]], offset + done)
            if got == 0:
                raise DianjinError(f"{self.path} ends at byte {offset + done}, too early")
            done += got
        if self._found != data:
            raise DianjinError(
                f"{self.path} does not hold what was written, between byte {offset} and byte "
                f"{offset + len(data)}; the disk is not to be trusted"
            )
        self._sum.update(data)

    def _end(self) -> None:
        size = os.fstat(self._fd).st_size
        if size != self.nbytes:
            raise DianjinError(f"{self.path} has {size} bytes instead of {self.nbytes}")
