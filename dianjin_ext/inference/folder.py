"""Where the counts that processes share are kept."""

import os
import stat
import tempfile
from pathlib import Path

from dianjin_ext.errors import DianjinError

__all__ = ["private_folder"]


def private_folder(cache_dir: str | None, setting: str) -> Path:
    """Return the folder, made where it is missing; None is one of the user's in the temporary one.

    Judges and askers share the one in the temporary folder, and so the limits of an endpoint.

    Args:
        cache_dir: As the user gave it.
        setting: What it is called where the user wrote it, for messages.

    Raises:
        DianjinError: It can't be made or written, or may be written by others, who could then
            decide what is right.
    """
    folder = Path(cache_dir) if cache_dir else _in_temporary()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = folder.stat()
    except OSError as error:
        raise DianjinError(f"{setting}: {folder} can't be made: {error.strerror}") from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise DianjinError(f"{setting}: {folder} can't be written")
    if not cache_dir and (status.st_uid != os.getuid() or stat.S_IMODE(status.st_mode) & 0o022):
        raise DianjinError(
            f"{folder} may be written by others; remove it, or name another {setting}"
        )
    return folder


def _in_temporary() -> Path:
    return Path(tempfile.gettempdir(), f"dianjin-judge-{os.getuid()}")
