"""JSON lines from files larger than memory, and plain words about a line that is no row."""

import gzip
import json
import math
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from dianjin_ext.errors import DianjinError

STANDARD = Path("-")
"""Stands for the standard input or output."""


class BadRowError(ValueError):
    """A row that can't be used; the message names the key and says what was expected there."""

    def __init__(self, key: str, expected: str) -> None:
        super().__init__(f"{key}: {expected}")


class Lines:
    """The lines of a file, of a .gz file or of the standard input (`-`), as bytes, one at a time.

    Attributes:
        name: The file, for messages.
        size: Bytes of the file as it lies on the disk; None for the standard input.

    Raises:
        DianjinError: The file can't be opened, or while lines are read, can't be read.
    """

    def __init__(self, path: Path) -> None:
        self.name = "standard input" if path == STANDARD else str(path)
        self.size: int | None = None
        try:
            self._raw: IO[bytes] = sys.stdin.buffer if path == STANDARD else path.open("rb")
            if path != STANDARD:
                self.size = path.stat().st_size
        except OSError as error:
            raise self._failed(error) from error
        self._packed = path.suffix == ".gz"
        self.position = 0
        """Bytes of the file that have been read."""

    def __iter__(self) -> Iterator[bytes]:
        with self._raw as raw:
            lines = gzip.GzipFile(fileobj=raw) if self._packed else raw
            try:
                for line in lines:
                    self.position = raw.tell() if self._packed else self.position + len(line)
                    yield line
            except (OSError, EOFError, zlib.error) as error:
                raise self._failed(error) from error

    def _failed(self, error: Exception) -> DianjinError:
        why = getattr(error, "strerror", None) or error
        return DianjinError(f"{self.name}: can't be read ({why}); check the path and the file")


def parse(line: bytes) -> dict[str, Any]:
    """Return the JSON object of a line.

    Raises:
        BadRowError: The line is not UTF-8, not JSON, or no object.
    """
    try:
        row = json.loads(line.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise BadRowError("line", f"expected UTF-8, byte {error.start} is not") from None
    except (ValueError, RecursionError) as error:
        raise BadRowError("line", f"expected JSON: {error}") from None
    if not isinstance(row, dict):
        raise BadRowError("line", f"expected a JSON object, found {kind(row)}")
    return row


def take(row: dict[str, Any], key: str, kinds: type | tuple[type, ...], expected: str) -> Any:
    """Return the value of a key.

    Raises:
        BadRowError: The key is missing, or its value is of another type.
    """
    if key not in row:
        raise BadRowError(key, f"expected {expected}; the key is missing")
    value = row[key]
    if not isinstance(value, kinds):
        raise BadRowError(key, f"expected {expected}, found {kind(value)}")
    return value


def unusable(gold: Any) -> str:
    """Return what a gold answer is that no reward can read; empty for one that may be read."""
    if isinstance(gold, list | tuple) and not gold:
        return "an empty list"
    if gold is None or isinstance(gold, bool | dict):
        return kind(gold)
    if isinstance(gold, float) and not math.isfinite(gold):
        return "NaN" if math.isnan(gold) else "infinity"
    return ""


def kind(value: Any) -> str:
    """Return what JSON calls the type of a value."""
    names = {dict: "an object", list: "a list", str: "text", bool: "a truth value"}
    return "null" if value is None else names.get(type(value), "a number")
