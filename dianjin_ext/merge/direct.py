"""Files read and written past the page cache, where the file system can.

A checkpoint is larger than what the cache should hold, and filling the cache costs more processor
time than the copying. Where O_DIRECT is refused, whether on opening or on the first transfer, the
same calls go through the cache.
"""

import ctypes
import errno
import fcntl
import mmap
import os
from pathlib import Path

ALIGN = 4096  # offsets, lengths and addresses of direct transfers are multiples of this

_libc = ctypes.CDLL(None, use_errno=True)
_libc.fallocate.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64)


def buffer(nbytes: int) -> memoryview:
    """Page-aligned memory, which takes up room only once it is written to."""
    return memoryview(mmap.mmap(-1, nbytes))


def aligned(nbytes: int) -> int:
    """Round up."""
    return -(-nbytes // ALIGN) * ALIGN


def open_direct(path: Path, flags: int) -> int:
    """Open a file, with O_DIRECT if that works.

    Args:
        path: The file.
        flags: As for `os.open`.
    """
    try:
        return os.open(path, flags | os.O_DIRECT, 0o666)
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
        return os.open(path, flags, 0o666)


def allocate(fd: int, nbytes: int) -> None:
    """Reserve room on the disk for the first `nbytes` of a file, where the file system can.

    Direct writes into reserved room are faster. Not `os.posix_fallocate`: where the file system
    can't, as NFS before 4.2, that writes to every page instead.

    Raises:
        OSError: The disk is full, or may not be written to.
    """
    if _libc.fallocate(fd, 0, 0, nbytes) == 0:
        return
    code = ctypes.get_errno()
    if code not in (errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL, errno.EINTR):
        raise OSError(code, os.strerror(code))


def is_direct(fd: int) -> bool:
    """Whether transfers go past the cache."""
    return bool(fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_DIRECT)


def is_cached(fd: int, nbytes: int) -> bool:
    """Whether a file seems to be in the cache, or cannot be asked; looks at 16 places."""
    byte = bytearray(1)
    for at in range(0, nbytes, max(nbytes // 16, 1)):
        try:
            os.preadv(fd, [byte], at, os.RWF_NOWAIT)
        except BlockingIOError:
            return False
        except OSError:
            return True
    return True


def read_at(fd: int, data: memoryview, offset: int) -> int:
    """Read as `os.preadv` does; returns how many bytes."""
    direct = is_direct(fd)
    try:
        return os.preadv(fd, [data], offset)
    except OSError as error:
        if not (direct and error.errno == errno.EINVAL):
            raise
    _give_up(fd)
    return os.preadv(fd, [data], offset)


def write_at(fd: int, data: memoryview, offset: int) -> None:
    """Write all of `data`."""
    while len(data):
        direct = is_direct(fd)
        try:
            written = os.pwrite(fd, data, offset)
        except OSError as error:
            if not (direct and error.errno == errno.EINVAL):
                raise
            _give_up(fd)
            continue
        data, offset = data[written:], offset + written


def _give_up(fd: int) -> None:
    """Go through the cache from now on."""
    fcntl.fcntl(fd, fcntl.F_SETFL, fcntl.fcntl(fd, fcntl.F_GETFL) & ~os.O_DIRECT)
