"""What a file is that isn't what was expected, in one line instead of thousands of bad rows."""

import json
from pathlib import Path
from typing import Any

from dianjin_ext.errors import DianjinError

ROWS = 'JSON lines ({"data_source": …, "ground_truth": …} on each line) or a .parquet file'


def expect_rows(path: Path) -> None:
    """Refuse a path that can't hold rows to grade or to check.

    Raises:
        DianjinError: It is a folder, missing, empty, parquet or gzip under another name, an
            archive or a spreadsheet, or JSON that isn't JSON lines, such as LLaMA-Factory's rows.
    """
    if path.is_dir():
        raise DianjinError(f"{path} is a folder; expected a file: {ROWS}")
    try:
        with path.open("rb") as file:
            head = file.read(65536)
    except OSError as error:
        raise DianjinError(f"{path}: can't be read ({error.strerror}); check the path") from error
    if not path.is_file():
        return  # a pipe, whose beginning is gone now if it is read
    if not head.strip():
        raise DianjinError(f"{path} is empty; expected {ROWS}")
    parquet, gzip = head.startswith(b"PAR1"), head.startswith(b"\x1f\x8b")
    if parquet != (path.suffix == ".parquet"):
        what = (
            "is a parquet file; rename it to end in .parquet" if parquet else "is no parquet file"
        )
        raise DianjinError(f"{path} {what}")
    if gzip != (path.suffix == ".gz"):
        what = "is packed with gzip; rename it to end in .gz" if gzip else "is not packed with gzip"
        raise DianjinError(f"{path} {what}")
    if head.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise DianjinError(f"{path} is an archive or a spreadsheet; expected {ROWS}")
    if not parquet and not gzip:
        _expect_lines(path, head.lstrip(b"\xef\xbb\xbf").lstrip())


def _expect_lines(path: Path, head: bytes) -> None:
    if head.startswith(b"["):
        sft = b'"instruction"' in head or b'"conversations"' in head or b'"messages"' in head
        what = "SFT rows for LLaMA-Factory" if sft else "one JSON list"
        raise DianjinError(f"{path} has {what}; expected {ROWS}")
    if not any(line.lstrip().startswith(b"{") for line in head.split(b"\n")):
        raise DianjinError(f"{path} holds no JSON lines in UTF-8; expected {ROWS}")
    if _is_json(head) and b"\n" in head.strip():
        raise DianjinError(f"{path} has one JSON object over several lines; expected {ROWS}")
    row = _json(head.split(b"\n", 1)[0])
    if isinstance(row, dict) and "data_source" not in row:
        for key in ("instruction", "messages", "conversations"):
            if key in row:
                raise DianjinError(f"{path} has SFT rows ({key}); expected {ROWS}")


def _is_json(text: bytes) -> bool:
    return isinstance(_json(text), dict)


def _json(text: bytes) -> Any:
    """Return what a text is in JSON, or None."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
