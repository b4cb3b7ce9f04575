"""The rows of a file as Python values: JSON, JSON lines, CSV, XLSX or parquet, by its name."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from dianjin_ext.errors import DianjinError
from dianjin_ext.jsonl import Lines
from dianjin_ext.parquet import read_rows
from dianjin_ext.questions.delimited import csv_rows, unpacked
from dianjin_ext.questions.sheet import xlsx_rows


class RawRow(NamedTuple):
    """A row of a file.

    Attributes:
        where: Where it stands, for people: `row 3` (from 0) of JSON and parquet, `line 4` (from 1)
            of text, `row 5` (from 1, as the program shows it) of a sheet.
        value: Of JSON whatever the row is, of a table column to value.
        problem: Why it can't be read; empty where it can.
    """

    where: str
    value: Any
    problem: str = ""


class FileOptions(NamedTuple):
    """What a file doesn't say itself.

    Attributes:
        encoding: Of text; empty for UTF-8, or for CSV that isn't, UTF-16 by its mark or GB18030.
        delimiter: Of CSV; empty for the one that the first line has most of.
        sheet: Of a spreadsheet; empty for the first that isn't hidden.
    """

    encoding: str = ""
    delimiter: str = ""
    sheet: str = ""


def load_rows(path: Path, options: FileOptions) -> Iterator[RawRow]:
    """Yield the rows of a file.

    JSON is one list of rows, an object with one list in it (`{"dev": [...]}`), or a row a line.

    Raises:
        DianjinError: The file can't be read, is not what its name says, or has no rows.
    """
    name = path.name.lower().removesuffix(".gz")
    suffix = name[name.rfind(".") :] if "." in name else ""
    if suffix not in _FORMATS:
        raise DianjinError(
            f"{path}: rows come from {', '.join(_FORMATS)}; convert it, or rename it if it is one"
        )
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "there is no such file"
        raise DianjinError(f"{path}: cannot be read ({what}); check the path")
    empty = True
    for row in _FORMATS[suffix](path, options):
        empty = False
        yield row
    if empty:
        raise DianjinError(f"{path}: expected rows, found none")


def _json(path: Path, options: FileOptions) -> Iterator[RawRow]:
    try:
        content = json.loads(unpacked(path).decode(options.encoding or "utf-8-sig"))
    except LookupError as error:
        raise DianjinError(f"{path}: no encoding is called {options.encoding!r}") from error
    except UnicodeDecodeError as error:
        raise DianjinError(
            f"{path}: not {options.encoding or 'UTF-8'} at byte {error.start}; convert it"
        ) from error
    except (ValueError, RecursionError) as error:
        if str(error).startswith("Extra data"):  # a row a line, as the hub names them too
            yield from _json_lines(path, options)
            return
        raise DianjinError(f"{path}: not valid JSON ({error}); download it again") from error
    if isinstance(content, dict):
        lists = [value for value in content.values() if isinstance(value, list)]
        if len(lists) == 1 and lists[0]:
            content = lists[0]
    if not isinstance(content, list) or not content:
        found = "an empty list" if content == [] else type(content).__name__
        raise DianjinError(f"{path}: expected a list of rows, found {found}")
    for number, value in enumerate(content):
        yield RawRow(f"row {number}", value)


def _json_lines(path: Path, options: FileOptions) -> Iterator[RawRow]:
    encoding = options.encoding or "utf-8"
    for number, line in enumerate(Lines(path), 1):
        if not line.strip():
            continue
        where = f"line {number}"
        try:
            yield RawRow(where, json.loads(line.decode(encoding).removeprefix("\ufeff")))
        except UnicodeDecodeError as error:
            yield RawRow(where, None, f"expected {encoding.upper()}, byte {error.start} is not")
        except (ValueError, RecursionError) as error:
            yield RawRow(where, None, f"expected JSON: {error}")


def _csv(path: Path, options: FileOptions) -> Iterator[RawRow]:
    for line, value, problem in csv_rows(
        path, encoding=options.encoding, delimiter=options.delimiter
    ):
        yield RawRow(f"line {line}", value, problem)


def _xlsx(path: Path, options: FileOptions) -> Iterator[RawRow]:
    for row, value, problem in xlsx_rows(path, sheet=options.sheet):
        yield RawRow(f"row {row}", value, problem)


def _parquet(path: Path, options: FileOptions) -> Iterator[RawRow]:
    for number, value in enumerate(read_rows(path)):
        yield RawRow(f"row {number}", value)


_FORMATS: dict[str, Callable[[Path, FileOptions], Iterator[RawRow]]] = {
    ".json": _json,
    ".jsonl": _json_lines,
    ".ndjson": _json_lines,
    ".csv": _csv,
    ".tsv": _csv,
    ".xlsx": _xlsx,
    ".parquet": _parquet,
}
