import random
import threading
import zlib

import pytest

from dianjin_ext.errors import DianjinError
from dianjin_ext.merge.assemble import same_bytes
from dianjin_ext.merge.checksums import RecordChecker
from dianjin_ext.merge.layout import Box
from dianjin_ext.merge.shards import Piece, Record
from dianjin_ext.merge.sources import RankReader


@pytest.fixture
def record(tmp_path):
    """A file of one record of 10,000 bytes from byte 64 on: its bytes, and a piece of it."""
    data = random.Random(0).randbytes(10_000)
    path = tmp_path / "rank"
    path.write_bytes(bytes(64) + data + bytes(64))

    def piece(begin, end, crc=None):
        crc = zlib.crc32(data) if crc is None else crc
        return Piece(
            Box((begin,), (end - begin,)), Record(0, 64, 10_000, crc), 64 + begin, end - begin
        )

    with RankReader([path]) as reader:
        yield data, piece, RecordChecker(reader)


def cuts(begin, end, step=700):
    return [(at, min(at + step, end)) for at in range(begin, end, step)]


@pytest.mark.parametrize(("begin", "end"), [(0, 10_000), (0, 4_000), (3_000, 7_000)])
def test_parts_in_any_order_from_several_threads(record, begin, end):
    """Whole records, records with padding, and pieces in the midst of one."""
    data, piece, checker = record
    for crc, damaged in ((None, False), (12345, True)):
        parts = cuts(begin, end)
        random.Random(1).shuffle(parts)
        found = []

        def work(parts, crc=crc, found=found):
            for a, b in parts:
                try:
                    checker.update(piece(begin, end, crc), "w", 64 + a, memoryview(data[a:b]))
                except DianjinError as error:
                    found.append(str(error))

        if damaged:  # a record is looked at once, so this one must be another
            checker._checked.clear()
        threads = [threading.Thread(target=work, args=(parts[i::3],)) for i in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(found) == damaged
        if damaged:
            assert "w: the CRC32 stored with the data is 00003039, that of the data is " in found[0]
        assert not checker._parts


def test_padding_is_summed_up_too(record):
    data, piece, checker = record
    wrong = zlib.crc32(data[:4_000])
    with pytest.raises(DianjinError, match="the file is damaged"):
        checker.update(piece(0, 4_000, wrong), "w", 64, memoryview(data[:4_000]))


def test_without_a_crc_nothing_is_checked(record):
    _, piece, checker = record
    unknown = piece(0, 100)._replace(record=Record(0, 64, 10_000, None))
    checker.update(unknown, "w", 64, memoryview(bytes(100)))


def test_parts_of_equal_records_are_equal_at_the_same_place_only(tmp_path):
    data = random.Random(0).randbytes(10_000)
    paths = [tmp_path / "rank0", tmp_path / "rank1"]
    for path in paths:
        path.write_bytes(data)

    def part(rank, at):
        record = Record(rank, 0, len(data), zlib.crc32(data))
        return Piece(Box((0,), (100,)), record, at, 100)

    with RankReader(paths) as reader:
        assert same_bytes(part(0, 200), part(1, 200), reader)
        assert not same_bytes(part(0, 200), part(1, 300), reader)
