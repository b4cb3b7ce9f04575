"""A file of one's own as a data set, by its mapping."""

import datetime
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from functools import partial
from itertools import islice
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

_LOOKED_AT = 1000
_OPTION = re.compile(r"(?:^|[\s;；,，。|])[(（]?([A-J])[)）.．、:：]")
_SHEET_ERROR = re.compile(r"#(?:N/A|REF!|VALUE!|DIV/0!|NAME\?|NUM!|NULL!)")
_CHINESE_SPLITS = {"训练": "train", "验证": "val", "测试": "test"}
_TRUTHS = {"true": True, "false": False, "1": True, "0": False, "yes": True, "no": False,
           "是": True, "否": False, "": None}  # fmt: skip
_YES_NO = {"yes", "no", "是", "否"}
_KNOWN_WORDS = {
    word for labels in LABEL_SETS.values() for words in labels.values() for word in words
}


def read_own(files: Sequence[Path], given: OwnMapping) -> Iterator[Question | BadRow]:
    """Yield the questions and the bad rows of some files.

    Raises:
        DianjinError: A file can't be read, or lacks a column that the mapping names.
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
        multiple=_multiple(row, given),
        labels=given.labels,
        scale=_scale(row, given),
        language=given.language or language_of(asked),
        category=_text(row, given.category),
        split=_split(row, given),
        reasoning=_text(row, given.reasoning) or None,
    )


def _check_columns(path: Path, given: OwnMapping) -> None:
    rows = (row.value for row in islice(load_rows(path, given.file_options), _LOOKED_AT))
    known = {str(name): None for row in rows if isinstance(row, Mapping) for name in row}
    for key, column in given.columns.items():
        if known and column not in known:  # rows of another kind are told as bad rows
            raise DianjinError(
                f"{path} has no column {column!r}, which the mapping names as {key}; it has "
                f"{', '.join(known)}"
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
        if _multiple(row, given) is False and len(letters) > 1:
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
                value = _options_of(value)
        read = read_options(value)
        if read is None:
            raise BadFieldError(field, f"{EXPECTED}, found {value!r:.60}")
        options = dict(sorted(read.items()))
    if len(options) < 2 or list(options) != list(LETTERS[: len(options)]):
        raise BadFieldError(field, f"expected options A, B, … in order, found {list(options)}")
    return options


def _options_of(text: str) -> list[str]:
    """Return the lines of a text; of a single line its parts from `A.`, `B.` and so on."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    marks = list(_OPTION.finditer(text))
    if len(lines) != 1 or not marks or "".join(mark[1] for mark in marks) != LETTERS[: len(marks)]:
        return lines
    ends = [mark.start() for mark in marks[1:]] + [len(text)]
    return [
        text[mark.start() : end].strip(" \t;；,，|") for mark, end in zip(marks, ends, strict=True)
    ]


def _multiple(row: Mapping[str, Any], given: OwnMapping) -> bool | None:
    if not isinstance(given.multiple, dict):
        return given.multiple
    column = given.multiple["column"]
    value = _text(row, column)
    if value.lower() not in _TRUTHS:
        raise BadFieldError(
            column, f"expected one of {', '.join(filter(None, _TRUTHS))}, found {value!r:.60}"
        )
    return _TRUTHS[value.lower()]


def _scale(row: Mapping[str, Any], given: OwnMapping) -> str | None:
    if isinstance(given.scale, dict):
        return _text(row, given.scale["column"])
    return given.scale


def _split(row: Mapping[str, Any], given: OwnMapping) -> str:
    if given.split is None:
        return ""
    value = _text(row, given.split)
    found = split_value(value)
    if value and not found:
        raise BadFieldError(
            given.split, f"expected train, val or test, 训练, 验证 or 测试, found {value!r:.60}"
        )
    return found


def split_value(value: str) -> str:
    """Return `train`, `val` or `test` for what a column says of the split; empty for any other."""
    chinese = (split for word, split in _CHINESE_SPLITS.items() if value.startswith(word))
    return split_named(value) or next(chinese, "")


def _required(row: Mapping[str, Any], column: str) -> str:
    found = _text(row, column)
    if not found:
        raise BadFieldError(column, "expected text, found nothing; fill it in, or remove the row")
    return found


def _text(row: Mapping[str, Any], column: str | None) -> str:
    """Return what a column has, as text; empty without the column, or where it has nothing.

    Raises:
        BadFieldError: It is a spreadsheet's error, no finite number, or bytes that are no text.
    """
    value = None if column is None else row.get(column)
    if value is None or (isinstance(value, float) and value != value):
        return ""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, int | float):
        return number_text(value, column or "")
    if isinstance(value, bytes):
        try:
            value = value.decode()
        except UnicodeDecodeError:
            raise BadFieldError(column or "", "expected text, found bytes") from None
    if isinstance(value, str):
        if _SHEET_ERROR.fullmatch(value.strip()):
            raise BadFieldError(column or "", f"expected a value, found the error {value.strip()}")
        return value.strip()
    if isinstance(value, Decimal) and value.is_finite():
        return format(value, "f")
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    return json.dumps(value, ensure_ascii=False, default=str)
