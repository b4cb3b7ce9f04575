"""CSV as people have it: UTF-8 with a mark or without, UTF-16, GBK; commas, tabs or semicolons."""

import csv
import gzip
import io
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dianjin_ext.errors import DianjinError

_DELIMITERS = (",\t;|", "，；")
"""Those of the second kind stand in names of columns too, so they count where there is no other."""

_QUOTED = re.compile(r'"[^"]*"')
_SEP = re.compile(r'"?sep=(.)"?,*\r?\n', re.IGNORECASE)
_LONGEST = 2**31 - 1  # of a field; the csv module's own limit is 131,072 characters

Line = tuple[int, dict[str, Any] | None, str]


def csv_rows(path: Path, *, encoding: str = "", delimiter: str = "") -> Iterator[Line]:
    """Yield each row: the line that it begins on, column to text, and why it is bad, if it is.

    The first row that isn't blank names the columns. Blank lines are left out, and Excel's
    `sep=;` above them is followed.

    Raises:
        DianjinError: The file can't be read as text, or has no columns.
    """
    csv.field_size_limit(_LONGEST)
    text = _text(path, encoding)
    said = _SEP.match(text)
    delimiter = delimiter or (said[1] if said else _delimiter(text))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        if said:
            next(reader)
        filled = (fields for fields in reader if any(field.strip() for field in fields))
        header = [name.strip() for name in next(filled, [])]
        if not header:
            raise DianjinError(f"{path}: expected the names of the columns in line 1, found none")
        named = [name for name in header if name]
        if repeated := {name for name in named if named.count(name) > 1}:
            raise DianjinError(f"{path}: two columns are called {min(repeated)!r}; rename one")
        line = reader.line_num + 1
        for fields in reader:
            start, line = line, reader.line_num + 1
            if not any(field.strip() for field in fields):
                continue
            row = dict.fromkeys(header, "") | dict(zip(header, fields, strict=False))
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


def unpacked(path: Path) -> bytes:
    """Return what is in a file, or packed in a .gz file.

    Raises:
        DianjinError: It can't be read.
    """
    try:
        content = path.read_bytes()
        return gzip.decompress(content) if path.suffix.lower() == ".gz" else content
    except (OSError, EOFError, zlib.error) as error:
        why = getattr(error, "strerror", None) or error
        raise DianjinError(f"{path}: cannot be read ({why}); check the path") from error


def _text(path: Path, encoding: str) -> str:
    content = unpacked(path)
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
    bare = _QUOTED.sub("", text[:65536])
    header = next((line for line in re.split(r"[\r\n]+", bare) if line.strip()), "")
    kind = next((marks for marks in _DELIMITERS if any(m in header for m in marks)), ",")
    return max(kind, key=lambda mark: (header.count(mark), -kind.index(mark)))
