"""Write real FSDP checkpoints with verl's own checkpoint manager, over gloo on the CPU.

Run as a script: `python write_checkpoints.py OUT`. Eight processes are forked once, after verl is
imported, and go through every case; a case of world size N uses the first N of them. Each case
becomes OUT/NAME/actor (the checkpoint), OUT/NAME/original.safetensors (the state before sharding,
every key with its own copy) and, for whole models, OUT/NAME/reference (transformers' own save).
"""

import json
import logging
import os
import sys
from dataclasses import dataclass
from pathlib import Path

WORLD = 4
VOCAB = 203  # divisible by none of the world sizes, so that shards are uneven


@dataclass(frozen=True)
class Case:
    name: str
    world: int
    fsdp: int = 2
    tie: bool = False
    dtype: str = "bfloat16"
    mesh: tuple[int, ...] = ()  # empty: one dimension over all ranks; (0,): no mesh (FSDP1 only)
    columns: bool = False  # verl's placement function, which shards some weights on dimension 1
    tp: bool = False  # the mesh is (fsdp, tp)


CASES = [
    Case("fsdp2-w1", 1),
    Case("fsdp2-w2-tied", 2, tie=True),
    Case("fsdp2-w3-fp32", 3, dtype="float32"),
    Case("fsdp2-w4-tied-fp32", 4, tie=True, dtype="float32"),
    Case("fsdp2-w4-columns", 4, columns=True),
    Case("fsdp2-w8", 8),
    Case("fsdp2-hsdp", 4, tie=True, mesh=(2, 2), dtype="float32"),
    Case("fsdp2-tp", 4, mesh=(2, 2), tp=True),
    Case("fsdp1-w1-tied", 1, fsdp=1, tie=True),
    Case("fsdp1-w2-fp32", 2, fsdp=1, dtype="float32"),
    Case("fsdp1-w2-tied-sharded-tensor", 2, fsdp=1, tie=True, mesh=(0,)),
    Case("fsdp1-hsdp", 4, fsdp=1, mesh=(2, 2)),
]
HAND_MADE = ["edges", "edges-cuda"]


def build_model(case):
    import torch
    from transformers import GenerationConfig, Qwen2Config, Qwen2ForCausalLM

    torch.manual_seed(0)
    dtype = getattr(torch, case.dtype)
    config = Qwen2Config(
        vocab_size=VOCAB,
        hidden_size=64,
        intermediate_size=162,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=128,
        tie_word_embeddings=case.tie,
        architectures=["Qwen2ForCausalLM"],
        dtype=dtype,
    )
    model = Qwen2ForCausalLM(config).to(dtype)
    model.generation_config = GenerationConfig(max_new_tokens=7)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim == 1:  # norms and biases start as ones and zeros
                parameter.copy_(torch.randn(parameter.shape))
    return model


def build_tokenizer():
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    words = {f"w{i}": i for i in range(VOCAB - 2)} | {"<unk>": VOCAB - 2, "<eos>": VOCAB - 1}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, unk_token="<unk>", eos_token="<eos>", pad_token="<eos>"
    )
    fast.chat_template = "{% for m in messages %}{{ m['role'] }}：{{ m['content'] }}\n{% endfor %}"
    return fast


def save_original(model, path):
    from safetensors.torch import save_file

    save_file({k: v.detach().clone().contiguous() for k, v in model.state_dict().items()}, path)


def device_mesh(case):
    from torch.distributed.device_mesh import init_device_mesh

    if case.mesh == (0,):
        return None
    if not case.mesh:
        return init_device_mesh("cpu", (case.world,), mesh_dim_names=("fsdp",))
    names = ("fsdp", "tp") if case.tp else ("ddp", "fsdp")
    return init_device_mesh("cpu", case.mesh, mesh_dim_names=names)


