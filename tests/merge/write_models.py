"""Write real FSDP checkpoints of models with adapters, value heads, images, experts.

Run as a script: `python write_models.py OUT`. Two processes; each case becomes OUT/NAME/actor, and
OUT/NAME/reference, which transformers, peft or trl saved of the same model before it was sharded.
verl's checkpoint manager writes where verl is installed; the keys and tensors are torch's in any
case. OUT/skipped.json names the cases whose libraries are missing.
"""

import importlib.util
import json
import logging
import os
import sys
from pathlib import Path

WORLD = 2
HERE = Path(__file__).parent
TEXT = {
    "vocab_size": 203,
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 128,
}
TOKENS = {
    "image_token_id": 200,
    "video_token_id": 201,
    "vision_start_token_id": 199,
    "vision_end_token_id": 198,
}
MROPE = {"type": "mrope", "mrope_section": [2, 3, 3]}


def sibling():
    spec = importlib.util.spec_from_file_location(
        "write_checkpoints", HERE / "write_checkpoints.py"
    )
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def shake(model):
    """No weight keeps the value that a fresh module has: lora_B is zero, norms are one."""
    import torch

    torch.manual_seed(1)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.ndim == 1 or "lora_" in name or "v_head" in name:
                parameter.copy_(torch.randn(parameter.shape) / 4)
    return model


def qwen2(tie=False, dtype="bfloat16"):
    module = sibling()
    return module.build_model(module.Case("", 1, tie=tie, dtype=dtype))


def lora(model, **settings):
    """As verl's engine makes it from lora_rank, lora_alpha and target_modules."""
    import peft

    options = {"task_type": "CAUSAL_LM", "target_modules": "all-linear", "bias": "none"} | settings
    model = peft.get_peft_model(model, peft.LoraConfig(**options))
    dtype = next(p.dtype for p in model.parameters() if not p.requires_grad)
    return shake(model.to(dtype))


def lora_bf16():
    return lora(qwen2(), r=8, lora_alpha=32)


def lora_fp32():
    return lora(
        qwen2(tie=True, dtype="float32"), r=4, lora_alpha=6, target_modules=["q_proj", "up_proj"]
    )


def lora_patterns():
    """What only an adapter made elsewhere can hold: verl continues it (lora_adapter_path)."""
    return lora(
        qwen2(dtype="float32"),
        r=6,
        lora_alpha=9,
        use_rslora=True,
        target_modules=["q_proj", "down_proj", "embed_tokens"],
        rank_pattern={"layers.1.mlp.down_proj": 3},
        alpha_pattern={"layers.0.self_attn.q_proj": 5},
        modules_to_save=["lm_head"],
    )


def critic():
    from transformers import AutoModelForTokenClassification, Qwen2Config

    # as verl's engine does: a config of a causal model, loaded as a value model
    config = Qwen2Config(**TEXT, num_labels=1, classifier_dropout=0.0)
    config.architectures = ["Qwen2ForCausalLM"]
    model = AutoModelForTokenClassification.from_config(config)
    model.config.architectures = ["Qwen2ForCausalLM"]
    return shake(model)


def value_head():
    from trl import AutoModelForCausalLMWithValueHead

    return shake(AutoModelForCausalLMWithValueHead.from_pretrained(qwen2(dtype="float32")))


def qwen2_vl(tie=False):
    import transformers as t

    vision = {"depth": 1, "embed_dim": 32, "num_heads": 2, "hidden_size": 64, "mlp_ratio": 2}
    config = t.Qwen2VLConfig(
        text_config={**TEXT, "rope_scaling": MROPE},
        vision_config={**vision, "patch_size": 4},
        tie_word_embeddings=tie,
        **TOKENS,
    )
    return shake(t.Qwen2VLForConditionalGeneration(config))


def qwen25_vl(tie=True):
    import transformers as t

    vision = {"depth": 1, "hidden_size": 32, "num_heads": 2, "intermediate_size": 48}
    config = t.Qwen2_5_VLConfig(
        text_config={**TEXT, "rope_scaling": MROPE, "tie_word_embeddings": tie},
        vision_config={**vision, "out_hidden_size": 64, "patch_size": 4},
        tie_word_embeddings=tie,
        **TOKENS,
    )
    return shake(t.Qwen2_5_VLForConditionalGeneration(config))


def qwen3_vl():
    import transformers as t

    vision = {"depth": 1, "hidden_size": 32, "num_heads": 2, "intermediate_size": 48}
    rope = {"rope_type": "default", "mrope_section": [2, 3, 3]}
    config = t.Qwen3VLConfig(
        text_config={**TEXT, "head_dim": 16, "rope_scaling": rope},
        vision_config={
            **vision,
            "out_hidden_size": 64,
            "patch_size": 4,
            "deepstack_visual_indexes": [0],
        },
    )
    return shake(t.Qwen3VLForConditionalGeneration(config))


