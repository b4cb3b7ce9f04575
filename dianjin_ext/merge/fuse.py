"""Add a LoRA adapter to a weight while its bytes stream by.

The sum is taken in float32 and rounded once, to the type that is written. Memory: the two thin
matrices in float32, and one block of rows of the weight.
"""

from typing import TYPE_CHECKING, Any

from dianjin_ext.errors import DianjinError
from dianjin_ext.merge.assemble import Tensor
from dianjin_ext.merge.casts import converter
from dianjin_ext.merge.checksums import RecordChecker
from dianjin_ext.merge.dtypes import DTYPES, FLOATS
from dianjin_ext.merge.sources import RankReader

if TYPE_CHECKING:
    import numpy as np

_BLOCK = 1 << 19  # elements of the product at a time
_FLOAT = DTYPES["float32"]


class Fuser:
    """Turns the bytes of a weight into those of the merged weight; for several threads.

    Args:
        tensor: A weight with a `delta`.
        reader: The rank files.
        checker: Sums up what is read of the adapter.

    Raises:
        DianjinError: numpy, which multiplies, is missing; the adapter's bytes are damaged; or the
            weight is quantised.
    """

    def __init__(self, tensor: Tensor, reader: RankReader, checker: RecordChecker) -> None:
        if tensor.delta is None:
            raise ValueError(f"{tensor.name} has no delta")
        if tensor.stored.name not in FLOATS[1:]:
            raise DianjinError(
                f"{tensor.name} is {tensor.stored.name}; an adapter can only be merged into "
                "weights of 16- or 32-bit floating point"
            )
        try:
            import numpy as np
        except ImportError as error:
            raise DianjinError("merging an adapter needs numpy (pip install numpy)") from error
        delta = tensor.delta
        left, right = (_read_floats(part, reader, checker) for part in (delta.left, delta.right))
        self._left, self._right = (left.T, right.T) if delta.transposed else (left, right)
        self._scale = np.float32(delta.scale)
        self._columns = tensor.shape[1]
        # Blocks lie at fixed rows: the sums must not depend on how the bytes are cut.
        self._rows = max(1, _BLOCK // self._columns)
        self._widen = converter(tensor.stored, _FLOAT)
        self._narrow = converter(_FLOAT, tensor.dtype)
        self._size = tensor.stored.size, tensor.dtype.size

    def apply(self, data: memoryview, out: memoryview, first: int) -> None:
        """Fill `out` with the merged weight's elements from `first` on.

        Args:
            data: The weight's own, as they are stored.
            out: As many, in the type to write.
            first: The index of the first one in the whole weight.
        """
        import numpy as np

        stored, made = self._size
        last = first + len(data) // stored
        size = self._rows * self._columns
        for block in range(first // size, -(-last // size)):
            row = block * self._rows
            product = self._left[row : row + self._rows] @ self._right
            product *= self._scale
            begin, end = max(first, block * size), min(last, (block + 1) * size)
            sums = product.reshape(-1)[begin - block * size : end - block * size]
            part = data[(begin - first) * stored : (end - first) * stored]
            wide = np.empty(end - begin, np.float32)
            if self._widen is None:
                wide = np.frombuffer(part, np.float32)
            else:
                self._widen(part, wide.data.cast("B"))
            sums += wide
            target = out[(begin - first) * made : (end - first) * made]
            if self._narrow is None:
                target[:] = sums.data.cast("B")
            else:
                self._narrow(sums.data.cast("B"), target)


def _read_floats(
    tensor: Tensor, reader: RankReader, checker: RecordChecker
) -> "np.ndarray[Any, Any]":
    """Read a whole tensor as float32."""
    import numpy as np

    whole = np.empty(tensor.shape, np.float32)
    widen = converter(tensor.stored, _FLOAT)
    for piece in tensor.pieces:
        data = memoryview(bytearray(piece.nbytes))
        reader.read_into(piece.record.rank, piece.offset, data)
        checker.update(piece, tensor.name, piece.offset, data)
        values = np.empty(piece.box.shape, np.float32)
        if widen is None:
            values = np.frombuffer(data, np.float32).reshape(piece.box.shape)
        else:
            widen(data, values.reshape(-1).data.cast("B"))
        start, shape = piece.box
        whole[tuple(slice(s, s + n) for s, n in zip(start, shape, strict=True))] = values
    return whole
