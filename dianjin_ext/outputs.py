"""One rule for every file that a command writes: it destroys nothing that it was not told to."""

import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from dianjin_ext.errors import DianjinError


def check_output(path: Path, *, inputs: Iterable[Path] = (), overwrite: bool = False) -> None:
    """Refuse a file that must not be written, before anything is read or done.

    Args:
        path: The file to write.
        inputs: What the command reads; links are followed.
        overwrite: Whether a file that is there already may be replaced.

    Raises:
        DianjinError: The path is an input, a folder, no ordinary file, in a folder that is not
            there or can't be written to, too long, or there already without `overwrite`.
    """
    try:
        for file in inputs:
            if path.exists() and file.exists() and path.samefile(file):
                same = "" if path.absolute() == file.absolute() else f", by another name ({file})"
                raise DianjinError(f"{path} is the input{same}; choose another name for the output")
        if path.is_dir():
            raise DianjinError(f"{path} is a folder; expected the name of a file in it")
        parent = path.parent
        if not parent.is_dir():
            if parent.exists():
                raise DianjinError(f"{path} can't be written: {parent} is a file, not a folder")
            raise DianjinError(
                f"{path} can't be written: there is no folder {parent}; make it first"
            )
        if path.is_symlink() and not path.exists():
            raise DianjinError(f"{path} is a link to nothing; remove it, or choose another name")
        if path.exists() and not path.is_file():
            raise DianjinError(f"{path} is no ordinary file; choose another name")
        if path.exists() and not overwrite:
            raise DianjinError(f"{path} is there already; choose another name, or pass --overwrite")
        if not os.access(parent, os.W_OK):
            raise DianjinError(f"{path} can't be written: no permission to write in {parent}")
    except OSError as error:
        why = error.strerror or str(error)
        raise DianjinError(f"{path} can't be written ({why}); choose another name") from error


@contextmanager
def written_whole(path: Path) -> Iterator[None]:
    """Turn what the system says while `path` is written, such as a full disk, into one line."""
    try:
        yield
    except OSError as error:
        if isinstance(error, shutil.Error):  # many files, each with its reason
            why = str(error.args[0][0][-1]).partition(": ")[0]
        else:
            why = error.strerror or str(error)
        raise DianjinError(
            f"{path} can't be written ({why}); nothing is left of it: make room, or choose another "
            "place"
        ) from error
