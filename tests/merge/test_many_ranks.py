"""A world of 1024 ranks: every shard is read and put in its place, in little memory."""

import os
import subprocess
import sys

import pytest

WORLD = 1024
WRITE = """
import sys
import torch
import torch.distributed as dist
from pathlib import Path
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.tensor import DTensor, Shard
from torch.testing._internal.distributed.fake_pg import FakeStore

out, world = Path(sys.argv[1]), int(sys.argv[2])
for rank in range(world):
    dist.init_process_group("fake", store=FakeStore(), rank=rank, world_size=world)
    mesh = init_device_mesh("cpu", (world,), mesh_dim_names=("fsdp",))
    state = {}
    # even; uneven, so that the last ranks hold nothing; too few rows; columns
    for name, rows, columns, dim in [
        ("even", 2048, 9, 0), ("uneven", 1500, 3, 0), ("few", 5, 7, 0), ("columns", 3, 1100, 1)
    ]:
        whole = torch.arange(rows * columns, dtype=torch.int32).view(rows, columns)
        chunks = whole.chunk(world, dim)
        empty = whole.narrow(dim, 0, 0)
        local = (chunks[rank] if rank < len(chunks) else empty).clone()
        state[name] = DTensor.from_local(
            local, mesh, [Shard(dim)], run_check=False, shape=whole.shape, stride=whole.stride()
        )
    torch.save(state, out / f"model_world_size_{world}_rank_{rank}.pt")
    dist.destroy_process_group()
"""
MERGE = """
import re, sys
from pathlib import Path
from dianjin_ext.merge import merge_checkpoint
merge_checkpoint(sys.argv[1], sys.argv[2], base_model=sys.argv[3])
print(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1])
"""


@pytest.mark.slow
def test_1024_ranks(tmp_path, bare_model):
    torch = pytest.importorskip("torch")
    from safetensors.torch import load_file

    source = tmp_path / "actor"
    source.mkdir()
    env = {**os.environ, "OMP_NUM_THREADS": "1"}

    def python(script, *arguments):
        command = [sys.executable, "-c", script, *map(str, arguments)]
        run = subprocess.run(command, env=env, capture_output=True, text=True)
        assert run.returncode == 0, run.stderr
        return run.stdout

    python(WRITE, source, WORLD)
    peak = int(python(MERGE, source, tmp_path / "merged", bare_model)) / 1024  # MiB
    assert peak < 64
    merged = load_file(tmp_path / "merged" / "model.safetensors")
    shapes = {name: tuple(tensor.shape) for name, tensor in merged.items()}
    assert shapes == {"even": (2048, 9), "uneven": (1500, 3), "few": (5, 7), "columns": (3, 1100)}
    for tensor in merged.values():
        assert torch.equal(tensor.flatten(), torch.arange(tensor.numel(), dtype=torch.int32))