def gemma3():
    import transformers as t

    vision = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 1}
    config = t.Gemma3Config(
        text_config={**TEXT, "head_dim": 16},
        vision_config={**vision, "num_attention_heads": 2, "image_size": 16, "patch_size": 4},
        mm_tokens_per_image=4,
    )
    return shake(t.Gemma3ForConditionalGeneration(config))


def qwen3_moe():
    import transformers as t

    experts = {"moe_intermediate_size": 32, "num_experts": 4, "num_experts_per_tok": 2}
    return shake(t.Qwen3MoeForCausalLM(t.Qwen3MoeConfig(**TEXT, **experts, head_dim=16)))


# name: (builder, FSDP version, library needed beside transformers)
CASES = {
    "lora": (lora_bf16, 2, "peft"),
    "lora-fsdp1-fp32": (lora_fp32, 1, "peft"),
    "lora-patterns": (lora_patterns, 2, "peft"),
    "lora-only": (lora_bf16, 2, "verl"),
    "critic": (critic, 2, "verl"),
    "value-head": (value_head, 2, "trl"),
    "qwen2-vl": (qwen2_vl, 2, "transformers"),
    "qwen2.5-vl-tied": (qwen25_vl, 2, "transformers"),
    "qwen3-vl": (qwen3_vl, 2, "transformers"),
    "gemma3": (gemma3, 2, "transformers"),
    "qwen3-moe": (qwen3_moe, 2, "transformers"),
}


def shard(model, version):
    """Wrap as verl does: every decoder layer, then the whole."""
    import torch
    from torch.distributed.device_mesh import init_device_mesh

    mesh = init_device_mesh("cpu", (WORLD,), mesh_dim_names=("fsdp",))
    if version == 1:
        from torch.distributed.fsdp import FullyShardedDataParallel
        from verl.utils.fsdp_utils import get_fsdp_wrap_policy

        return FullyShardedDataParallel(
            model,
            auto_wrap_policy=get_fsdp_wrap_policy(module=model, config=None, is_lora=True),
            device_id=torch.device("cpu"),
            sync_module_states=False,
            device_mesh=mesh,
            use_orig_params=False,
        )
    from torch.distributed.fsdp import fully_shard

    for module in list(model.modules()):
        if type(module).__name__.endswith("DecoderLayer"):
            fully_shard(module, mesh=mesh)
    fully_shard(model, mesh=mesh)
    return model


def save_reference(model, folder, name):
    """What the libraries themselves write of this model."""
    import copy

    if name.startswith("lora"):
        model.save_pretrained(folder / "reference-adapter")
        base = copy.deepcopy(model)
        base.unload().save_pretrained(folder / "reference-base")
        copy.deepcopy(model).merge_and_unload().save_pretrained(folder / "reference")
        return
    architectures = model.config.architectures if name == "critic" else None
    model.save_pretrained(folder / "reference")
    if architectures:  # saving the model corrected it, saving the config alone does not
        model.config.architectures = architectures


def write_case(name, rank, out):
    import torch
    import torch.distributed as dist

    build, version, _ = CASES[name]
    model = build()
    config = getattr(model, "config", None) or model.pretrained_model.config
    folder = out / name
    actor = folder / "actor"
    if rank == 0:
        folder.mkdir()
        save_reference(model, folder, name)
    dist.barrier()
    model = shard(model, version)
    if importlib.util.find_spec("verl"):
        from verl.utils.checkpoint.fsdp_checkpoint_manager import FSDPCheckpointManager

        contents = {"save_contents": ["model"], "load_contents": ["model"]}
        if name == "lora-only":
            contents["save_lora_only"] = True
        manager = FSDPCheckpointManager(
            model, processing_class=sibling().build_tokenizer(), checkpoint_config=contents
        )
        manager.save_checkpoint(str(actor), global_step=1)
    else:
        actor.mkdir(exist_ok=True)
        torch.save(model.state_dict(), actor / f"model_world_size_{WORLD}_rank_{rank}.pt")
        if rank == 0:
            config.save_pretrained(actor / "huggingface")
            sibling().build_tokenizer().save_pretrained(actor / "huggingface")
    dist.barrier()


def worker(rank, out):
    import torch
    import torch.distributed as dist

    torch.set_num_threads(1)
    skipped = {}
    for name, (_, version, library) in CASES.items():
        needed = {library, "verl"} if version == 1 else {library}
        missing = [module for module in needed if importlib.util.find_spec(module) is None]
        if missing:
            skipped[name] = f"{missing[0]}, which this case needs, is not in this environment"
            continue
        dist.init_process_group("gloo", f"file://{out}/.{name}", rank=rank, world_size=WORLD)
        write_case(name, rank, out)
        dist.destroy_process_group()
    if rank == 0:
        (out / "skipped.json").write_text(json.dumps(skipped, indent=2))


def main(out):
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    logging.disable(logging.WARNING)
    import torch.multiprocessing
    import transformers  # noqa: F401

    out.mkdir(parents=True, exist_ok=True)
    torch.multiprocessing.start_processes(worker, (out,), nprocs=WORLD, start_method="fork")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
