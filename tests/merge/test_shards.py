"""The reader: what it reads, and above all what it refuses."""

import pickle
import subprocess
import sys
import zipfile

import pytest

from dianjin_ext.errors import DianjinError
from dianjin_ext.merge.shards import read_rank

RANK0 = "model_world_size_2_rank_0.pt"


def rewrite_pickle(path, change):
    """Replace data.pkl and keep the other records."""
    with zipfile.ZipFile(path) as archive:
        records = {info.filename: archive.read(info) for info in archive.infolist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in records.items():
            archive.writestr(name, change(data) if name.endswith("/data.pkl") else data)


def test_reads_without_torch_and_numpy(checkpoints):
    """Neither the import nor a read needs them, and the import is light."""
    file = checkpoints / "fsdp2-w2-tied" / "actor" / RANK0
    code = f"""
import sys
from pathlib import Path
import dianjin_ext.merge
heavy = {{"torch", "numpy", "verl", "transformers", "safetensors", "ray", "rich"}}
assert not heavy & set(sys.modules), heavy & set(sys.modules)
from dianjin_ext.merge.shards import read_rank
entries = read_rank(Path({str(file)!r}), 0)
assert not heavy & set(sys.modules), heavy & set(sys.modules)
print(len(entries), entries["lm_head.weight"].shape)
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert run.stdout == "27 (203, 64)\n", run.stderr


class Evil:
    def __init__(self, call, *args):
        self.call, self.args = call, args

    def __reduce__(self):
        return self.call, self.args


@pytest.mark.parametrize("where", ["value", "key", "inside a tensor's state"])
@pytest.mark.parametrize("protocol", [2, 5])
def test_code_in_the_pickle_is_refused_by_name(copy_of, tmp_path, where, protocol):
    import os

    proof = tmp_path / "ran"
    evil = Evil(os.system, f"touch {proof}")
    state = {"value": {"x": evil}, "key": {(evil,): 1}}.get(where)
    if state is None:
        import torch

        state = {"x": Evil(torch._tensor._rebuild_from_type_v2, torch.empty, dict, (), evil)}
    path = copy_of("fsdp2-w2-tied") / RANK0
    data = pickle.dumps(state, protocol=protocol)
    rewrite_pickle(path, lambda _: data)
    with pytest.raises(DianjinError, match=r"model_world_size_2_rank_0\.pt: the file names "):
        read_rank(path, 0)
    assert not proof.exists()
    pickle.loads(data) if where == "value" else None  # the same bytes do run elsewhere
    assert proof.exists() == (where == "value")


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("builtins", "eval"),
        ("builtins", "exec"),
        ("builtins", "__import__"),
        ("builtins", "getattr.__call__"),
        ("operator", "attrgetter"),
        ("torch", "load"),
        ("torch.hub", "load"),
        ("torch._utils", "_import_dotted_name"),
        ("dianjin_ext.merge.unpickle", "load_state"),
        ("subprocess", "Popen"),
    ],
)
def test_other_names_are_refused(copy_of, module, name):
    path = copy_of("fsdp2-w2-tied") / RANK0
    rewrite_pickle(path, lambda _: f"c{module}\n{name}\n.".encode())
    with pytest.raises(DianjinError, match=f"names {module}.{name}, which no FSDP model"):
        read_rank(path, 0)


def test_stand_ins_lead_nowhere(copy_of):
    """getattr on what the pickle makes yields another stand-in, never a real attribute."""
    path = copy_of("fsdp2-w2-tied") / RANK0
    chain = (
        b"cbuiltins\ngetattr\n(ctorch.distributed.x\nDeviceMesh\nX\x0b\x00\x00\x00__globals__tR."
    )
    rewrite_pickle(path, lambda _: b"\x80\x02" + chain)
    with pytest.raises(DianjinError, match="expected a state dict"):
        read_rank(path, 0)
    plain = b"cbuiltins\ngetattr\n(ccollections\nOrderedDict\nX\x09\x00\x00\x00__class__tR."
    rewrite_pickle(path, lambda _: b"\x80\x02" + plain)
    with pytest.raises(DianjinError, match="unreadable state dict"):
        read_rank(path, 0)


def test_tensors_are_rebuilt_by_known_functions_only(copy_of):
    path = copy_of("fsdp2-w2-tied") / RANK0
    other = (
        b"ctorch._tensor\n_rebuild_from_type_v2\n(ccollections\nOrderedDict\nctorch\nTensor\n)NtR."
    )
    rewrite_pickle(path, lambda _: b"\x80\x02" + other)
    with pytest.raises(DianjinError, match=r"a tensor rebuilt by .*OrderedDict"):
        read_rank(path, 0)


@pytest.mark.parametrize("left", [0, 10, 1000, 40_000])
def test_a_truncated_file_is_named(copy_of, left):
    path = copy_of("fsdp2-w2-tied") / RANK0
    with path.open("r+b") as file:
        file.truncate(left)
    with pytest.raises(DianjinError, match=rf"rank_0\.pt \({left} bytes\) is cut short"):
        read_rank(path, 0)


def test_a_damaged_pickle_is_noticed(copy_of):
    path = copy_of("fsdp2-w2-tied") / RANK0
    data = bytearray(path.read_bytes())
    data[data.index(b"q_proj")] ^= 1
    path.write_bytes(data)
    with pytest.raises(DianjinError, match=r"CRC32 of data\.pkl does not match"):
        read_rank(path, 0)


def test_unreduced_values_are_refused(copy_of):
    path = copy_of("fsdp2-w2-tied") / RANK0
    shard, partial = b"placement_types\nShard\n", b"placement_types\nPartial\n"
    rewrite_pickle(path, lambda data: data.replace(shard, partial))
    with pytest.raises(
        DianjinError, match=r"embed_tokens\.weight .* Partial: each rank holds a su"
    ):
        read_rank(path, 0)


def test_a_file_of_another_rank_is_refused(copy_of):
    """A renamed file of a 3-rank run: its shards are not those of the rank in its name."""
    actor = copy_of("fsdp2-w3-fp32")
    with pytest.raises(DianjinError, match=r"rank 2 at .* should hold .* but its shard is"):
        read_rank(actor / "model_world_size_3_rank_0.pt", 2)


@pytest.mark.parametrize(
    ("value", "reason"),
    [("an integer", "it is no tensor"), ("rows", "not contiguous"), ("sparse", "the file names")],
)
def test_what_is_no_dense_tensor(tmp_path, value, reason):
    torch = pytest.importorskip("torch")
    values = {
        "an integer": 7,
        "rows": torch.zeros(4, 6).t(),
        "sparse": torch.eye(3).to_sparse(),
    }
    path = tmp_path / "model_world_size_1_rank_0.pt"
    torch.save({"w": values[value]}, path)
    with pytest.raises(DianjinError, match=reason):
        read_rank(path, 0)


def test_float8_and_parameters(tmp_path):
    torch = pytest.importorskip("torch")
    path = tmp_path / "model_world_size_1_rank_0.pt"
    parameter = torch.nn.Parameter(torch.ones(2, 3))
    torch.save({"a": torch.zeros(3, 5).to(torch.float8_e4m3fn), "b": parameter}, path)
    entries = read_rank(path, 0)
    assert {k: (e.dtype.name, e.shape) for k, e in entries.items()} == {
        "a": ("float8_e4m3fn", (3, 5)),
        "b": ("float32", (2, 3)),
    }


def test_a_mesh_that_is_a_column_of_a_larger_one(tmp_path):
    """How torch 2.6 saves the mesh of FSDP over tensor parallelism."""
    import os

    from dianjin_ext.merge.shards import _Archive
    from dianjin_ext.merge.unpickle import load_state

    torch = pytest.importorskip("torch")
    path = tmp_path / "model_world_size_1_rank_0.pt"
    torch.save({"mesh": torch.arange(24).view(2, 4, 3)[:, 1:3, 2]}, path)
    fd = os.open(path, os.O_RDONLY)
    archive = _Archive(path, 0, fd)
    mesh = load_state(archive.read("data.pkl"), path)["mesh"]
    assert archive.integers(mesh) == [5, 8, 17, 20]
    with pytest.raises(ValueError, match="reaches beyond its storage"):
        archive.integers(mesh._replace(offset=20))
    os.close(fd)
