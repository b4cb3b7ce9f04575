"""Which part of a tensor a rank holds, from its placements and its device mesh."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from dianjin_ext.merge.unpickle import StandIn, TensorRef

Shape = tuple[int, ...]


class Box(NamedTuple):
    """A rectangular part of a tensor: where it begins and how large it is, in elements."""

    start: Shape
    shape: Shape


class Placement(NamedTuple):
    """How one mesh dimension splits a tensor; `dim` is None where it holds copies."""

    dim: int | None
    strided: bool = False


def read_placement(placement: StandIn, ndim: int) -> Placement:
    """Read one placement of a DTensor.

    Raises:
        ValueError: The placement is neither Shard nor Replicate.
    """
    kind = placement.kind()
    if kind == "Replicate":
        return Placement(None)
    if kind in ("Shard", "_StridedShard"):
        dim = placement.state["dim"] if placement.state else placement.args[0]
        return Placement(dim % ndim, strided=kind == "_StridedShard")
    if "Partial" in kind:
        raise ValueError(
            f"its placement is {kind}: each rank holds a summand that was not yet reduced, not a "
            "part of the weight. Save the checkpoint outside the forward and backward pass"
        )
    raise ValueError(f"its placement {kind} is unknown")


def mesh_position(
    mesh: StandIn, rank: int, integers: Callable[[TensorRef], list[int]]
) -> tuple[Shape, Shape]:
    """Find the shape of a device mesh and where a rank stands in it.

    The position follows from the mesh's list of ranks; the coordinate that torch stores beside it
    is that of the process that pickled, which need not be the file's rank.

    Args:
        mesh: A pickled DeviceMesh, in any of the forms that torch has given it.
        rank: The global rank.
        integers: Reads the numbers of an integer tensor of the same file.

    Returns:
        The mesh's shape and the rank's coordinate.

    Raises:
        ValueError: The form is unknown, or the rank is not in the mesh.
    """
    state = mesh.state
    layout = state.get("_layout")
    if layout is not None:  # torch 2.10 and later: shapes and strides over the list of all ranks
        index = _index(integers(state["_rank_map"]), rank)
        axes = layout.state.get("axes")
        if axes is None:
            sizes, strides = (_nested(layout.state[key]) for key in ("shape", "stride"))
        else:  # torch 2.13
            sizes, strides = ([axis.state[key] for axis in axes] for key in ("shape", "stride"))
        shape = tuple(math.prod(size) for size in sizes)
        coordinate = []
        for size, stride in zip(sizes, strides, strict=True):
            position = 0
            for n, step in zip(size, stride, strict=True):
                position = position * n + index // step % n
            coordinate.append(position)
        return shape, tuple(coordinate)
    tensor = state.get("mesh", state.get("_mesh"))
    if isinstance(tensor, TensorRef):
        index = _index(integers(tensor), rank)
        backwards = []
        for extent in reversed(tensor.shape):
            index, position = divmod(index, extent)
            backwards.append(position)
        return tensor.shape, tuple(reversed(backwards))
    raise ValueError("its device mesh is in a form that this version does not know")


def _index(ranks: list[int], rank: int) -> int:
    if rank not in ranks:
        raise ValueError(f"rank {rank} is not in its device mesh, which holds the ranks {ranks}")
    return ranks.index(rank)


def _nested(value: Any) -> list[Shape]:
    """One tuple a mesh dimension; one flattened from several dimensions has several entries."""
    dims = value if isinstance(value, tuple) else (value,)
    return [dim if isinstance(dim, tuple) else (dim,) for dim in dims]


def local_box(
    shape: Shape,
    placements: list[Placement],
    mesh_shape: Shape,
    coordinate: Shape,
    order: dict[int, Shape],
) -> Box:
    """Find the part of a tensor that stands at one coordinate of a mesh.

    Each split is torch.chunk's: equal parts rounded up, so that the last ones are short or empty.

    Args:
        shape: The global shape.
        placements: One for each mesh dimension.
        mesh_shape: The mesh's shape.
        coordinate: The position in the mesh.
        order: For a tensor dimension, the mesh dimensions that split it, first one first, where
            the checkpoint says so. Otherwise it is from left to right, or from right to left if
            one of them is strided (FSDP over tensor parallelism splits last what it names first).
    """
    start, size = [0] * len(shape), list(shape)
    for dim in {p.dim for p in placements if p.dim is not None}:
        splits: list[int] = [i for i, p in enumerate(placements) if p.dim == dim]
        if any(placements[i].strided for i in splits):
            splits.reverse()
        elif sorted(order.get(dim, ())) == splits:
            splits = list(order[dim])
        for i in splits:
            chunk = -(-size[dim] // mesh_shape[i])
            begin = min(coordinate[i] * chunk, size[dim])
            start[dim] += begin
            size[dim] = min(chunk, size[dim] - begin)
    return Box(tuple(start), tuple(size))
