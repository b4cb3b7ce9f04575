"""Put the ranks' pieces together: one list of tensors, each covered exactly once."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from isal import isal_zlib

from dianjin_ext.errors import DianjinError
from dianjin_ext.merge.dtypes import DType
from dianjin_ext.merge.layout import Box, Shape
from dianjin_ext.merge.pieces import Collector
from dianjin_ext.merge.shards import Entry, Piece, read_rank
from dianjin_ext.merge.sources import Checkpoint, RankReader

_CHUNK = 1 << 20  # bytes


@dataclass(frozen=True, slots=True)
class Delta:
    """What a LoRA adapter adds to a weight: scale · left @ right.

    Attributes:
        left: out × r; r × out if `transposed`.
        right: r × in; in × r if `transposed`.
        scale: The factor.
        transposed: Both are stored transposed, as those of embeddings are.
    """

    left: "Tensor"
    right: "Tensor"
    scale: float
    transposed: bool = False


@dataclass(frozen=True, slots=True)
class Tensor:
    """A whole tensor and where its parts lie.

    Attributes:
        name: The key in the state dict.
        stored: The element type in the rank files.
        dtype: The element type to write.
        shape: The global shape.
        pieces: One for each part, sorted by where they begin; they tile the shape as a grid.
        delta: What is added to it on the way.
    """

    name: str
    stored: DType
    dtype: DType
    shape: Shape
    pieces: Sequence[Piece]
    delta: Delta | None = None

    @property
    def nbytes(self) -> int:
        """Bytes to write."""
        return math.prod(self.shape) * self.dtype.size


class _Open:
    """A tensor while the ranks are being read."""

    def __init__(self, first: Entry, boxes: dict[Box, int]) -> None:
        self.dtype, self.shape = first.dtype, first.shape
        self.pieces = Collector(boxes, first.dtype.size)


def assemble(checkpoint: Checkpoint, reader: RankReader) -> list[Tensor]:
    """Read the headers of all ranks and check that they fit together.

    Returns:
        The tensors in the order of rank 0's state dict.

    Raises:
        DianjinError: Ranks differ in keys, types or shapes; copies of one tensor differ; parts
            overlap or leave a gap.
    """
    tensors: dict[str, _Open] = {}
    boxes: dict[Shape, dict[Box, int]] = {}
    for rank, path in enumerate(checkpoint.ranks):
        entries = read_rank(path, rank)
        if rank == 0:
            tensors = {name: _Open(e, boxes.setdefault(e.shape, {})) for name, e in entries.items()}
        elif entries.keys() != tensors.keys():
            name = sorted(entries.keys() ^ tensors.keys())[0]
            has, lacks = (rank, 0) if name in entries else (0, rank)
            raise DianjinError(
                f"{path}: rank {has} holds {name}, rank {lacks} does not; the files are not of "
                "one checkpoint"
            )
        for name, entry in entries.items():
            _add(name, tensors[name], entry, path.name, reader)
    shared: dict[tuple[Box, ...], tuple[Box, ...]] = {}
    return [
        Tensor(name, tensor.dtype, tensor.dtype, tensor.shape, _tiles(name, tensor, shared))
        for name, tensor in tensors.items()
    ]


def _add(name: str, tensor: _Open, entry: Entry, file: str, reader: RankReader) -> None:
    if (entry.dtype, entry.shape) != (tensor.dtype, tensor.shape):
        raise DianjinError(
            f"{file}: {name} is {entry.dtype.name} {entry.shape}, but {tensor.dtype.name} "
            f"{tensor.shape} on rank 0; the files are not of one checkpoint"
        )
    for piece in entry.pieces:
        first = tensor.pieces.add(piece)
        if first is not None and not same_bytes(first, piece, reader):
            raise DianjinError(
                f"{name}: ranks {first.record.rank} and {piece.record.rank} should hold the same "
                f"copy of {piece.box}, but their values differ; the ranks have drifted apart or a "
                "file is damaged"
            )


def same_bytes(one: Piece, other: Piece, reader: RankReader) -> bool:
    """Whether two pieces hold the same bytes: by their records' CRC32 alone where that tells."""
    if one.nbytes != other.nbytes:
        return False
    a, b = one.record, other.record
    same_place = one.offset - a.offset == other.offset - b.offset
    if a.crc is not None and (a.nbytes, a.crc) == (b.nbytes, b.crc) and same_place:
        return True
    sums = []
    for piece in (one, other):  # the records may differ in their padding alone
        crc, buffer = 0, memoryview(bytearray(min(_CHUNK, piece.nbytes)))
        for at in range(0, piece.nbytes, _CHUNK):
            part = buffer[: min(_CHUNK, piece.nbytes - at)]
            reader.read_into(piece.record.rank, piece.offset + at, part)
            crc = isal_zlib.crc32(part, crc)
        sums.append(crc)
    return sums[0] == sums[1]


def _tiles(
    name: str, tensor: _Open, shared: dict[tuple[Box, ...], tuple[Box, ...]]
) -> Sequence[Piece]:
    """Check that the pieces cover the tensor exactly once, as a grid."""
    if not math.prod(tensor.shape):
        return ()
    pieces = tensor.pieces.pieces(shared)
    boxes = [piece.box for piece in pieces]
    ends: list[dict[int, int]] = []  # for each dimension, where a part that begins here ends
    for dim, size in enumerate(tensor.shape):
        cuts = sorted({0, *(box.start[dim] for box in boxes)})
        ends.append(dict(zip(cuts, [*cuts[1:], size], strict=True)))
    whole = len({box.start for box in boxes}) == len(boxes) == math.prod(map(len, ends)) and all(
        start + size == end[start]
        for box in boxes
        for start, size, end in zip(*box, ends, strict=True)
    )
    if not whole:
        found = sum(math.prod(box.shape) for box in boxes)
        raise DianjinError(
            f"{name}: the ranks hold {found} of its {math.prod(tensor.shape)} elements in parts "
            f"that do not add up to {tensor.shape}; the files are not of one checkpoint"
        )
    return pieces
