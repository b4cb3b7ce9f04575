"""What every reader returns: questions, and a message for each row that is not one."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dianjin_ext.errors import DianjinError


@dataclass(frozen=True, slots=True, kw_only=True)
class MultipleChoice:
    """A multiple-choice question.

    Attributes:
        index: Number of the row in its file, counted from 0.
        question: The question without its options.
        choices: Option letter to option text.
        answer: Letters of all right options in alphabetical order, for example `AC`.
        kind: `single`, `multiple` or `true_false`.
        reasoning: The data set's own explanation; None where it has none.
    """

    index: int
    question: str
    choices: Mapping[str, str]
    answer: str
    kind: str
    reasoning: str | None


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be used: where it is and what was expected there."""

    index: int
    field: str
    expected: str

    def __str__(self) -> str:
        return f"row {self.index}, {self.field}: {self.expected}"


def load_json_rows(path: Path) -> list[Any]:
    """Read a JSON file that holds one list.

    Raises:
        DianjinError: The file cannot be read, is not UTF-8 JSON, or is not a non-empty list.
    """
    try:
        rows = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise DianjinError(f"{path}: cannot be read ({error.strerror}); check the path") from error
    except UnicodeDecodeError as error:
        raise DianjinError(f"{path}: not UTF-8 at byte {error.start}; convert it") from error
    except (json.JSONDecodeError, RecursionError) as error:
        raise DianjinError(f"{path}: not valid JSON ({error}); download it again") from error
    if not isinstance(rows, list) or not rows:
        found = "an empty list" if rows == [] else type(rows).__name__
        raise DianjinError(f"{path}: expected a list of rows, found {found}")
    return rows
