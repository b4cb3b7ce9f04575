"""Stream tensors from rank files to where they belong in a safetensors file, in constant memory."""

import mmap
from collections.abc import Callable
from functools import cache
from pathlib import Path

from dianjin_ext.merge import sink
from dianjin_ext.merge.assemble import Tensor
from dianjin_ext.merge.casts import converter
from dianjin_ext.merge.checksums import RecordChecker
from dianjin_ext.merge.plan import WeightFile
from dianjin_ext.merge.sink import FileComparer, FileWriter, Sink
from dianjin_ext.merge.sources import RankReader
from dianjin_ext.merge.stripes import Run, stripes

Convert = Callable[[memoryview], memoryview]


class Merger:
    """Copies tensors from rank files to sinks, checking what it reads.

    Args:
        reader: The rank files.
        advance: Called with the number of bytes whenever some were copied.
    """

    def __init__(self, reader: RankReader, advance: Callable[[int], None]) -> None:
        self._reader = reader
        self._advance = advance
        self._scratch = memoryview(mmap.mmap(-1, sink.BUFFER))
        self._rows = memoryview(mmap.mmap(-1, sink.BUFFER))
        self._checker = RecordChecker(reader, self._scratch)
        self._converter = cache(converter)

    def write_file(self, file: WeightFile, path: Path) -> None:
        """Write one safetensors file and fsync it.

        Raises:
            DianjinError: A rank file is damaged.
            OSError: Reading or writing failed.
        """
        with FileWriter(path) as out:
            self._stream(file, out)

    def compare_file(self, file: WeightFile, path: Path) -> str:
        """Compare one safetensors file with the rank files, byte by byte.

        Returns:
            Its SHA-256 in hexadecimal.

        Raises:
            DianjinError: They differ.
        """
        with FileComparer(path) as out:
            self._stream(file, out)
        return out.sha256

    def _stream(self, file: WeightFile, out: Sink) -> None:
        out.write(memoryview(file.header))
        self._advance(len(file.header))
        for tensor in file.tensors:
            self._write_tensor(tensor, out)
        if out.nbytes != file.nbytes:  # a mistake of this program, not of its input
            raise RuntimeError(f"{out.path}: {out.nbytes} bytes instead of {file.nbytes}")

    def _write_tensor(self, tensor: Tensor, out: Sink) -> None:
        convert = self._converter(tensor.stored, tensor.dtype)
        for stripe in stripes(tensor):
            width = sum(run.width for run in stripe.runs)
            if width > sink.BUFFER or stripe.rows == 1:
                for row in range(stripe.rows):
                    for run in stripe.runs:
                        self._copy(run, row, out, convert)
            else:
                at_once = sink.BUFFER // width
                for row in range(0, stripe.rows, at_once):
                    rows = min(at_once, stripe.rows - row)
                    data = self._interleave(stripe.runs, row, rows, width)
                    self._append(data, out, convert)
        for piece in tensor.pieces:
            self._checker.finish(piece, tensor.name)

    def _append(self, data: memoryview, out: Sink, convert: Convert | None) -> None:
        data = data if convert is None else convert(data)
        out.write(data)
        self._advance(len(data))

    def _copy(self, run: Run, row: int, out: Sink, convert: Convert | None) -> None:
        """Copy one row of one run: straight into the sink's buffer if it is not converted."""
        offset, end = run.offset + row * run.width, run.offset + (row + 1) * run.width
        while offset < end and convert is not None:
            data = self._scratch[: min(sink.BUFFER, end - offset)]
            self._read(run, offset, data)
            self._append(data, out, convert)
            offset += len(data)
        while offset < end:
            space = out.space(end - offset)
            self._read(run, offset, space)
            out.commit(len(space))
            self._advance(len(space))
            offset += len(space)

    def _interleave(self, runs: tuple[Run, ...], first: int, rows: int, width: int) -> memoryview:
        """Read some rows of all runs and put them side by side."""
        target = self._rows[: rows * width]
        column = 0
        for run in runs:
            size = run.width
            part = self._scratch[: rows * size]
            self._read(run, run.offset + first * size, part)
            for row in range(rows):
                begin = row * width + column
                target[begin : begin + size] = part[row * size : (row + 1) * size]
            column += size
        return target

    def _read(self, run: Run, offset: int, buffer: memoryview) -> None:
        record = run.piece.record
        self._reader.read_into(record.rank, offset, buffer)
        self._checker.update(record, offset, buffer)
