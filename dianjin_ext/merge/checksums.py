"""Check the rank files' own CRC32s while their bytes pass by."""

import zlib

from dianjin_ext.errors import DianjinError
from dianjin_ext.merge.shards import Piece, Record
from dianjin_ext.merge.sources import RankReader


class RecordChecker:
    """Sums up every record as it is read, so that checking costs no second read.

    Only what the merge itself does not need, such as padding, is read in addition.
    """

    def __init__(self, reader: RankReader, scratch: memoryview) -> None:
        self._reader = reader
        self._scratch = scratch
        self._running: dict[Record, tuple[int, int]] = {}  # next offset, CRC32 so far
        self._checked: set[Record] = set()

    def update(self, record: Record, offset: int, data: memoryview) -> None:
        """Take note of bytes read from `offset` of the record's file."""
        if record.crc is None:
            return
        expected, crc = self._running.get(record, (record.offset, 0))
        if offset == expected:
            self._running[record] = (offset + len(data), zlib.crc32(data, crc))

    def finish(self, piece: Piece, name: str) -> None:
        """Check the record that a piece lies in, once the piece has been read.

        Args:
            piece: The piece.
            name: The tensor's key, for the message.

        Raises:
            DianjinError: The bytes are not those that were saved.
        """
        record = piece.record
        if record.crc is None or record in self._checked:
            return
        offset, crc = self._running.pop(record, (record.offset, 0))
        end = record.offset + record.nbytes
        while offset < end:
            part = self._scratch[: min(len(self._scratch), end - offset)]
            self._reader.read_into(record.rank, offset, part)
            crc = zlib.crc32(part, crc)
            offset += len(part)
        if crc != record.crc:
            raise DianjinError(
                f"{self._reader.path(record.rank)}: {name}: the CRC32 stored with the data is "
                f"{record.crc:08x}, that of the data is {crc:08x}; the file is damaged, copy it "
                "again or take an earlier checkpoint"
            )
        self._checked.add(record)
