"""Transfers past the page cache, and what happens where there are none."""

import ctypes
import errno
import os
import random

import pytest

from dianjin_ext.errors import DianjinError
from dianjin_ext.merge import merge_checkpoint
from dianjin_ext.merge.direct import buffer, is_cached, is_direct, open_direct, read_at, write_at
from dianjin_ext.merge.sources import RankReader


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(random.Random(0).randbytes(3_000_001))
    with path.open("rb") as opened:
        os.fsync(opened)
    return path


def test_a_file_just_written_is_cached(file):
    with file.open("rb") as opened:
        assert is_cached(opened.fileno(), file.stat().st_size)


@pytest.mark.parametrize("cached", [True, False])
def test_any_range_is_read(file, monkeypatch, cached):
    """From the cache and past it: the ranges begin and end anywhere."""
    import dianjin_ext.merge.sources as sources

    monkeypatch.setattr(sources, "is_cached", lambda *_: cached)
    whole, random_ = file.read_bytes(), random.Random(1)
    with RankReader([file]) as reader:
        ranges = [(0, len(whole)), (4096, 4096), (4095, 2), (len(whole) - 1, 1)]
        ranges += [(at, random_.randrange(1, 3_000)) for at in random_.sample(range(2_990_000), 50)]
        for offset, nbytes in ranges:
            data = memoryview(bytearray(nbytes))
            reader.read_into(0, offset, data)
            assert data == whole[offset : offset + nbytes]
        with pytest.raises(DianjinError, match=f"reading stopped at byte {len(whole)}"):
            reader.read_into(0, len(whole) - 5, memoryview(bytearray(6)))


def test_unaligned_transfers_go_through_the_cache(tmp_path):
    """O_DIRECT is refused at the first write, as some file systems do."""
    fd = open_direct(tmp_path / "file", os.O_RDWR | os.O_CREAT)
    write_at(fd, memoryview(b"seven b"), 3)
    assert not is_direct(fd)
    data = buffer(7)
    assert read_at(fd, data, 3) == 7
    assert bytes(data) == b"seven b"
    os.close(fd)


def test_other_errors_are_raised(tmp_path):
    fd = os.open(tmp_path / "file", os.O_RDONLY | os.O_CREAT)
    with pytest.raises(OSError, match="Bad file descriptor"):
        write_at(fd, memoryview(b"x"), 0)
    os.close(fd)


@pytest.mark.parametrize("refused", ["on opening", "on the first transfer", "never"])
def test_the_merge_is_the_same_without_direct_transfers(
    checkpoints, tmp_path, monkeypatch, refused
):
    import dianjin_ext.merge.direct as direct
    import dianjin_ext.merge.sources as sources

    source = checkpoints / "fsdp2-w4-columns"
    merge_checkpoint(source, tmp_path / "usual")
    monkeypatch.setattr(sources, "is_cached", lambda *_: False)
    opened, calls = os.open, []

    def refuse(path, flags, *arguments, **options):
        if flags & os.O_DIRECT:
            raise OSError(errno.EINVAL, "no O_DIRECT here")
        return opened(path, flags, *arguments, **options)

    def fail_once(function):
        def transfer(fd, *arguments):
            if is_direct(fd):
                calls.append(function)
                raise OSError(errno.EINVAL, "not after all")
            return function(fd, *arguments)

        return transfer

    if refused == "on opening":
        monkeypatch.setattr(direct.os, "open", refuse)
    elif refused == "on the first transfer":
        for name in ("pwrite", "preadv"):
            monkeypatch.setattr(direct.os, name, fail_once(getattr(os, name)))
    merge_checkpoint(source, tmp_path / "out", verify=True)
    for path in (tmp_path / "usual").iterdir():
        assert (tmp_path / "out" / path.name).read_bytes() == path.read_bytes()
    assert bool(calls) == (refused == "on the first transfer")


def test_short_transfers_go_on(checkpoints, tmp_path, monkeypatch):
    """The system may write or read less than it was given, at a signal or a full queue."""
    import dianjin_ext.merge.direct as direct
    import dianjin_ext.merge.sources as sources

    source = checkpoints / "fsdp2-w3-fp32"
    merge_checkpoint(source, tmp_path / "usual")
    monkeypatch.setattr(sources, "is_cached", lambda *_: False)
    write, read = os.pwrite, os.preadv

    def half(data):
        return max(len(data) // 2 // direct.ALIGN, 1) * direct.ALIGN

    monkeypatch.setattr(direct.os, "pwrite", lambda fd, data, at: write(fd, data[: half(data)], at))
    monkeypatch.setattr(
        direct.os, "preadv", lambda fd, buffers, at: read(fd, [buffers[0][: half(buffers[0])]], at)
    )
    merge_checkpoint(source, tmp_path / "out", verify=True)
    for path in (tmp_path / "usual").iterdir():
        assert (tmp_path / "out" / path.name).read_bytes() == path.read_bytes()


@pytest.mark.parametrize("code", [errno.EOPNOTSUPP, errno.ENOSPC])
def test_room_that_cannot_be_reserved(checkpoints, tmp_path, monkeypatch, code):
    """Where the file system can't reserve, the merge goes on; where the disk is full, it ends."""
    import dianjin_ext.merge.direct as direct

    class Libc:
        @staticmethod
        def fallocate(*_):
            ctypes.set_errno(code)
            return -1

    source = checkpoints / "fsdp2-w1"
    merge_checkpoint(source, tmp_path / "usual")
    monkeypatch.setattr(direct, "_libc", Libc)
    if code == errno.ENOSPC:
        with pytest.raises(DianjinError, match="No space left on device"):
            merge_checkpoint(source, tmp_path / "out")
        assert not (tmp_path / "out").exists()
        return
    merge_checkpoint(source, tmp_path / "out")
    for path in (tmp_path / "usual").iterdir():
        assert (tmp_path / "out" / path.name).read_bytes() == path.read_bytes()
