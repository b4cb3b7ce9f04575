"""Check the rank files' own CRC32s while their bytes pass by, in any order."""

import threading

from isal import isal_zlib  # sums up eight times faster than zlib

from dianjin_ext.errors import DianjinError
from dianjin_ext.merge.direct import buffer
from dianjin_ext.merge.shards import Piece
from dianjin_ext.merge.sources import RankReader

_SCRATCH = 1 << 18  # bytes


class RecordChecker:
    """Sums up every record as it is read, so that checking costs no second read.

    Only what the merge itself does not need, such as padding, is read in addition.
    """

    def __init__(self, reader: RankReader) -> None:
        self._reader = reader
        self._lock = threading.Lock()
        self._parts: dict[tuple[int, int], list[tuple[int, int, int]]] = {}  # offset, bytes, CRC32
        self._checked: set[tuple[int, int]] = set()  # among records that pieces may share

    def update(self, piece: Piece, name: str, offset: int, data: memoryview) -> None:
        """Take note of bytes of a piece, read from `offset` of its file.

        The record that holds the piece is checked once every byte of the piece was seen.

        Args:
            piece: The piece.
            name: The tensor's key, for the message.
            offset: Where the bytes lie in the rank's file.
            data: The bytes.

        Raises:
            DianjinError: The bytes are not those that were saved.
        """
        if piece.record.crc is None:
            return
        part = (offset, len(data), isal_zlib.crc32(data))
        key = (piece.record.rank, piece.offset)
        with self._lock:
            parts = self._parts.setdefault(key, [])
            parts.append(part)
            if sum(nbytes for _, nbytes, _ in parts) < piece.nbytes:
                return
            del self._parts[key]
        self._check(piece, name, sorted(parts))

    def _check(self, piece: Piece, name: str, parts: list[tuple[int, int, int]]) -> None:
        record = piece.record
        if record.nbytes > piece.nbytes:
            with self._lock:
                if (record.rank, record.offset) in self._checked:
                    return
                self._checked.add((record.rank, record.offset))
        crc = self._sum(record.rank, record.offset, piece.offset)
        for _, nbytes, following in parts:
            crc = isal_zlib.crc32_combine(crc, following, nbytes)
        end = piece.offset + piece.nbytes
        crc = self._sum(record.rank, end, record.offset + record.nbytes, crc)
        if crc != record.crc:
            raise DianjinError(
                f"{self._reader.path(record.rank)}: {name}: the CRC32 stored with the data is "
                f"{record.crc:08x}, that of the data is {crc:08x}; the file is damaged, copy it "
                "again or take an earlier checkpoint"
            )

    def _sum(self, rank: int, begin: int, end: int, crc: int = 0) -> int:
        """Read bytes of a rank's file and continue a CRC32 with them."""
        scratch = buffer(min(_SCRATCH, end - begin)) if begin < end else memoryview(b"")
        while begin < end:
            part = scratch[: end - begin]
            self._reader.read_into(rank, begin, part)
            crc = isal_zlib.crc32(part, crc)
            begin += len(part)
        return crc
