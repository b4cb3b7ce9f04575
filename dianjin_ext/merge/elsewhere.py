"""Folders that other programs wrote: which they are, and the command that makes a model of them.

LLaMA-Factory's output needs no merging, except after DeepSpeed ZeRO-3 without
`stage3_gather_16bit_weights_on_model_save`, after FSDP with `SHARDED_STATE_DICT`, and after LoRA.
"""

import json
import re
import shlex
from pathlib import Path

_WEIGHTS = ("model.safetensors", "model.safetensors.index.json", "pytorch_model.bin")
_DISTRIBUTED = "pytorch_model_fsdp_0"


def advice(folder: Path) -> str:
    """Say what `folder` is and what makes a model of it; empty where it is nothing that is known.

    A training run's own folder is looked at first, then its newest `checkpoint-N`.
    """
    steps = [path for path in folder.glob("checkpoint-*") if re.search(r"-\d+$", path.name)]
    newest = sorted(steps, key=lambda path: int(path.name.rpartition("-")[2]))[-1:]
    return next(filter(None, map(_advice, [folder, *newest])), "")


def _advice(folder: Path) -> str:
    if any((folder / name).exists() for name in _WEIGHTS):
        return f"{folder} is a Hugging Face model already; there is nothing to merge"
    place = shlex.quote(str(folder))
    if (folder / "adapter_config.json").exists():
        return (
            f"{folder} is a LoRA adapter in PEFT format; to put it into its base model run: "
            f"llamafactory-cli export adapter_name_or_path={place} export_dir=OUT "
            "model_name_or_path=BASE template=TEMPLATE"
        )
    if (folder / "zero_to_fp32.py").exists():
        script = shlex.quote(str(folder / "zero_to_fp32.py"))
        # DeepSpeed's script refuses to write tied weights as safetensors.
        option = "" if _is_tied(folder) else " --safe_serialization"
        return (
            f"{folder} holds the shards of DeepSpeed ZeRO; in the environment that trained it run: "
            f"python {script} {place} {place}{option} (next time, set "
            "stage3_gather_16bit_weights_on_model_save, as configs/deepspeed/zero3.json does)"
        )
    if (folder / _DISTRIBUTED / ".metadata").exists():
        shards = shlex.quote(str(folder / _DISTRIBUTED))
        return (
            f"{folder} holds the shards of accelerate's FSDP; in the environment that trained it "
            f"run: accelerate merge-weights {shards} {place} (config and tokenizer are those of "
            "the base model; next time, set fsdp_state_dict_type to FULL_STATE_DICT)"
        )
    return ""


def _is_tied(folder: Path) -> bool:
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        return bool(config.get("tie_word_embeddings", True))
    except (OSError, ValueError, AttributeError):
        return True
