"""Labels: what is known of the truth of a part of the responses."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from dianjin_ext.errors import DianjinError
from dianjin_ext.jsonl import BadRowError, Lines, kind, parse, take


class Name(NamedTuple):
    """Which response a label is of.

    Attributes:
        id: Of the question.
        sample: Which of the responses to it.
        model: Who wrote it; None for the only one of that number.
    """

    id: str
    sample: int = 0
    model: str | None = None


class Label(NamedTuple):
    """The truth about one response.

    Attributes:
        right: Whether its answer is right.
        sound: Whether its reasoning is; None where nobody looked.
    """

    right: bool
    sound: bool | None = None

    def good(self, *, reasoned: bool) -> bool | None:
        """Return whether it should be kept, by its reasoning too; None where that is not known."""
        if not self.right or not reasoned:
            return self.right
        return self.sound


Labels = Mapping[Name, Label]


def read_labels(path: Path) -> dict[Name, Label]:
    """Return the labels of a file of JSON lines.

    Each line has `id`, `right`, and where known `sound`; `sample` is 0 where it is missing, and
    `model` is for sets in which several wrote a response of that number.

    Raises:
        DianjinError: The file can't be read, a line is no label, or two disagree.
    """
    found: dict[Name, Label] = {}
    for number, line in enumerate(Lines(path), 1):
        if not line.strip():
            continue
        try:
            name, label = _label(parse(line))
        except BadRowError as error:
            raise DianjinError(f"{path}, line {number}, {error}") from None
        if found.setdefault(name, label) != label:
            raise DianjinError(
                f"{path}, line {number}: {name.id!r}, sample {name.sample} has another label "
                "above; keep one"
            )
    return found


def _label(row: dict[str, Any]) -> tuple[Name, Label]:
    sample = row.get("sample", 0)
    if isinstance(sample, bool) or not isinstance(sample, int):
        raise BadRowError("sample", f"expected a whole number, found {kind(sample)}")
    sound = row.get("sound")
    if sound is not None and not isinstance(sound, bool):
        raise BadRowError("sound", f"expected true, false or null, found {kind(sound)}")
    model = row.get("model")
    if model is not None and not isinstance(model, str):
        raise BadRowError("model", f"expected the name of a model, found {kind(model)}")
    name = take(row, "id", str, "the id of a question")
    return Name(name, sample, model), Label(take(row, "right", bool, "true or false"), sound)
