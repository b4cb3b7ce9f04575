"""Read what one rank's file holds, without torch: names, types, shapes and where the bytes lie.

A `model_world_size_N_rank_R.pt` is what torch.save writes: an uncompressed zip archive with the
state dict in `data.pkl` and the bytes of storage K in `data/K`, each with its CRC32.
"""

import math
import os
import struct
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

from isal import isal_zlib

from dianjin_ext.errors import DianjinError
from dianjin_ext.merge.dtypes import DType
from dianjin_ext.merge.layout import (
    Box,
    Shape,
    local_box,
    mesh_position,
    read_placement,
)
from dianjin_ext.merge.unpickle import StandIn, TensorRef, WrapperRef, load_state


class Record(NamedTuple):
    """The bytes of one storage in a rank's file; `crc` is None where torch wrote none."""

    rank: int
    offset: int
    nbytes: int
    crc: int | None


class Piece(NamedTuple):
    """A box of a tensor and the contiguous bytes that hold it.

    `offset` counts from the start of the file. A storage may be longer than the piece: FSDP2 pads
    short shards, and tied weights share one storage.
    """

    box: Box
    record: Record
    offset: int
    nbytes: int


@dataclass(frozen=True, slots=True)
class Entry:
    """What one rank holds of one tensor; an empty shard is no piece at all."""

    dtype: DType
    shape: Shape
    pieces: tuple[Piece, ...]


class _Archive:
    """An open rank file."""

    def __init__(self, path: Path, rank: int, fd: int) -> None:
        self.path, self.rank, self.fd = path, rank, fd
        self.size = os.fstat(fd).st_size
        try:
            with zipfile.ZipFile(path) as archive:
                infos = archive.infolist()
        except (zipfile.BadZipFile, struct.error, NotImplementedError) as error:
            raise DianjinError(
                f"{path} ({self.size} bytes) is cut short or was not written by torch.save "
                f"({error}); copy it again or take an earlier checkpoint"
            ) from error
        self.infos = {info.filename.partition("/")[2]: info for info in infos}
        pickled = self.infos.get("data.pkl")
        if pickled is None:
            raise DianjinError(f"{path}: no data.pkl inside; torch.save did not write this file")
        self.has_crc = pickled.CRC != 0  # torch.serialization.set_crc32_options(False) writes 0
        self.record = cache(self._record)
        self.integers = cache(self._integers)

    def _record(self, name: str) -> Record:
        info = self.infos.get(name)
        if info is None:
            raise DianjinError(f"{self.path}: the archive lacks {name}")
        if info.compress_type != zipfile.ZIP_STORED:
            raise DianjinError(f"{self.path}: {name} is compressed; torch.save never does that")
        # The local header repeats name and extra field, with a padding of its own.
        header = os.pread(self.fd, 30, info.header_offset)
        if len(header) < 30 or header[:4] != b"PK\3\4":
            raise DianjinError(f"{self.path}: damaged header before {name}; copy the file again")
        offset = info.header_offset + 30 + sum(struct.unpack("<HH", header[26:30]))
        if offset + info.file_size > self.size:
            raise DianjinError(f"{self.path}: {name} runs past the end of the file")
        return Record(self.rank, offset, info.file_size, info.CRC if self.has_crc else None)

    def read(self, name: str) -> bytes:
        record = self.record(name)
        data = os.pread(self.fd, record.nbytes, record.offset)
        if record.crc is not None and isal_zlib.crc32(data) != record.crc:
            raise DianjinError(
                f"{self.path}: the CRC32 of {name} does not match; the file is damaged"
            )
        return data

    def piece(self, tensor: TensorRef, start: Shape) -> Piece:
        """Locate the bytes of a tensor that begins at `start` of the global one."""
        expected = 1
        numel = math.prod(tensor.shape)
        for size, stride in zip(reversed(tensor.shape), reversed(tensor.strides), strict=True):
            if size > 1 and stride != expected and numel:
                raise ValueError(
                    f"its rows are not contiguous (shape {tensor.shape}, strides {tensor.strides})"
                )
            expected *= size
        record = self.record(f"data/{tensor.storage.key}")
        offset = tensor.offset * tensor.dtype.size
        nbytes = numel * tensor.dtype.size
        if min(tensor.offset, 0, *tensor.shape) < 0 or offset + nbytes > record.nbytes:
            raise ValueError(f"its shape {tensor.shape} needs more bytes than its storage holds")
        return Piece(Box(start, tensor.shape), record, record.offset + offset, nbytes)

    def _integers(self, tensor: TensorRef) -> list[int]:
        """The numbers of an integer tensor, which may be a column of a larger one."""
        places = [tensor.offset]
        for size, stride in zip(tensor.shape, tensor.strides, strict=True):
            places = [place + i * stride for place in places for i in range(size)]
        data = self.read(f"data/{tensor.storage.key}")
        width = tensor.dtype.size
        if min(places) < 0 or (max(places) + 1) * width > len(data):
            raise ValueError(f"a tensor of shape {tensor.shape} reaches beyond its storage")
        return [int.from_bytes(data[p * width : (p + 1) * width], "little") for p in places]


