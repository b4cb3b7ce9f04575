"""The pieces of a tensor in 40 bytes each: a thousand ranks hold hundreds of thousands of them."""

import math
from array import array
from collections.abc import Sequence
from typing import overload

from dianjin_ext.merge.layout import Box
from dianjin_ext.merge.shards import Piece, Record

_FIELDS = 5  # rank, the record's offset, bytes and CRC32, the piece's offset
_NONE = -1


class Pieces(Sequence[Piece]):
    """An unchanging sequence of pieces, each made when it is asked for.

    Args:
        boxes: Their boxes, which tensors of one shape share.
        fields: Their other numbers, one after the other.
        itemsize: Bytes of an element.
    """

    __slots__ = ("_boxes", "_fields", "_itemsize")

    def __init__(self, boxes: Sequence[Box], fields: "array[int]", itemsize: int) -> None:
        self._boxes = boxes
        self._fields = fields
        self._itemsize = itemsize

    def __len__(self) -> int:
        return len(self._boxes)

    @overload
    def __getitem__(self, index: int) -> Piece: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Piece]: ...
    def __getitem__(self, index: int | slice) -> Piece | Sequence[Piece]:
        if isinstance(index, slice):
            return tuple(self[i] for i in range(*index.indices(len(self))))
        box, at = self._boxes[index], index % len(self) * _FIELDS
        rank, begin, size, crc, offset = self._fields[at : at + _FIELDS]
        record = Record(rank, begin, size, None if crc == _NONE else crc)
        return Piece(box, record, offset, math.prod(box.shape) * self._itemsize)


class Collector:
    """Collects the pieces of one tensor, the first for each box.

    Args:
        boxes: The boxes of all tensors of its shape so far, with their numbers; grows.
        itemsize: Bytes of an element.
    """

    def __init__(self, boxes: dict[Box, int], itemsize: int) -> None:
        self._boxes = boxes
        self._itemsize = itemsize
        self._fields = array("q")

    def add(self, piece: Piece) -> Piece | None:
        """Add a piece.

        Returns:
            The piece that was added for the same box before, if any; it stays.
        """
        at = self._boxes.setdefault(piece.box, len(self._boxes)) * _FIELDS
        self._fields.extend([_NONE] * (at + _FIELDS - len(self._fields)))
        old = self._fields[at : at + _FIELDS]
        if old[0] != _NONE:
            return Pieces([piece.box], old, self._itemsize)[0]
        rank, begin, size, crc = piece.record
        numbers = [rank, begin, size, _NONE if crc is None else crc, piece.offset]
        self._fields[at : at + _FIELDS] = array("q", numbers)
        return None

    def pieces(self, shared: dict[tuple[Box, ...], tuple[Box, ...]]) -> Pieces:
        """All pieces, sorted by where they begin.

        Args:
            shared: Makes equal lists of boxes one; grows.
        """
        ends = range(_FIELDS, len(self._fields) + 1, _FIELDS)
        found = [
            (box, self._fields[end - _FIELDS : end])
            for box, end in zip(self._boxes, ends, strict=False)
            if self._fields[end - _FIELDS] != _NONE
        ]
        found.sort(key=lambda pair: pair[0])
        boxes = tuple(box for box, _ in found)
        fields = array("q", b"".join(numbers.tobytes() for _, numbers in found))
        return Pieces(shared.setdefault(boxes, boxes), fields, self._itemsize)
