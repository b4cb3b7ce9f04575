"""Where the bytes of a weight file go: to disk, or into a comparison with what is on disk."""

import contextlib
import os
from pathlib import Path

from dianjin_ext.errors import DianjinError
from dianjin_ext.merge.closing import Closing
from dianjin_ext.merge.direct import aligned, allocate, buffer, open_direct, read_at, write_at

BUFFER = 2 << 20  # bytes of a file that are handled at a time; a multiple of direct.ALIGN


class Block:
    """Memory for one part of a file while it is handled; used again for a later part.

    Attributes:
        data: The bytes, from the first on.
        stage: What they are converted from.
        columns: Columns that are to be interleaved.
        found: What a file holds in their place.
    """

    def __init__(self) -> None:
        self.data, self.stage, self.columns, self.found = (buffer(BUFFER) for _ in range(4))


class Sink(Closing):
    """Takes the parts of a file in any order, from any thread.

    Args:
        path: The file.
        flags: How to open it, as for `os.open`.
        nbytes: How large it is when all was taken.
    """

    def __init__(self, path: Path, flags: int, nbytes: int) -> None:
        self.path = path
        self._nbytes = nbytes
        self._fd = open_direct(path, flags)

    def close(self, *, failed: bool) -> None:
        """Close the file, at the end of which everything was taken unless it failed."""
        try:
            if not failed:
                self.end()
        finally:
            os.close(self._fd)

    def take(self, block: Block, nbytes: int, offset: int) -> None:
        """Handle the first `nbytes` of a block, which belong at `offset` of the file."""
        raise NotImplementedError

    def follow(self, block: Block, nbytes: int) -> None:
        """See a block once more after it was taken: the blocks come one at a time, in order."""

    def end(self) -> None:
        """Everything was taken."""
        raise NotImplementedError


class FileWriter(Sink):
    """Writes the bytes, and fsyncs the file at the end."""

    def __init__(self, path: Path, nbytes: int) -> None:
        super().__init__(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, nbytes)
        try:
            allocate(self._fd, nbytes)
        except OSError:
            os.close(self._fd)
            raise

    def take(self, block: Block, nbytes: int, offset: int) -> None:
        """Write; the last block is padded, and what is too much is cut off at the end."""
        write_at(self._fd, block.data[: min(aligned(nbytes), BUFFER)], offset)

    def end(self) -> None:
        """Make the file outlast a power failure."""
        os.ftruncate(self._fd, self._nbytes)
        os.fsync(self._fd)


class FileComparer(Sink):
    """Compares the bytes with those of a file.

    Raises:
        DianjinError: The file holds other bytes.
    """

    def __init__(self, path: Path, nbytes: int) -> None:
        super().__init__(path, os.O_RDONLY, nbytes)
        # Read what is on the disk, not what is still cached from writing it.
        with contextlib.suppress(OSError):
            os.posix_fadvise(self._fd, 0, 0, os.POSIX_FADV_DONTNEED)

    def take(self, block: Block, nbytes: int, offset: int) -> None:
        """Compare."""
        done, end = 0, min(aligned(nbytes), BUFFER)
        while done < nbytes:
            got = read_at(self._fd, block.found[done:end], offset + done)
            if got == 0:
                raise DianjinError(f"{self.path} ends at byte {offset + done}, too early")
            done += got
        if block.found[:nbytes] != block.data[:nbytes]:
            raise DianjinError(
                f"{self.path} does not hold what was written, between byte {offset} and byte "
                f"{offset + nbytes}; the disk is not to be trusted"
            )

    def end(self) -> None:
        """Compare the sizes."""
        size = os.fstat(self._fd).st_size
        if size != self._nbytes:
            raise DianjinError(f"{self.path} has {size} bytes instead of {self._nbytes}")