def read_rank(path: Path, rank: int) -> dict[str, Entry]:
    """Read the headers of one rank's file.

    Args:
        path: A `model_world_size_N_rank_R.pt`.
        rank: Its R; decides which part of each tensor the file holds.

    Returns:
        What the rank holds of every tensor, in the order of the state dict.

    Raises:
        DianjinError: The file is damaged, or holds anything but tensors whose parts can be told.
    """
    try:
        fd = os.open(path, os.O_RDONLY)
    except OSError as error:
        raise DianjinError(f"cannot read {path}: {error.strerror}") from error
    try:
        archive = _Archive(path, rank, fd)
        if "byteorder" in archive.infos and archive.read("byteorder") != b"little":
            raise DianjinError(f"{path}: written on a big-endian machine, which is not supported")
        # One mesh serves many tensors.
        position = cache(lambda mesh: mesh_position(mesh, rank, archive.integers))
        entries = {}
        for name, value in load_state(archive.read("data.pkl"), path).items():
            try:
                entries[name] = _entry(value, archive, position)
            except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
                reason = error if isinstance(error, ValueError) else repr(error)
                raise DianjinError(f"{path}: {name} cannot be merged: {reason}") from error
        return entries
    finally:
        os.close(fd)


def _entry(
    value: object, archive: _Archive, position: Callable[[StandIn], tuple[Shape, Shape]]
) -> Entry:
    if isinstance(value, TensorRef):  # the same on every rank
        piece = archive.piece(value, (0,) * len(value.shape))
        return Entry(value.dtype, value.shape, (piece,))
    if not isinstance(value, WrapperRef):
        raise ValueError("it is no tensor")
    if value.kind == "DTensor":
        return _dtensor(value, archive, position)
    if value.kind == "ShardedTensor":  # FSDP1 without a device mesh
        shards, metadata, *_ = value.state
        pieces = []
        for shard in shards:
            start = tuple(shard.state["metadata"].state["shard_offsets"])
            pieces.append(archive.piece(shard.state["tensor"], start))
        dtype = metadata.state["tensor_properties"].state[0]
        return Entry(dtype, value.shape, tuple(piece for piece in pieces if piece.nbytes))
    raise ValueError(f"it is a {value.kind}, which is not known")


def _dtensor(
    value: WrapperRef, archive: _Archive, position: Callable[[StandIn], tuple[Shape, Shape]]
) -> Entry:
    local, spec = value.state["_local_tensor"], value.state["_spec"].state
    placements = [read_placement(p, len(value.shape)) for p in spec["placements"]]
    mesh_shape, coordinate = position(spec["mesh"])
    if len(mesh_shape) != len(placements):
        raise ValueError(f"it has {len(placements)} placements on a mesh of shape {mesh_shape}")
    order = dict(entry.args for entry in spec.get("shard_order") or ())
    box = local_box(value.shape, placements, mesh_shape, coordinate, order)
    if box.shape != local.shape:
        raise ValueError(
            f"rank {archive.rank} at {coordinate} of the mesh {mesh_shape} should hold "
            f"{box.shape} of {value.shape}, but its shard is {local.shape}"
        )
    piece = archive.piece(local, box.start)
    return Entry(local.dtype, value.shape, (piece,) if piece.nbytes else ())
