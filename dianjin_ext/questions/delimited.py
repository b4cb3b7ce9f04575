"""CSV as people have it: UTF-8 with a mark or without, UTF-16, GBK; commas, tabs or semicolons."""

import csv
import gzip
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dianjin_ext.errors import DianjinError

_DELIMITERS = ",\t;，；|"
_LONGEST = 2**31 - 1  # of a field; the csv module's own limit is 131,072 characters

Line = tuple[int, dict[str, Any] | None, str]


def csv_rows(path: Path, *, encoding: str = "", delimiter: str = "") -> Iterator[Line]:
    """Yield each row: the line that it begins on, column to text, and why it is bad, if it is.

    The first row names the columns. Blank lines are left out.

    Raises:
        DianjinError: The file can't be read as text, or has no columns.
    """
    csv.field_size_limit(_LONGEST)
    text = _text(path, encoding)
    delimiter = delimiter or _delimiter(text)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        header = [name.strip() for name in next(reader, [])]
        if not any(header):
            raise DianjinError(f"{path}: expected the names of the columns in line 1, found none")
        named = [name for name in header if name]
        if repeated := {name for name in named if named.count(name) > 1}:
            raise DianjinError(f"{path}: two columns are called {min(repeated)!r}; rename one")
        line = reader.line_num + 1
        for fields in reader:
            start, line = line, reader.line_num + 1
            if not any(field.strip() for field in fields):
                continue
            row = dict(zip(header, fields, strict=False))
            row.pop("", None)  # a column without a name, such as an index
            extra = [field for field in fields[len(header) :] if field.strip()]
            if extra or len(fields) < len(header):
                why = (
                    f"expected {len(header)} fields, found {len(fields)}; put a field that has "
                    f"{delimiter!r} or a line break in it between double quotes"
                )
                yield start, row, why
            else:
                yield start, row, ""
    except csv.Error as error:
        raise DianjinError(f"{path}, line {reader.line_num}: no CSV ({error})") from error


def _text(path: Path, encoding: str) -> str:
    try:
        content = path.read_bytes()
        if path.suffix == ".gz":
            content = gzip.decompress(content)
    except (OSError, EOFError) as error:
        why = getattr(error, "strerror", None) or error
        raise DianjinError(f"{path}: cannot be read ({why}); check the path") from error
    if content.startswith(b"PK\x03\x04"):
        raise DianjinError(
            f"{path} is a spreadsheet or an archive; rename it to .xlsx if it is one"
        )
    utf16 = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    tried = [encoding] if encoding else (["utf-16"] if utf16 else ["utf-8-sig", "gb18030"])
    for name in tried:
        try:
            return content.decode(name)
        except LookupError:
            raise DianjinError(f"{path}: no encoding is called {encoding!r}") from None
        except UnicodeDecodeError as error:
            failed = error
    raise DianjinError(
        f"{path}: not {' or '.join(tried)} at byte {failed.start}; save it as UTF-8, or name its "
        "encoding in the mapping"
    )


def _delimiter(text: str) -> str:
    """Return the delimiter that the header has most of, outside of quotes."""
    header = text.partition("\n")[0]
    bare = "".join(part for part in header.split('"')[::2])
    return max(_DELIMITERS, key=lambda mark: (bare.count(mark), -_DELIMITERS.index(mark)))
