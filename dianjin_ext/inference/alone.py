"""One process at a time works in a folder."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dianjin_ext.errors import DianjinError


@contextmanager
def alone(folder: Path, what: str) -> Iterator[None]:
    """Hold a folder, which is made where it is missing, for as long as the context lasts.

    Args:
        folder: On a disk that knows locks.
        what: Of whom there is one at a time, for messages, such as `build`.

    Raises:
        DianjinError: Another process holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DianjinError(f"{folder}: another {what} writes to it; wait for its end") from None
        yield
    finally:
        os.close(lock)
