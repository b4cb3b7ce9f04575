"""Write FSDP2 checkpoints of any world size in one process, with verl's own checkpoint manager."""

import logging
import os

SIZES = {  # Qwen2's
    "tiny": dict(
        vocab_size=2048,
        hidden_size=256,
        intermediate_size=1024,
        num_hidden_layers=4,
        num_attention_heads=4,
        num_key_value_heads=2,
    ),
    "0.5b": dict(
        vocab_size=151936,
        hidden_size=896,
        intermediate_size=4864,
        num_hidden_layers=24,
        num_attention_heads=14,
        num_key_value_heads=2,
        tie_word_embeddings=True,
    ),
    "3b": dict(
        vocab_size=151936,
        hidden_size=2048,
        intermediate_size=11008,
        num_hidden_layers=36,
        num_attention_heads=16,
        num_key_value_heads=2,
    ),
}


def write_checkpoint(folder, size, dtype, world):
    """Write `folder`/actor, one rank after the other, over torch's fake process group.

    Args:
        folder: The step's folder.
        size: One of `SIZES`; the weights are random.
        dtype: Such as `bfloat16`.
        world: The world size.
    """
    os.environ["OMP_NUM_THREADS"] = "1"
    import torch
    import torch.distributed as dist
    from tokenizers import Tokenizer, models
    from torch.distributed.device_mesh import init_device_mesh
    from torch.testing._internal.distributed.fake_pg import FakeStore
    from transformers import PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM
    from verl.utils.checkpoint.fsdp_checkpoint_manager import FSDPCheckpointManager
    from verl.utils.fsdp_utils import apply_fsdp2

    logging.disable(logging.WARNING)
    torch_dtype = getattr(torch, dtype)
    config = Qwen2Config(
        **{"tie_word_embeddings": False, **SIZES[size]},
        architectures=["Qwen2ForCausalLM"],
        dtype=torch_dtype,
    )
    words = Tokenizer(models.WordLevel({"<unk>": 0}, unk_token="<unk>"))
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=words, unk_token="<unk>")
    for rank in range(world):
        dist.init_process_group("fake", store=FakeStore(), rank=rank, world_size=world)
        mesh = init_device_mesh("cpu", (world,), mesh_dim_names=("fsdp",))
        with torch.device("meta"):
            model = Qwen2ForCausalLM(config).to(torch_dtype)
        apply_fsdp2(model, {"mesh": mesh, "reshard_after_forward": True}, {"wrap_policy": {}})
        model.to_empty(device="cpu")
        model.tie_weights()
        torch.manual_seed(rank)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.to_local().uniform_(-0.03, 0.03)
        manager = FSDPCheckpointManager(
            model,
            processing_class=tokenizer,
            checkpoint_config={"save_contents": ["model"], "load_contents": ["model"]},
        )
        manager.save_checkpoint(str(folder / "actor"), global_step=1)
        dist.destroy_process_group()
