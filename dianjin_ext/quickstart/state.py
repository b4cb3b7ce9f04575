"""state.json: what a run is of, and what each finished stage took."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dianjin_ext.errors import DianjinError
from dianjin_ext.files import write_json


class State:
    """The state of a run, kept in a file.

    Args:
        path: Of the file, in the folder of the run.
        identity: What the run is of.
        resume: Whether a run that is there is gone on with.

    Attributes:
        finished: Stage to what it took.
        commands: Stage to its command.

    Raises:
        DianjinError: The folder holds another run, or something else.
    """

    def __init__(self, path: Path, identity: Mapping[str, Any], *, resume: bool) -> None:
        self.path = path
        self.finished: dict[str, dict[str, float]] = {}
        self.commands: dict[str, str] = {}
        folder = path.parent
        if folder.exists() and not folder.is_dir():
            raise DianjinError(f"{folder} is a file; name a directory with --out")
        if not folder.is_dir() or not any(folder.iterdir()):
            folder.mkdir(parents=True, exist_ok=True)
            self._content = {
                "run": dict(identity),
                "finished": self.finished,
                "commands": self.commands,
            }
            write_json(path, self._content)
            return
        if not path.is_file():
            raise DianjinError(f"{folder} is not empty and holds no quickstart run; choose another")
        if not resume:
            raise DianjinError(
                f"{folder} holds a quickstart run; pass --resume to go on with it, or choose "
                "another folder with --out"
            )
        self._content = _read(path)
        if self._content["run"] != identity:
            raise DianjinError(
                f"{folder} holds a run of {_told(self._content['run'])}, not of {_told(identity)}; "
                "resume it with the same options, or choose another folder with --out"
            )
        self.finished = self._content["finished"]
        self.commands = self._content["commands"]

    def finish(self, name: str, usage: dict[str, float], command: str) -> None:
        """Keep what a stage took, and its command."""
        self.finished[name] = usage
        self.commands[name] = command
        write_json(self.path, self._content)


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if all(isinstance(content[key], dict) for key in ("run", "finished", "commands")):
            return dict(content)
    except (ValueError, KeyError, TypeError):
        pass
    raise DianjinError(
        f"{path} is not what a quickstart writes; choose another folder with --out, or remove "
        "this one"
    )


def _told(identity: Mapping[str, Any]) -> str:
    return ", ".join(f"{key} {value}" for key, value in identity.items() if value not in (None, []))
