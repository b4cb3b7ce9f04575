"""The rows of a parquet file as JSON lines, a batch at a time."""

import json
from collections.abc import Iterator
from pathlib import Path

from dianjin_ext.errors import DianjinError
from dianjin_ext.parquet import pyarrow

_BATCH = 256


class ParquetLines:
    """As `dianjin_ext.jsonl.Lines`, of a parquet file.

    A row of verl's form gets `ground_truth` from its `reward_model`.

    Attributes:
        name: The file, for messages.
        size: Its bytes.
        position: About how many of them have been read.

    Raises:
        DianjinError: pyarrow is missing, or while rows are read, the file can't be read.
    """

    def __init__(self, path: Path) -> None:
        self.name, self._path = str(path), path
        self.size: int | None = path.stat().st_size
        self.position = 0

    def __iter__(self) -> Iterator[bytes]:
        pa = pyarrow()
        try:
            with pa.parquet.ParquetFile(self._path) as file:
                total, done = file.metadata.num_rows, 0
                for batch in file.iter_batches(_BATCH):
                    for row in batch.to_pylist():
                        model = row.get("reward_model")
                        if "ground_truth" not in row and isinstance(model, dict):
                            row["ground_truth"] = model.get("ground_truth")
                        done += 1
                        self.position = (self.size or 0) * done // total
                        text = json.dumps(row, ensure_ascii=False, default=str) + "\n"
                        yield text.encode("utf-8", "surrogatepass")
        except (pa.ArrowException, OSError) as error:
            raise DianjinError(f"{self.name}: can't be read as parquet ({error})") from error
