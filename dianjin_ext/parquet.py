"""Parquet files, a part at a time; pyarrow is imported when a file is read or written."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from dianjin_ext.errors import DianjinError
from dianjin_ext.files import replacing

_BATCH = 1024


def pyarrow() -> Any:
    """Return the module pyarrow, with `pyarrow.parquet`.

    Raises:
        DianjinError: It is missing.
    """
    try:
        import pyarrow as pa
        import pyarrow.parquet
    except ModuleNotFoundError as error:
        raise DianjinError(
            "reading and writing parquet needs pyarrow; pip install 'dianjin-ext[data]'"
        ) from error
    return pa


def write_rows(rows: Iterable[dict[str, Any]], path: Path, schema: Any) -> int:
    """Write rows under a schema; replaces `path` at once. Returns their number.

    Raises:
        DianjinError: pyarrow is missing, or a row does not fit the schema.
    """
    pa, number = pyarrow(), 0
    try:
        with replacing(path) as temporary, pa.parquet.ParquetWriter(temporary, schema) as writer:
            part: list[dict[str, Any]] = []
            for row in rows:
                part.append(row)
                number += 1
                if len(part) == _BATCH:
                    writer.write_table(pa.Table.from_pylist(part, schema))
                    part = []
            if part or not number:
                writer.write_table(pa.Table.from_pylist(part, schema))
    except OSError as error:
        if error.filename is not None:  # of another file
            raise
        raise DianjinError(f"{path}: can't be written ({error}); is the disk full?") from error
    except pa.ArrowException as error:
        raise DianjinError(f"{path}: a row does not fit the parquet schema: {error}") from error
    return number


def read_rows(
    path: Path, *, columns: Sequence[str] | None = None, expected: str = ""
) -> Iterator[dict[str, Any]]:
    """Yield the rows of a file.

    Args:
        path: The file.
        columns: Those to read, which it must have; None for all.
        expected: What such a file is; completes the message about one without the columns.

    Raises:
        DianjinError: pyarrow is missing, or the file can't be read or lacks a column.
    """
    pa = pyarrow()
    try:
        with pa.parquet.ParquetFile(path) as file:
            known = set(file.schema_arrow.names)
            if missing := [name for name in columns or () if name not in known]:
                raise DianjinError(f"{path} lacks the columns {', '.join(missing)}; {expected}")
            for batch in file.iter_batches(_BATCH, columns=columns):
                yield from batch.to_pylist()
    except (pa.ArrowException, OSError) as error:
        raise DianjinError(f"{path}: can't be read as parquet ({error})") from error
