"""The order in which the bytes of sharded pieces follow one another in the whole tensor."""

import math
from collections.abc import Iterator
from itertools import groupby
from typing import NamedTuple

from dianjin_ext.merge.assemble import Tensor
from dianjin_ext.merge.layout import Shape
from dianjin_ext.merge.shards import Piece


class Run(NamedTuple):
    """Bytes of a rank file: `width` bytes a row, the rows one after another from `offset` on."""

    piece: Piece
    offset: int
    width: int


class Stripe(NamedTuple):
    """`rows` rows of the whole tensor, each made of one row of every run in turn."""

    rows: int
    runs: tuple[Run, ...]

    @property
    def width(self) -> int:
        """Bytes of a row."""
        return sum(run.width for run in self.runs)


class _Part(NamedTuple):
    piece: Piece
    offset: int
    nbytes: int


def stripes(tensor: Tensor) -> Iterator[Stripe]:
    """Walk a tensor from its first byte to its last.

    A tensor sharded on its first dimension is one stripe of one row for each piece. One sharded
    on a later dimension has its pieces interleaved.
    """
    starts = [piece.box.start for piece in tensor.pieces]
    split = [dim for dim in range(len(tensor.shape)) if len({start[dim] for start in starts}) > 1]
    parts = [_Part(piece, piece.offset, piece.nbytes) for piece in tensor.pieces]
    return _walk(parts, tensor.shape, split)


def _walk(parts: list[_Part], shape: Shape, split: list[int]) -> Iterator[Stripe]:
    """`shape` is the region's; its dimensions before `split[0]` are whole in every part."""
    if not split:
        for part in parts:  # one, or none where the tensor is empty
            yield Stripe(1, (Run(*part),))
        return
    dim, later = split[0], split[1:]
    rows = math.prod(shape[:dim])
    if rows == 1:
        for _, group in groupby(parts, key=lambda part: part.piece.box.start[dim]):
            band = list(group)
            size = band[0].piece.box.shape[dim]
            yield from _walk(band, (*shape[:dim], size, *shape[dim + 1 :]), later)
    elif not later:
        runs = (Run(p.piece, p.offset, p.nbytes // rows) for p in parts)
        yield Stripe(rows, tuple(runs))
    else:
        inner = (1,) * dim + shape[dim:]
        for row in range(rows):
            cut = [
                _Part(p.piece, p.offset + row * (p.nbytes // rows), p.nbytes // rows) for p in parts
            ]
            yield from _walk(cut, inner, split)


def cut(stripe: Stripe, begin: int, end: int) -> Iterator[Stripe]:
    """Find what makes up the bytes from `begin` to `end` of a stripe.

    Yields:
        Whole rows, before and after them the parts of a row; each such part has one run.
    """
    width = stripe.width
    (first, skipped), (last, rest) = divmod(begin, width), divmod(end, width)
    if first == last:
        yield from _row_part(stripe, first, skipped, rest)
        return
    if skipped:
        yield from _row_part(stripe, first, skipped, width)
        first += 1
    if first < last:
        runs = (Run(run.piece, run.offset + first * run.width, run.width) for run in stripe.runs)
        yield Stripe(last - first, tuple(runs))
    yield from _row_part(stripe, last, 0, rest)


def _row_part(stripe: Stripe, row: int, begin: int, end: int) -> Iterator[Stripe]:
    column = 0
    for run in stripe.runs:
        low, high = max(begin - column, 0), min(end - column, run.width)
        if low < high:
            offset = run.offset + row * run.width + low
            yield Stripe(1, (Run(run.piece, offset, high - low),))
        column += run.width
