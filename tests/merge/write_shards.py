"""Write real sharded state dicts with whatever torch runs this: `python write_shards.py OUT`.

Needs torch 2.4 or later and nothing else. Each case becomes OUT/NAME/actor (the rank files) and
OUT/NAME/original.pt (the state before sharding). A case that this torch cannot do on a CPU is left
out; OUT/skipped.json then says why. OUT/torch.txt holds the version.
"""

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.distributed as dist
from torch import nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import FullyShardedDataParallel, ShardedStateDictConfig, StateDictType
from torch.distributed.fsdp import ShardingStrategy as Strategy

WORLD = 8


@dataclass(frozen=True)
class Case:
    name: str
    kind: str  # fsdp1, fsdp2, or dtensor: no FSDP, but the tensors that FSDP2 makes
    mesh: tuple[int, ...]
    names: tuple[str, ...] | None = ("fsdp",)  # of the mesh; None: FSDP1 without a mesh
    columns: bool = False

    @property
    def world(self):
        return self.mesh[0] * (self.mesh[1] if len(self.mesh) > 1 else 1)


CASES = [
    Case("dtensor-w3", "dtensor", (3,)),
    Case("dtensor-2d", "dtensor", (2, 2), ("fsdp", "tp")),
    Case("fsdp1-w1", "fsdp1", (1,)),
    Case("fsdp1-w4", "fsdp1", (4,)),
    Case("fsdp1-w3-no-mesh", "fsdp1", (3,), None),
    Case("fsdp1-hsdp", "fsdp1", (2, 2), ("ddp", "fsdp")),
    Case("fsdp2-w1", "fsdp2", (1,)),
    Case("fsdp2-w3", "fsdp2", (3,)),
    Case("fsdp2-w8", "fsdp2", (8,)),
    Case("fsdp2-w8-columns", "fsdp2", (8,), columns=True),
    Case("fsdp2-hsdp", "fsdp2", (2, 4), ("ddp", "fsdp")),
    Case("fsdp2-tp", "fsdp2", (4, 2), ("fsdp", "tp")),
]


class Tiny(nn.Module):
    """Sizes that most worlds do not divide, a weight of fewer rows than ranks, tied weights."""

    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(103, 18)
        self.up = nn.Linear(18, 40)
        self.down = nn.Linear(40, 18, bias=False)
        self.head = nn.Linear(18, 103, bias=False)
        self.score = nn.Linear(18, 2)
        self.head.weight = self.embed.weight


def build():
    torch.manual_seed(0)
    return Tiny().bfloat16()


def mesh_of(case):
    return init_device_mesh("cpu", case.mesh, mesh_dim_names=case.names)


def as_dtensors(case):
    from torch.distributed._tensor import Replicate, Shard, distribute_tensor

    placements = [
        [Shard(0), Shard(0), Shard(1), Replicate()][: 4 if case.names == ("fsdp",) else 1],
        [Replicate(), Shard(1), Shard(0)],
    ]
    mesh, state = mesh_of(case), {}
    for i, (name, value) in enumerate(build().state_dict().items()):
        chosen = [options[i % len(options)] for options in placements[: len(case.mesh)]]
        fits = [Shard(0) if isinstance(p, Shard) and p.dim >= value.ndim else p for p in chosen]
        if fits == [Shard(0), Shard(0)]:  # its order differs between versions
            fits[1] = Replicate()
        state[name] = distribute_tensor(value, mesh, fits)
    return state


def as_fsdp1(case):
    options = {"device_id": torch.device("cpu"), "use_orig_params": False}
    if case.names:
        options["device_mesh"] = mesh_of(case)
    if len(case.mesh) == 2:
        options["sharding_strategy"] = Strategy.HYBRID_SHARD
    model = FullyShardedDataParallel(build(), **options)
    config = ShardedStateDictConfig(offload_to_cpu=False)
    with FullyShardedDataParallel.state_dict_type(model, StateDictType.SHARDED_STATE_DICT, config):
        return model.state_dict()


def as_fsdp2(case):
    try:
        from torch.distributed.fsdp import fully_shard
    except ImportError:
        from torch.distributed._composable.fsdp import fully_shard
    model, mesh = build(), mesh_of(case)
    if case.names == ("fsdp", "tp"):
        from torch.distributed.tensor.parallel import (
            ColwiseParallel,
            RowwiseParallel,
            parallelize_module,
        )

        parallelize_module(model, mesh["tp"], {"up": ColwiseParallel(), "down": RowwiseParallel()})
        mesh = mesh["fsdp"]
    options = {}
    if case.columns:  # dimensions other than the first must divide evenly
        from torch.distributed._tensor import Shard

        options["shard_placement_fn"] = lambda p: Shard(1) if p.shape == (18, 40) else Shard(0)
    fully_shard(model.up, mesh=mesh)
    fully_shard(model, mesh=mesh, **options)
    return model.state_dict()


def write_case(case, rank, out):
    state = {"dtensor": as_dtensors, "fsdp1": as_fsdp1, "fsdp2": as_fsdp2}[case.kind](case)
    actor = out / case.name / "actor"
    actor.mkdir(parents=True, exist_ok=True)
    torch.save(state, actor / f"model_world_size_{case.world}_rank_{rank}.pt")
    if rank == 0:
        torch.save(
            {k: v.clone() for k, v in build().state_dict().items()}, actor.parent / "original.pt"
        )


def worker(rank, out):
    torch.set_num_threads(1)
    skipped = {}
    for case in CASES:
        if rank >= case.world:
            continue
        dist.init_process_group(
            "gloo", f"file://{out}/.{case.name}", rank=rank, world_size=case.world
        )
        try:
            write_case(case, rank, out)
        except Exception as error:  # the same one on every rank
            skipped[case.name] = f"{type(error).__name__}: {error}".split("\n")[0]
        dist.barrier()
        dist.destroy_process_group()
    if rank == 0:
        (out / "skipped.json").write_text(json.dumps(skipped, indent=2))
        (out / "torch.txt").write_text(torch.__version__)


def main(out):
    os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
    out.mkdir(parents=True, exist_ok=True)
    torch.multiprocessing.start_processes(worker, (out,), nprocs=WORLD, start_method="fork")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
