"""Boxes against torch's own arithmetic; stripes against numpy's slicing."""

import itertools
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dianjin_ext.merge.assemble import Tensor
from dianjin_ext.merge.dtypes import DTYPES
from dianjin_ext.merge.layout import Box, Placement, local_box, mesh_position
from dianjin_ext.merge.shards import Piece, Record
from dianjin_ext.merge.stripes import stripes
from dianjin_ext.merge.unpickle import StandIn, StorageRef, TensorRef

MESHES = st.lists(st.integers(1, 4), min_size=1, max_size=3).map(tuple)


@st.composite
def sharded(draw):
    mesh = draw(MESHES)
    shape = draw(st.lists(st.integers(1, 9), min_size=1, max_size=3).map(tuple))
    dims = st.none() | st.integers(0, len(shape) - 1)
    return shape, mesh, [draw(dims) for _ in mesh]


@given(sharded())
@settings(max_examples=150, deadline=None)
def test_boxes_are_those_of_torch(case):
    utils = pytest.importorskip("torch.distributed.tensor._utils")
    from torch.distributed.tensor import Replicate, Shard

    shape, mesh, dims = case
    theirs = [Replicate() if dim is None else Shard(dim) for dim in dims]
    ours = [Placement(dim) for dim in dims]
    for coordinate in itertools.product(*map(range, mesh)):
        size, start = utils._compute_local_shape_and_global_offset(
            shape, mesh, coordinate.__getitem__, theirs
        )
        box = local_box(shape, ours, mesh, coordinate, {})
        assert box.shape == tuple(size)
        if math.prod(size):  # where an empty shard begins means nothing
            assert box.start == tuple(start)


def test_strided_splits_go_from_right_to_left():
    """The table in the docstring of torch's _StridedShard."""
    placements = [Placement(0, strided=True), Placement(0)]
    rows = {
        at: local_box((8, 8), placements, (2, 2), at, {}).start[0]
        for at in itertools.product(range(2), range(2))
    }
    assert rows == {(0, 0): 0, (0, 1): 4, (1, 0): 2, (1, 1): 6}


def test_the_order_that_a_checkpoint_states_counts():
    placements = [Placement(0), Placement(0)]
    first = local_box((8,), placements, (2, 2), (0, 1), {0: (1, 0)})
    assert first == Box((4,), (2,))


def stand_in(**state):
    made = StandIn()
    made.state = state
    return made


INT64 = StorageRef(DTYPES["int64"], "0")


@pytest.mark.parametrize(
    ("shape", "stride", "rank", "position"),
    [
        ((2, 2), (2, 1), 5, ((2, 2), (0, 1))),  # a whole mesh over the ranks 4 to 7
        ((2,), (2,), 7, ((2,), (1,))),  # its first dimension alone, seen from rank 7
        (2, 1, 6, ((2,), (0,))),  # its last one
        (((2, 2),), ((2, 1),), 6, ((4,), (2,))),  # both flattened into one
        (((2, 2),), ((1, 2),), 6, ((4,), (1,))),  # flattened in the other order
    ],
)
def test_position_in_meshes_of_recent_torch(shape, stride, rank, position):
    mesh = stand_in(
        _layout=stand_in(shape=shape, stride=stride),
        _rank_map=TensorRef(INT64, DTYPES["int64"], 0, (4,), (1,)),
        _coordinate_on_dim=(9, 9),  # never trusted
    )
    assert mesh_position(mesh, rank, lambda _: [4, 5, 6, 7]) == position


def test_position_in_meshes_of_torch_2_13():
    """One flat layout a dimension; a dimension of one rank has no entries."""
    axes = [((), ()), ((2, 2), (1, 2))]
    mesh = stand_in(
        _layout=stand_in(axes=tuple(stand_in(shape=s, stride=t) for s, t in axes)),
        _rank_map=TensorRef(INT64, DTYPES["int64"], 0, (4,), (1,)),
    )
    assert mesh_position(mesh, 6, lambda _: [4, 5, 6, 7]) == ((1, 4), (0, 1))


def test_position_in_meshes_of_older_torch():
    tensor = TensorRef(INT64, DTYPES["int64"], 0, (2, 3), (3, 1))
    mesh = stand_in(mesh=tensor, mesh_dim_names=("ddp", "fsdp"))
    assert mesh_position(mesh, 14, lambda _: [10, 11, 12, 13, 14, 15]) == ((2, 3), (1, 1))
    with pytest.raises(ValueError, match="rank 3 is not in its device mesh"):
        mesh_position(mesh, 3, lambda _: [10, 11, 12, 13, 14, 15])


@st.composite
def grids(draw):
    shape = draw(st.lists(st.integers(1, 6), min_size=1, max_size=4).map(tuple))
    cuts = []
    for size in shape:
        inner = draw(st.sets(st.integers(1, size - 1))) if size > 1 else set()
        cuts.append([0, *sorted(inner), size])
    return shape, cuts


@given(grids())
@settings(max_examples=200, deadline=None)
def test_stripes_put_a_grid_together(case):
    np = pytest.importorskip("numpy")
    shape, cuts = case
    whole = np.arange(math.prod(shape), dtype=np.int32).reshape(shape)
    pieces, files = [], []
    for edges in itertools.product(*(list(itertools.pairwise(c)) for c in cuts)):
        part = whole[tuple(slice(*edge) for edge in edges)].tobytes()
        box = Box(tuple(a for a, _ in edges), tuple(b - a for a, b in edges))
        pieces.append(Piece(box, Record(len(files), 0, len(part), None), 0, len(part)))
        files.append(part)
    int32 = DTYPES["int32"]
    out = b""
    for stripe in stripes(Tensor("w", int32, int32, shape, tuple(pieces))):
        for row in range(stripe.rows):
            for run in stripe.runs:
                begin = run.offset + row * run.width
                out += files[run.piece.record.rank][begin : begin + run.width]
    assert out == whole.tobytes()


def test_unknown_and_partial_placements_are_refused():
    from dianjin_ext.merge.layout import read_placement

    for kind, reason in (("Partial", "summand that was not yet reduced"), ("Ragged", "unknown")):
        placement = type("Kind", (StandIn,), {"qualname": f"torch.distributed.{kind}"})()
        with pytest.raises(ValueError, match=reason):
            read_placement(placement, 2)
