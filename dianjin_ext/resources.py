"""The recipes and example scripts that travel inside the package.

`configs/` and `examples/` lie at the top of the repository, where readers look for them; symbolic
links make them part of the package, so that they have one path in a checkout, an editable install
and a wheel.
"""

import os
import shutil
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml

from dianjin_ext.errors import DianjinError
from dianjin_ext.outputs import written_whole

FOLDERS = ("configs", "examples")


def folder(name: str) -> Path:
    """Return the directory of the recipes (`configs`) or of the scripts (`examples`).

    Raises:
        DianjinError: The installation lacks it, or it is empty.
    """
    path = Path(__file__).with_name(name)
    if not path.is_dir() or not any(path.iterdir()):
        raise DianjinError(
            f"{path} is missing or empty; the installation is incomplete "
            "(a checkout needs symbolic links): reinstall dianjin-ext"
        )
    return path.resolve()


@cache  # it is asked for with each row of SFT
def chat_template(name: str) -> str:
    """Return the Jinja text of a file of `configs/template`."""
    text = (folder("configs") / "template" / f"{name}.yaml").read_text(encoding="utf-8")
    found: str = yaml.safe_load(text)["actor_rollout_ref"]["model"]["custom_chat_template"]
    return found


def copy_out(destination: Path) -> list[Path]:
    """Copy both folders into `destination` and return the copied files, sorted.

    Nothing is overwritten: either both folders are copied or neither.

    Raises:
        DianjinError: `destination` holds one of the folders already, is not a directory, or can't
            be written.
    """
    if destination.exists() and not destination.is_dir():
        raise DianjinError(f"{destination} is a file; name a directory")
    for name in FOLDERS:
        if (destination / name).exists():
            raise DianjinError(
                f"{destination / name} exists already; remove it or name another directory"
            )
    parent = destination.absolute().parent
    if not parent.is_dir():
        what = f"{parent} is no folder" if parent.exists() else f"there is no folder {parent}"
        raise DianjinError(f"{destination} can't be made: {what}; choose another place")
    made = not destination.exists()
    with written_whole(destination):
        destination.mkdir(exist_ok=True)
        try:
            _copy(destination)
        except BaseException:
            if made:
                destination.rmdir()
            raise
    return sorted(p for name in FOLDERS for p in (destination / name).rglob("*") if p.is_file())


def _copy(destination: Path) -> None:
    with TemporaryDirectory(dir=destination, prefix=".init-") as temporary:
        for name in FOLDERS:
            copy = Path(temporary, name)
            shutil.copytree(folder(name), copy, ignore=shutil.ignore_patterns("__pycache__", ".*"))
            for script in copy.rglob("*.sh"):
                script.chmod(script.stat().st_mode | 0o111)  # building a wheel drops this bit
        for name in FOLDERS:
            os.rename(Path(temporary, name), destination / name)
