"""Rank files of FSDP2 with the shapes of whole models, which take no disk: headers without data."""

import json
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
QWEN = {"vocab_size": 152064, "tie_word_embeddings": False, "architectures": ["Qwen2ForCausalLM"]}
SHAPES = {  # of the models that recipes start from
    "7b": {
        **QWEN,
        "hidden_size": 3584,
        "intermediate_size": 18944,
        "num_hidden_layers": 28,
        "num_attention_heads": 28,
        "num_key_value_heads": 4,
    },
    "32b": {
        **QWEN,
        "hidden_size": 5120,
        "intermediate_size": 27648,
        "num_hidden_layers": 64,
        "num_attention_heads": 40,
        "num_key_value_heads": 8,
    },
    "8b": {
        "vocab_size": 128256,
        "tie_word_embeddings": False,
        "architectures": ["LlamaForCausalLM"],
        "hidden_size": 4096,
        "intermediate_size": 14336,
        "num_hidden_layers": 32,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
    },
}
PREFIX = "base_model.model."


def ranks(size):
    """Return how many GPUs a size takes."""
    trainer = yaml.safe_load((ROOT / f"configs/size/{size}.yaml").read_text("utf-8"))["trainer"]
    return trainer["nnodes"] * trainer["n_gpus_per_node"]


def write_rank_files(folder, size, *, adapter):
    """Write `folder`/actor as verl lays it out, of a whole model or of one with an adapter."""
    import torch
    import torch.distributed as dist
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.tensor import DTensor, Shard
    from torch.testing._internal.distributed.fake_pg import FakeStore
    from transformers import LlamaConfig, LlamaForCausalLM, Qwen2Config, Qwen2ForCausalLM

    kinds = (LlamaConfig, LlamaForCausalLM) if size == "8b" else (Qwen2Config, Qwen2ForCausalLM)
    config = kinds[0](**SHAPES[size])
    side = folder / "actor/huggingface"
    side.mkdir(parents=True)
    config.save_pretrained(side)
    (side / "tokenizer_config.json").write_text("{}")
    with torch.device("meta"):
        tensors = {name: weight.shape for name, weight in kinds[1](config).state_dict().items()}
    if adapter:
        lora = yaml.safe_load((ROOT / "configs/method/lora.yaml").read_text("utf-8"))
        model = lora["actor_rollout_ref"]["model"]
        tensors = dict(_with_adapter(tensors, model["lora_rank"]))
        meta = {
            "r": model["lora_rank"],
            "lora_alpha": model["lora_alpha"],
            "task_type": "CAUSAL_LM",
        }
        (folder / "actor/lora_train_meta.json").write_text(json.dumps(meta))
    world = ranks(size)
    torch.serialization.set_crc32_options(False)  # of nothing
    for rank in range(world):
        dist.init_process_group("fake", store=FakeStore(), rank=rank, world_size=world)
        mesh = init_device_mesh("cpu", (world,), mesh_dim_names=("fsdp",))
        state = {}
        for name, shape in tensors.items():
            whole = torch.empty(shape, device="meta")
            part = torch.empty(whole.chunk(world)[rank].shape)  # touched by nobody
            state[name] = DTensor.from_local(
                part, mesh, [Shard(0)], run_check=False, shape=shape, stride=whole.stride()
            )
        path = folder / f"actor/model_world_size_{world}_rank_{rank}.pt"
        with torch.serialization.skip_data():
            torch.save(state, path)
        # the ranks of the mesh are the only data that is read: the record after the first tensor's
        place = torch._C.PyTorchFileReader(str(path)).get_record_offset("data/1")
        with path.open("r+b") as file:
            file.seek(place)
            file.write(mesh.mesh.numpy().tobytes())
        dist.destroy_process_group()
    torch.serialization.set_crc32_options(True)


def _with_adapter(tensors, rank):
    """Yield names and shapes as PEFT has them, with an adapter at each linear layer."""
    for name, shape in tensors.items():
        module, _, last = name.rpartition(".")
        if not module.endswith("_proj"):
            yield PREFIX + name, shape
            continue
        yield f"{PREFIX}{module}.base_layer.{last}", shape
        if last == "weight":
            yield f"{PREFIX}{module}.lora_A.default.weight", (rank, shape[1])
            yield f"{PREFIX}{module}.lora_B.default.weight", (shape[0], rank)
