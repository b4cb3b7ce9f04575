"""The base model's own weights, for a checkpoint that holds nothing but an adapter.

verl writes one with `save_lora_only`.
"""

import json
from pathlib import Path

from dianjin_ext.errors import DianjinError
from dianjin_ext.merge.assemble import Tensor
from dianjin_ext.merge.dtypes import DTYPES
from dianjin_ext.merge.layout import Box
from dianjin_ext.merge.shards import Piece, Record

_CODES = {dtype.code: dtype for dtype in DTYPES.values()}


def find_base_weights(folder: Path | None) -> tuple[Path, ...]:
    """The safetensors files of a model folder; none if it has none or is None."""
    return () if folder is None else tuple(sorted(folder.glob("*.safetensors")))


def read_base_weights(paths: tuple[Path, ...], first: int) -> list[Tensor]:
    """Read the headers of safetensors files.

    Args:
        paths: The files.
        first: What the reader of the bytes counts the first of them as.

    Raises:
        DianjinError: A file is damaged, or of a type that is not known.
    """
    tensors = []
    for number, path in enumerate(paths, first):
        try:
            size = path.stat().st_size
            with path.open("rb") as file:
                length = int.from_bytes(file.read(8), "little")
                header = json.loads(file.read(min(length, size)))
            header.pop("__metadata__", None)
            for name, entry in header.items():
                dtype, shape = _CODES[entry["dtype"]], tuple(entry["shape"])
                begin, end = (8 + length + offset for offset in entry["data_offsets"])
                if end > size:
                    raise ValueError(f"{name} runs past the end of the file")
                record = Record(number, begin, end - begin, None)
                piece = Piece(Box((0,) * len(shape), shape), record, begin, end - begin)
                tensors.append(Tensor(name, dtype, dtype, shape, (piece,) if end > begin else ()))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise DianjinError(f"{path}: unreadable safetensors header ({error})") from error
    return tensors
