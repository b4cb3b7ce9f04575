"""A file of one's own as a data set, by its mapping."""

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from dianjin_ext.answers.labels import LABEL_SETS
from dianjin_ext.answers.numbers import read_number
from dianjin_ext.answers.options import EXPECTED, read_options
from dianjin_ext.errors import DianjinError
from dianjin_ext.questions.language import language_of
from dianjin_ext.questions.letters import LETTERS, gold_letters
from dianjin_ext.questions.mapping import DATA_SOURCES, OwnMapping
from dianjin_ext.questions.question import Question
from dianjin_ext.questions.readers.base import (
    BadFieldError,
    BadRow,
    Reader,
    mapping,
    number_text,
    read,
    split_named,
)
from dianjin_ext.questions.rows import load_rows

_YES_NO = {"yes", "no", "是", "否"}
_KNOWN_WORDS = {
    word for labels in LABEL_SETS.values() for words in labels.values() for word in words
}


def read_own(files: Sequence[Path], given: OwnMapping) -> Iterator[Question | BadRow]:
    """Yield the questions and the bad rows of some files.

    Raises:
        DianjinError: A file can't be read, or its first row lacks a column that the mapping names.
    """
    for path in files:
        _check_columns(path, given)
    reader = Reader(
        name="own",
        about="a file of one's own, by a mapping",
        url="",
        files="CSV, XLSX, JSON, JSON lines or parquet",
        licence=given.licence,
        language=None,
        parse=partial(parse, given=given),
    )
    yield from read(reader, files, given.file_options)


def parse(row: Any, file: Path, *, given: OwnMapping) -> Iterator[Question]:
    """Yield the question of a row."""
    row = mapping(row)
    asked = _required(row, given.question)
    choices = _choices(row, given)
    parts = [_text(row, column) for column in given.context]
    yield Question(
        id=_text(row, given.id),
        data_source=given.data_source or DATA_SOURCES[given.kind],
        question=asked,
        kind=given.kind,
        answer=None if given.answer is None else _gold(row, given, choices),
        context="\n\n".join(filter(None, parts)),
        choices=choices,
        multiple=given.multiple,
        labels=given.labels,
        scale=_scale(row, given),
        language=given.language or language_of(asked),
        category=_text(row, given.category),
        split=_split(row, given),
        reasoning=_text(row, given.reasoning) or None,
    )


def _check_columns(path: Path, given: OwnMapping) -> None:
    first = next(iter(load_rows(path, given.file_options))).value
    if not isinstance(first, Mapping):
        return  # told as a bad row
    for key, column in given.columns.items():
        if column not in first:
            raise DianjinError(
                f"{path} has no column {column!r}, which the mapping names as {key}; it has "
                f"{', '.join(map(str, first))}"
            )


def _gold(row: Mapping[str, Any], given: OwnMapping, choices: Mapping[str, str]) -> str:
    column = given.answer or ""
    answer = _required(row, column)
    answer = given.answers.get(answer, answer)
    if given.kind == "choice":
        letters = gold_letters(answer, choices)
        if letters is None:
            raise BadFieldError(
                column, f"expected letters of {''.join(choices)} or an option, found {answer!r:.60}"
            )
        if given.multiple is False and len(letters) > 1:
            raise BadFieldError(column, f"expected one letter, found {answer!r:.60}")
        return letters
    if given.kind == "label":
        known = given.labels or tuple(sorted(_KNOWN_WORDS))
        if answer not in known and answer.lower() not in known:
            expected = (
                f"expected one of {', '.join(given.labels)}"
                if given.labels
                else "expected a word for yes or no, compliance or sentiment; name others as labels"
            )
            raise BadFieldError(column, f"{expected}, found {answer!r:.60}")
    if given.kind == "number" and answer.lower() not in _YES_NO:
        number = read_number(answer).value
        if number is None:
            raise BadFieldError(
                column, f"expected a number such as 12.5% or 3,200万元, found {answer!r:.60}"
            )
    return answer


def _choices(row: Mapping[str, Any], given: OwnMapping) -> dict[str, str]:
    if given.choices is None:
        return {}
    if isinstance(given.choices, dict):
        options = {letter: _text(row, column) for letter, column in given.choices.items()}
        options = {letter: option for letter, option in options.items() if option}
        field = ", ".join(given.choices.values())
    else:
        field, value = given.choices, row.get(given.choices)
        if isinstance(value, str):
            try:
                value = json.loads(value)
            except (ValueError, RecursionError):
                value = [line for line in value.splitlines() if line.strip()]
        read = read_options(value)
        if read is None:
            raise BadFieldError(field, f"{EXPECTED}, found {value!r:.60}")
        options = read
    if len(options) < 2 or list(options) != list(LETTERS[: len(options)]):
        raise BadFieldError(field, f"expected options A, B, … in order, found {list(options)}")
    return options


def _scale(row: Mapping[str, Any], given: OwnMapping) -> str | None:
    if isinstance(given.scale, dict):
        return _text(row, given.scale["column"])
    return given.scale


def _split(row: Mapping[str, Any], given: OwnMapping) -> str:
    if given.split is None:
        return ""
    value = _text(row, given.split)
    found = split_named(value)
    if value and not found:
        raise BadFieldError(given.split, f"expected train, val or test, found {value!r:.60}")
    return found


def _required(row: Mapping[str, Any], column: str) -> str:
    found = _text(row, column)
    if not found:
        raise BadFieldError(column, "expected text, found nothing; fill it in, or remove the row")
    return found


def _text(row: Mapping[str, Any], column: str | None) -> str:
    """Return what a column has, as text; empty without the column, or where it has nothing."""
    value = None if column is None else row.get(column)
    if value is None or (isinstance(value, float) and value != value):
        return ""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, int | float):
        return number_text(value, column or "")
    if isinstance(value, str):
        return value.strip()
    return json.dumps(value, ensure_ascii=False, default=str)
