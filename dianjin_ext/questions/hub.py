"""A published data set by its name on Hugging Face's hub, through `datasets`."""

from collections.abc import Iterator
from pathlib import Path

from dianjin_ext.errors import DianjinError
from dianjin_ext.questions.question import Question
from dianjin_ext.questions.readers.base import BadRow, Reader, parse_row
from dianjin_ext.questions.rows import RawRow


def read_hub(reader: Reader, name: str) -> Iterator[Question | BadRow]:
    """Yield the questions and the bad rows of every split of a data set.

    Args:
        reader: Of the data set; its rows on the hub must be those of its files.
        name: `owner/name`, `owner/name:config` for a part of it, or a folder that `datasets` can
            load.

    Raises:
        DianjinError: `datasets` is missing, or can't load the name.
    """
    try:
        from datasets import load_dataset
    except ModuleNotFoundError as error:
        raise DianjinError(
            "--hub needs datasets, which verl and LLaMA-Factory bring; pip install datasets"
        ) from error
    path, config = (name, "") if Path(name).exists() else name.partition(":")[::2]
    try:
        splits = load_dataset(path, config or None)
    except Exception as error:  # it raises whatever the network and its own modules raise
        why = " ".join(str(error).split())[:300]
        raise DianjinError(
            f"--hub {name}: can't be loaded ({why}); download its files and name them instead"
        ) from error
    seen: dict[str, int] = {}
    for split, rows in splits.items():
        for number, row in enumerate(rows):
            place = RawRow(f"row {number}", row)
            yield from parse_row(reader, Path(f"{split}.parquet"), number, place, seen)
