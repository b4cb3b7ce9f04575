"""Stream tensors from rank files to where they belong in a safetensors file, in constant memory.

The file is cut into parts of a fixed size. A few threads each take the next part, read what
belongs there from the rank files, check and convert it, and hand it on: reading, checking and
writing go on side by side whatever the number of files.
"""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from dianjin_ext.merge import sink
from dianjin_ext.merge.assemble import Tensor
from dianjin_ext.merge.casts import converter
from dianjin_ext.merge.checksums import RecordChecker
from dianjin_ext.merge.direct import aligned
from dianjin_ext.merge.fuse import Fuser
from dianjin_ext.merge.plan import WeightFile
from dianjin_ext.merge.sink import Block, FileComparer, FileWriter, Sink
from dianjin_ext.merge.sources import RankReader
from dianjin_ext.merge.stripes import Stripe, cut, stripes

if TYPE_CHECKING:
    from hashlib import _Hash

_THREADS = 6
_SOURCES = 1024  # in a part of a file; bounds what is known of them at a time


class _Fill(NamedTuple):
    """`nbytes` of a block come from the bytes `begin` to `end` of a tensor's stripe.

    `first` is the index in the tensor of the first element.
    """

    nbytes: int
    tensor: Tensor
    stripe: Stripe
    begin: int
    end: int
    first: int


_Part = list[_Fill | memoryview]


class Merger:
    """Copies tensors from rank files to sinks, checking what it reads.

    Args:
        reader: The rank files.
        advance: Called with the number of bytes whenever some were copied.
    """

    def __init__(self, reader: RankReader, advance: Callable[[int], None]) -> None:
        self._reader = reader
        self._advance = advance
        self._blocks = [Block() for _ in range(_THREADS)]
        self._checker = RecordChecker(reader)
        self._converter = cache(converter)
        self._fuser = lru_cache(2 * _THREADS)(lambda tensor: Fuser(tensor, reader, self._checker))

    def write_file(self, file: WeightFile, path: Path, digest: "_Hash | None" = None) -> None:
        """Write one safetensors file and fsync it.

        Args:
            file: What to write.
            path: Where to.
            digest: As for `stream`.

        Raises:
            DianjinError: A rank file is damaged.
            OSError: Reading or writing failed.
        """
        with FileWriter(path, file.nbytes) as out:
            self.stream(file, out, digest)

    def compare_file(self, file: WeightFile, path: Path) -> None:
        """Compare one safetensors file with the rank files, byte by byte.

        Raises:
            DianjinError: They differ.
        """
        with FileComparer(path, file.nbytes) as out:
            self.stream(file, out)

    def stream(self, file: WeightFile, out: Sink, digest: "_Hash | None" = None) -> None:
        """Send one safetensors file to a sink, part by part.

        Args:
            file: What to send.
            out: Where to.
            digest: A hash to update with all bytes of the file.

        Raises:
            DianjinError: A rank file is damaged.
        """
        pending: deque[tuple[Future[int], Block]] = deque()

        def settle() -> None:
            future, block = pending.popleft()
            nbytes = future.result()
            out.follow(block, nbytes)
            if digest is not None:
                digest.update(block.data[:nbytes])
            self._advance(nbytes)

        with ThreadPoolExecutor(_THREADS, thread_name_prefix="merge") as threads:
            for number, (offset, part) in enumerate(_parts(file)):
                if len(pending) == len(self._blocks):
                    settle()
                block = self._blocks[number % len(self._blocks)]
                pending.append((threads.submit(self._handle, part, block, out, offset), block))
            while pending:
                settle()

    def _handle(self, part: _Part, block: Block, out: Sink, offset: int) -> int:
        """Fill a block and hand it on; returns its bytes."""
        at = 0
        for fill in part:
            if isinstance(fill, memoryview):
                block.data[at : at + len(fill)] = fill
                at += len(fill)
            else:
                self._fill(fill, block, block.data[at : at + fill.nbytes])
                at += fill.nbytes
        out.take(block, at, offset)
        return at

    def _fill(self, fill: _Fill, block: Block, target: memoryview) -> None:
        tensor = fill.tensor
        convert = self._converter(tensor.stored, tensor.dtype)
        if convert is None and tensor.delta is None:
            self._gather(fill.stripe, fill.begin, fill.end, tensor.name, block, target)
            return
        at, step = 0, len(block.stage) // tensor.stored.size * tensor.stored.size
        for begin in range(fill.begin, fill.end, step):
            end = min(begin + step, fill.end)
            stage = block.stage[: end - begin]
            self._gather(fill.stripe, begin, end, tensor.name, block, stage)
            made = (end - begin) // tensor.stored.size * tensor.dtype.size
            if tensor.delta is not None:
                first = fill.first + at // tensor.dtype.size
                self._fuser(tensor).apply(stage, target[at : at + made], first)
            elif convert is not None:
                convert(stage, target[at : at + made])
            at += made

    def _gather(
        self, stripe: Stripe, begin: int, end: int, name: str, block: Block, target: memoryview
    ) -> None:
        """Read a range of a stripe."""
        at = 0
        for part in cut(stripe, begin, end):
            column, width = 0, part.width
            for run in part.runs:
                nbytes = part.rows * run.width
                whole = part.rows == 1 or run.width == width
                data = target[at + column :][:nbytes] if whole else block.columns[:nbytes]
                self._reader.read_into(run.piece.record.rank, run.offset, data)
                self._checker.update(run.piece, name, run.offset, data)
                if not whole:
                    for row in range(part.rows):
                        to = at + row * width + column
                        target[to : to + run.width] = data[row * run.width :][: run.width]
                column += run.width
            at += part.rows * width


def _parts(file: WeightFile) -> Iterator[tuple[int, _Part]]:
    """Cut a file into parts of `sink.BUFFER` bytes, or fewer; with each comes its offset."""
    part: _Part = []
    offset = size = 0

    def room() -> int:
        # A part of very many sources ends early, at the next byte where a direct write may end.
        crowded = len(part) >= _SOURCES
        return (min(aligned(size), sink.BUFFER) if crowded else sink.BUFFER) - size

    header = memoryview(file.header)
    while header:
        if not room():
            yield offset, part
            offset, part, size = offset + size, [], 0
        head = header[: room()]
        part.append(head)
        header, size = header[len(head) :], size + len(head)
    for tensor in file.tensors:
        stored, made = tensor.stored.size, tensor.dtype.size
        first = 0
        for stripe in stripes(tensor):
            begin, total = 0, stripe.rows * stripe.width
            while begin < total:
                if not room():
                    yield offset, part
                    offset, part, size = offset + size, [], 0
                end = min(begin + room() // made * stored, total)
                nbytes = (end - begin) // stored * made
                part.append(_Fill(nbytes, tensor, stripe, begin, end, first))
                first += nbytes // made
                begin, size = end, size + nbytes
    if part:
        yield offset, part
