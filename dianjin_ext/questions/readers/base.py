"""What a reader is: the rows of a published file to questions, and a message for each bad row."""

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from dianjin_ext.jsonl import kind
from dianjin_ext.questions.question import Language, Question
from dianjin_ext.questions.rows import FileOptions, RawRow, load_rows

_SPLITS = {
    "train": "train", "training": "train", "dev": "val", "val": "val", "valid": "val",
    "validation": "val", "eval": "val", "test": "test", "testmini": "test",
}  # fmt: skip
_WORD = re.compile(r"[A-Za-z]+")


class BadFieldError(ValueError):
    """A row is no question: which field, and what was expected there."""

    def __init__(self, field: str, expected: str) -> None:
        super().__init__(f"{field}: {expected}")
        self.field, self.expected = field, expected


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that can't be used.

    Attributes:
        file: Name of the file.
        row: Its number there, from 0.
        where: The same for people: `row 3` of JSON, `line 4` of text, `row 5` of a sheet.
        field: What is wrong.
        expected: What was expected there.
        value: The row itself.
    """

    file: str
    row: int
    where: str
    field: str
    expected: str
    value: Any = None

    def __str__(self) -> str:
        return f"{self.file}, {self.where}, {self.field}: {self.expected}"


class Reader(NamedTuple):
    """How a published data set is read.

    Attributes:
        name: As in `dianjin prepare NAME`.
        about: What it holds, in a few words.
        url: Where it is published.
        files: Which of its files are read.
        licence: As its authors state it.
        language: Of its questions; None where `parse` tells it of each.
        parse: The questions of one row of a file (a row may hold several, or none). Raises
            `BadFieldError`. `id`, `licence`, `split`, `language`, `file` and `row` are filled in.
        hub: Name on Hugging Face's hub, where the rows there are those of the files.
    """

    name: str
    about: str
    url: str
    files: str
    licence: str
    language: Language | None
    parse: Callable[[Any, Path], Iterable[Question]]
    hub: str | None = None


def read(
    reader: Reader, files: Sequence[Path], options: FileOptions | None = None
) -> Iterator[Question | BadRow]:
    """Yield the questions and the bad rows of some files, in their order.

    Raises:
        DianjinError: A file as a whole can't be read.
    """
    seen: dict[str, int] = {}
    for path in files:
        for number, row in enumerate(load_rows(path, options or FileOptions())):
            yield from parse_row(reader, path, number, row, seen)


def parse_row(
    reader: Reader, path: Path, number: int, row: RawRow, seen: dict[str, int]
) -> Iterator[Question | BadRow]:
    """Yield the questions of one row, or why it is bad; `seen` counts the names given so far."""
    try:
        if row.problem:
            raise BadFieldError("row", row.problem)
        questions = list(reader.parse(row.value, path))
        for question in questions:
            if not question.question.strip():
                raise BadFieldError("question", "expected text, found nothing")
            if question.answer is not None and not question.answer.strip():
                raise BadFieldError("answer", "expected text, found nothing")
    except BadFieldError as error:
        yield BadRow(path.name, number, row.where, error.field, error.expected, row.value)
        return
    for nth, question in enumerate(questions):
        split = question.split or split_of(path)
        part = f".{nth}" if len(questions) > 1 else ""
        name = f"{reader.name}/{question.id or f'{path.stem}/{number}{part}'}"
        if not question.id and question.split:  # a folder's, which the file's name doesn't tell
            name = f"{reader.name}/{split}/{path.stem}/{number}{part}"
        seen[name] = seen.get(name, 0) + 1
        yield replace(
            question,
            id=name if seen[name] == 1 else f"{name}~{seen[name]}",
            licence=question.licence or reader.licence,
            language=reader.language or question.language,
            split=split,
            file=path.name,
            row=number,
        )


def split_of(path: Path) -> str:
    """Return the split that the name of a file says, such as `accounting_dev.csv`: `val`."""
    return split_named(path.stem)


@lru_cache(maxsize=256)  # one name for all rows of a file
def split_named(name: str) -> str:
    """Return `train`, `val` or `test` for a name with a word for it; empty for any other."""
    words = (_SPLITS.get(word.lower(), "") for word in _WORD.findall(name))
    return next(filter(None, words), "")


def mapping(row: Any) -> Mapping[str, Any]:
    """Return a row that is an object.

    Raises:
        BadFieldError: It is none.
    """
    if not isinstance(row, Mapping):
        raise BadFieldError("row", f"expected an object, found {kind(row)}")
    return row


def text(row: Mapping[str, Any], *fields: str, blank: bool = False) -> str:
    """Return the text of the first of `fields` that the row has, stripped.

    Raises:
        BadFieldError: It is missing, no text, or blank without `blank`.
    """
    field = next((name for name in fields if name in row), fields[0])
    value = row.get(field)
    if blank and value is None:
        return ""
    if not isinstance(value, str) or not (blank or value.strip()):
        missing = value is None or (isinstance(value, str) and not value.strip())
        found = "nothing" if missing else repr(value)[:60]
        raise BadFieldError(field, f"expected text, found {found}")
    return value.strip()


def number_text(value: Any, field: str) -> str:
    """Return a number of JSON as text, such as `-0.14`; a text stays as it is, stripped.

    Raises:
        BadFieldError: It is neither, blank, or not finite.
    """
    if isinstance(value, str) and value.strip():
        return value.strip()
    whole = isinstance(value, int) and not isinstance(value, bool)
    if whole or (isinstance(value, float) and math.isfinite(value)):
        whole = whole or value.is_integer()
        return format(Decimal(repr(value or 0)), ".0f" if whole else "f")
    raise BadFieldError(field, f"expected a number, found {value!r:.60}")


def string_list(value: Any, field: str) -> list[str]:
    """Return a list of texts.

    Raises:
        BadFieldError: It is none.
    """
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise BadFieldError(field, f"expected a list of texts, found {value!r:.60}")
    return value


def cells(value: Any, field: str) -> list[list[str]]:
    """Return a table: rows of cells, numbers as text.

    Raises:
        BadFieldError: It is no list of lists of texts and numbers.
    """
    if not isinstance(value, list) or not all(isinstance(row, list) for row in value):
        raise BadFieldError(field, f"expected rows of cells, found {value!r:.60}")
    found = []
    for row in value:
        if not all(isinstance(cell, str | int | float) for cell in row):
            raise BadFieldError(field, f"expected cells of text, found {row!r:.60}")
        found.append([str(cell) for cell in row])
    return found
