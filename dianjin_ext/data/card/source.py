"""Where a set's rows, its manifest and its card lie."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from dianjin_ext.errors import DianjinError

MANIFEST = "manifest.json"
_ROWS = ("set/candidates.parquet", "set/questions.parquet", "candidates.parquet")
_QUESTIONS = "questions.parquet"


class Source(NamedTuple):
    """What a card is about.

    Attributes:
        name: Of the set.
        folder: That of a whole set; None where the card is about one file.
        rows: Questions or candidates, as parquet.
        manifest: How the set was made; empty where nothing says so.
        card: Where the card goes, in Markdown.
    """

    name: str
    folder: Path | None
    rows: Path
    manifest: Mapping[str, Any]
    card: Path

    @property
    def steps(self) -> list[dict[str, Any]]:
        """The steps of the manifest."""
        return list(self.manifest.get("steps", ()))

    def removed(self, step: Mapping[str, Any]) -> Path | None:
        """Return the file that names what a step removed; None where there is none."""
        if self.folder is None:
            return None
        path = (self.folder / str(step.get("out", ""))).with_suffix(".removed.jsonl")
        return path if path.is_file() else None


def find(target: Path) -> Source:
    """Return what a folder or a file holds.

    Args:
        target: A folder that `dianjin build` or `dianjin prepare` wrote, or a parquet file of
            questions or candidates.

    Raises:
        DianjinError: It is neither.
    """
    if target.is_file():
        return Source(target.stem, None, target, {}, target.with_suffix(".card.md"))
    if not target.is_dir():
        raise DianjinError(f"{target} is not there; name a set's folder, or its parquet file")
    manifest = _manifest(target / MANIFEST)
    last = [str(step.get("out", "")) for step in manifest.get("steps", ())][-1:]
    places = [*_ROWS, *(name for name in last if name.endswith(".parquet")), _QUESTIONS]
    rows = next((target / place for place in places if (target / place).is_file()), None)
    if rows is None:
        raise DianjinError(
            f"{target} holds no {' or '.join(places)}; expected a folder that `dianjin build` or "
            "`dianjin prepare` wrote"
        )
    name = str(manifest.get("name") or target.resolve().name)
    return Source(name, target, rows, manifest, target / "card.md")


def _manifest(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise DianjinError(f"{path}: can't be read as a manifest ({error})") from error
    steps = found.get("steps", []) if isinstance(found, dict) else None
    if not isinstance(steps, list) or not all(isinstance(step, dict) for step in steps):
        raise DianjinError(f"{path}: expected an object with a list of steps; build the set anew")
    return dict(found)
