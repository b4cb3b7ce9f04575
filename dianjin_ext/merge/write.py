"""Stream tensors from rank files into a safetensors file, in constant memory."""

import mmap
import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType

from dianjin_ext.merge.assemble import Tensor
from dianjin_ext.merge.casts import converter
from dianjin_ext.merge.plan import WeightFile
from dianjin_ext.merge.sources import RankReader
from dianjin_ext.merge.stripes import Run, stripes
from dianjin_ext.merge.verify import RecordChecker

Convert = Callable[[memoryview], memoryview]

BUFFER = 8 << 20  # bytes; two for writing, one for rows and padding


class FileWriter:
    """Writes a file from front to back: one buffer is filled while the other is being written."""

    def __init__(self, path: Path) -> None:
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
        self._buffers = [memoryview(mmap.mmap(-1, BUFFER)) for _ in range(2)]
        self._writes: list[Future[None] | None] = [None, None]
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="merge-write")
        self._current = self._filled = self._offset = 0

    def __enter__(self) -> "FileWriter":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self._flush()
                for write in self._writes:
                    if write is not None:
                        write.result()
                os.fsync(self._fd)
        finally:
            self._thread.shutdown()
            os.close(self._fd)

    @property
    def nbytes(self) -> int:
        """Bytes so far."""
        return self._offset + self._filled

    def space(self, nbytes: int) -> memoryview:
        """The next bytes to fill: at least one, at most `nbytes`."""
        return self._buffers[self._current][self._filled : self._filled + nbytes]

    def commit(self, nbytes: int) -> None:
        """Say that the first `nbytes` of `space` are filled."""
        self._filled += nbytes
        if self._filled == BUFFER:
            self._flush()

    def write(self, data: memoryview) -> None:
        """Append bytes."""
        while len(data):
            space = self.space(len(data))
            space[:] = data[: len(space)]
            data = data[len(space) :]
            self.commit(len(space))

    def _flush(self) -> None:
        data = self._buffers[self._current][: self._filled]
        self._writes[self._current] = self._thread.submit(self._write, data, self._offset)
        self._offset += self._filled
        self._current, self._filled = 1 - self._current, 0
        previous = self._writes[self._current]
        if previous is not None:
            previous.result()

    def _write(self, data: memoryview, offset: int) -> None:
        while len(data):
            written = os.pwrite(self._fd, data, offset)
            data, offset = data[written:], offset + written


class Merger:
    """Copies tensors from rank files to writers, checking what it reads.

    Args:
        reader: The rank files.
        advance: Called with the number of bytes whenever some were written.
    """

    def __init__(self, reader: RankReader, advance: Callable[[int], None]) -> None:
        self._reader = reader
        self._advance = advance
        self._scratch = memoryview(mmap.mmap(-1, BUFFER))
        self._rows = memoryview(mmap.mmap(-1, BUFFER))
        self._checker = RecordChecker(reader, self._scratch)

    def write_file(self, file: WeightFile, path: Path) -> None:
        """Write one safetensors file and fsync it.

        Raises:
            DianjinError: A rank file is damaged.
            OSError: Reading or writing failed.
        """
        with FileWriter(path) as writer:
            writer.write(memoryview(file.header))
            self._advance(len(file.header))
            for tensor in file.tensors:
                self._write_tensor(tensor, writer)
            if writer.nbytes != file.nbytes:  # a mistake of this program, not of its input
                raise RuntimeError(f"{path}: {writer.nbytes} bytes instead of {file.nbytes}")

    def _write_tensor(self, tensor: Tensor, writer: FileWriter) -> None:
        convert = converter(tensor.stored, tensor.dtype)
        for stripe in stripes(tensor):
            width = sum(run.width for run in stripe.runs)
            if width > BUFFER or stripe.rows == 1:
                for row in range(stripe.rows):
                    for run in stripe.runs:
                        self._copy(run, row, writer, convert)
            else:
                at_once = BUFFER // width
                for row in range(0, stripe.rows, at_once):
                    rows = min(at_once, stripe.rows - row)
                    data = self._interleave(stripe.runs, row, rows, width)
                    self._append(data, writer, convert)
        for piece in tensor.pieces:
            self._checker.finish(piece, tensor.name)

    def _append(self, data: memoryview, writer: FileWriter, convert: Convert | None) -> None:
        data = data if convert is None else convert(data)
        writer.write(data)
        self._advance(len(data))

    def _copy(self, run: Run, row: int, writer: FileWriter, convert: Convert | None) -> None:
        """Copy one row of one run: straight into the writer's buffer if it is not converted."""
        offset, end = run.offset + row * run.width, run.offset + (row + 1) * run.width
        while offset < end and convert is not None:
            data = self._scratch[: min(BUFFER, end - offset)]
            self._read(run, offset, data)
            self._append(data, writer, convert)
            offset += len(data)
        while offset < end:
            space = writer.space(end - offset)
            self._read(run, offset, space)
            writer.commit(len(space))
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
