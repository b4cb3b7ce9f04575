"""Where a set's rows, its manifest and its card lie."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from dianjin_ext.data.steps.mix import CANDIDATES, QUESTIONS
from dianjin_ext.errors import DianjinError

MANIFEST = "manifest.json"


class Source(NamedTuple):
    """What a card is about.

    Attributes:
        name: Of the set.
        folder: Of the build; None where the rows come without a manifest.
        rows: Candidates or questions, as parquet.
        questions: All questions of a training set with the use as split; None where it has none.
        manifest: How the set was made; empty where nothing says so.
        card: Where the card goes, in Markdown.
    """

    name: str
    folder: Path | None
    rows: Path
    questions: Path | None
    manifest: Mapping[str, Any]
    card: Path

    @property
    def steps(self) -> list[dict[str, Any]]:
        """The steps of the manifest."""
        return list(self.manifest.get("steps", ()))

    def output(self, step: Mapping[str, Any]) -> Path | None:
        """Return the file of rows that a step wrote; None where there is none."""
        if self.folder is None or not step.get("out"):
            return None
        path = self.folder / str(step["out"])
        return path if path.is_file() else None

    def short(self, path: str) -> str:
        """Return the name of a file for people elsewhere: no more of its path than a folder."""
        outputs = {str(step.get("name")): str(step.get("out", "")) for step in self.steps}
        place = Path(outputs.get(path, path))
        if self.folder is not None and place.is_relative_to(self.folder):
            place = place.relative_to(self.folder)
        return without_home(place.as_posix())

    def removed(self, step: Mapping[str, Any]) -> Path | None:
        """Return the file that names what a step removed; None where there is none."""
        output = self.output(step)
        path = output and output.with_suffix(".removed.jsonl")
        return path if path and path.is_file() else None


def without_home(name: str) -> str:
    """Return a path, or a model's name that is one, with no more of it than a folder."""
    return Path(*Path(name).parts[-2:]).as_posix() if name.startswith("/") else name


def find(target: Path) -> Source:
    """Return what a folder or a file holds.

    Args:
        target: A folder that `dianjin build`, a mix or `dianjin prepare` wrote, or a parquet file
            of questions or candidates.

    Raises:
        DianjinError: It is none of these.
    """
    inside = (target if target.is_dir() else target.parent).resolve()
    above = inside.parent
    if any(step.get("out") == inside.name for step in _manifest(above).get("steps", ())):
        return find(above)  # a card in this folder would make the build run its step again
    if target.is_file():
        return Source(target.stem, None, target, None, {}, target.with_suffix(".card.md"))
    if not target.is_dir():
        raise DianjinError(f"{target} is not there; name a set's folder, or its parquet file")
    manifest = _manifest(target)
    outputs = [target / str(step.get("out", "")) for step in manifest.get("steps", ())]
    mixed = [path for path in outputs if (path / CANDIDATES).is_file()]
    name = str(manifest.get("name") or target.resolve().name)
    card = target / "card.md"
    folder = target if manifest else None
    for place in (*reversed(mixed), target):
        if (place / CANDIDATES).is_file():
            questions = place / QUESTIONS
            own = questions if questions.is_file() else None
            return Source(name, folder, place / CANDIDATES, own, manifest, card)
    rows = next((path for path in (*reversed(outputs), target / QUESTIONS) if path.is_file()), None)
    if rows is None:
        raise DianjinError(
            f"{target} holds no {CANDIDATES} or {QUESTIONS}; expected a folder that "
            "`dianjin build` or `dianjin prepare` wrote"
        )
    return Source(name, folder, rows, None, manifest, card)


def _manifest(folder: Path) -> dict[str, Any]:
    path = folder / MANIFEST
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