def shard_model(model, case):
    """Wrap the model as verl's FSDP engine does."""
    import torch

    mesh = device_mesh(case)
    if case.fsdp == 2:
        from verl.utils.fsdp_utils import apply_fsdp2, get_shard_placement_fn

        if case.tp:
            from torch.distributed.tensor.parallel import (
                ColwiseParallel,
                RowwiseParallel,
                parallelize_module,
            )

            plan = {"gate_proj": ColwiseParallel(), "down_proj": RowwiseParallel()}
            for layer in model.model.layers:
                parallelize_module(layer.mlp, mesh["tp"], plan)
            mesh = mesh["fsdp"]
        options = {"mesh": mesh, "reshard_after_forward": True}
        if case.columns:
            options["shard_placement_fn"] = get_shard_placement_fn(case.world)
        apply_fsdp2(model, options, {"wrap_policy": {}})
        return model
    from torch.distributed.fsdp import FullyShardedDataParallel, ShardingStrategy
    from verl.utils.fsdp_utils import get_fsdp_wrap_policy

    strategy = ShardingStrategy.HYBRID_SHARD if len(case.mesh) == 2 else ShardingStrategy.FULL_SHARD
    return FullyShardedDataParallel(
        model,
        auto_wrap_policy=get_fsdp_wrap_policy(module=model, config=None, is_lora=False),
        device_id=torch.device("cpu"),
        sharding_strategy=strategy,
        sync_module_states=False,
        device_mesh=mesh,
        use_orig_params=False,
    )


def write_case(case, rank, out):
    import torch.distributed as dist
    from verl.utils.checkpoint.fsdp_checkpoint_manager import FSDPCheckpointManager

    model = build_model(case)
    folder = out / case.name
    if rank == 0:
        folder.mkdir()
        model.save_pretrained(folder / "reference")
        save_original(model, folder / "original.safetensors")
        # verl writes generation_config.json only for a model that came from a folder
        model.config.name_or_path = str(folder / "reference")
    dist.barrier()
    manager = FSDPCheckpointManager(
        shard_model(model, case),
        processing_class=build_tokenizer(),
        checkpoint_config={"save_contents": ["model"], "load_contents": ["model"]},
    )
    manager.save_checkpoint(str(folder / "actor"), global_step=1)


def write_edges(rank, out, *, cuda):
    """What verl's models rarely hold: empty shards, scalars, buffers, 3-D experts, mixed types."""
    import torch
    import torch.distributed as dist
    import torch.serialization
    from torch import nn
    from torch.distributed.fsdp import fully_shard

    class Edges(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = nn.Embedding(37, 6)
            self.one_row = nn.Linear(6, 1)  # four ranks: three of them hold nothing
            self.experts = nn.Parameter(torch.randn(3, 5, 7))
            self.narrow = nn.Parameter(torch.randn(9, 5).half())
            self.register_buffer("scale", torch.tensor(2.5))
            self.register_buffer("steps", torch.arange(3))
            self.register_buffer("mask", torch.tensor([True, False, True]))

    torch.manual_seed(0)
    model = Edges()
    folder = out / ("edges-cuda" if cuda else "edges")
    if rank == 0:
        (folder / "actor").mkdir(parents=True)
        save_original(model, folder / "original.safetensors")
        (folder / "actor" / "fsdp_config.json").write_text(
            json.dumps({"FSDP_version": 2, "world_size": WORLD})
        )
    dist.barrier()
    fully_shard(model, mesh=device_mesh(Case("", WORLD)))
    tag = torch.serialization.location_tag
    if cuda:  # what a GPU run writes beside the same bytes
        torch.serialization.location_tag = lambda storage: f"cuda:{rank}"
    name = f"model_world_size_{WORLD}_rank_{rank}.pt"
    torch.save(model.state_dict(), folder / "actor" / name)
    torch.serialization.location_tag = tag


def worker(rank, out):
    import torch
    import torch.distributed as dist

    torch.set_num_threads(1)

    def group(name, world):
        dist.init_process_group("gloo", f"file://{out}/.{name}", rank=rank, world_size=world)

    for case in CASES:
        if rank < case.world:
            group(case.name, case.world)
            write_case(case, rank, out)
            dist.barrier()
            dist.destroy_process_group()
    if rank >= WORLD:
        return
    group("edges", WORLD)
    for cuda in (False, True):
        write_edges(rank, out, cuda=cuda)
    dist.barrier()
    dist.destroy_process_group()


def main(out):
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    logging.disable(logging.WARNING)
    import torch.multiprocessing
    import verl.utils.checkpoint.fsdp_checkpoint_manager
    import verl.utils.fsdp_utils  # noqa: F401
    from transformers import Qwen2ForCausalLM  # noqa: F401

    out.mkdir(parents=True, exist_ok=True)
    nprocs = max(case.world for case in CASES)
    torch.multiprocessing.start_processes(worker, (out,), nprocs=nprocs, start_method="fork")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
