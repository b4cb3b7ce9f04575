"""LoRA checkpoints: separate the adapter from the base weights, and say how strong it is.

verl saves the whole PEFT model: `base_model.model.M.base_layer.weight` (the base weight of module
M, which training left alone) beside `base_model.model.M.lora_A.default.weight` and `lora_B`.
"""

import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from dianjin_ext.errors import DianjinError
from dianjin_ext.merge.assemble import Delta, Tensor
from dianjin_ext.merge.sidefiles import read_config

FOLDER = "lora_adapter"  # in the merged folder; older verl wrote one of that name in checkpoints
WEIGHTS = f"{FOLDER}/adapter_model.safetensors"
CONFIG = f"{FOLDER}/adapter_config.json"

_PREFIX = "base_model.model."
_MATRIX = re.compile(r"(?P<module>.+)\.lora_(?P<kind>(?:embedding_)?[AB])\.[^.]+(?:\.weight)?")
_COPY = re.compile(r"(?P<module>.+)\.modules_to_save\.[^.]+\.(?P<name>\w+)")


@dataclass
class Adapter:
    """A LoRA adapter.

    Attributes:
        matrices: Module name to its (A, B): r × in and out × r; of an embedding, r × vocabulary
            and width × r.
        saved: Tensors that were trained whole (`modules_to_save`), by the name in the base model.
    """

    matrices: dict[str, list[Tensor]] = field(default_factory=dict)
    saved: dict[str, Tensor] = field(default_factory=dict)

    def tensors(self) -> list[Tensor]:
        """The tensors under the keys of an `adapter_model.safetensors`."""
        named = []
        for matrices in self.matrices.values():
            for tensor in matrices:
                # `.default` is the adapter's name; an embedding's matrices have no `.weight`
                named.append(replace(tensor, name=re.sub(r"(lora_\w+)\.[^.]+", r"\1", tensor.name)))
        for name, tensor in self.saved.items():
            named.append(replace(tensor, name=_PREFIX + name))
        return named


def split_adapter(tensors: list[Tensor]) -> tuple[list[Tensor], Adapter | None]:
    """Separate an adapter from the base weights.

    Args:
        tensors: All tensors of a checkpoint.

    Returns:
        The base weights under the names that they have without PEFT, and the adapter; the tensors
        as they are and None if there is no adapter.

    Raises:
        DianjinError: The adapter is of a kind that is not known.
    """
    if not any(".lora_" in t.name or t.name.startswith(_PREFIX) for t in tensors):
        return tensors, None
    base, adapter = [], Adapter()
    for tensor in tensors:
        name = tensor.name.removeprefix(_PREFIX)
        if match := _MATRIX.fullmatch(name):
            adapter.matrices.setdefault(match["module"], []).append(tensor)
        elif match := _COPY.fullmatch(name):
            adapter.saved[f"{match['module']}.{match['name']}"] = tensor
        elif ".lora_" in name:
            what = "DoRA" if "lora_magnitude" in name else "not plain LoRA"
            raise DianjinError(
                f"{tensor.name}: the adapter is {what}, which is not merged here; load the model "
                "with peft and call merge_and_unload"
            )
        else:
            name = name.replace(".base_layer.", ".").replace(".original_module.", ".")
            base.append(replace(tensor, name=name))
    if not adapter.matrices:
        raise DianjinError(
            f"{tensors[0].name}: the checkpoint is of a PEFT model without LoRA weights; load the "
            "model with peft and call merge_and_unload"
        )
    for module, matrices in adapter.matrices.items():
        matrices.sort(key=lambda tensor: tensor.name)
        if len(matrices) != 2:
            raise DianjinError(f"{matrices[0].name}: expected one lora_A and one lora_B")
        a, b = matrices
        if a.shape[0] != b.shape[1] or len(a.shape) != len(b.shape):
            raise DianjinError(f"{module}: lora_A {a.shape} and lora_B {b.shape} do not fit")
    return base, adapter


def adapter_config(
    adapter: Adapter, base: Sequence[Tensor], folders: Sequence[Path], alpha: float | None
) -> dict[str, Any]:
    """Find out how the adapter was trained, as PEFT's adapter_config.json says it.

    The rank comes from the weights; alpha from the option, from `lora_adapter/adapter_config.json`
    (older verl), or from `lora_train_meta.json` (verl since 0.7).

    Args:
        adapter: The adapter.
        base: The base weights; decide whether short module names suffice.
        folders: The checkpoint's folders.
        alpha: Overrides what the files say; None where they do.

    Raises:
        DianjinError: Alpha is not known, or a file contradicts the weights.
    """
    config, source = _find_config(folders)
    alpha = config.get("lora_alpha") if alpha is None else alpha
    if not isinstance(alpha, int | float) or isinstance(alpha, bool) or not alpha > 0:
        says = f"{source} says lora_alpha {alpha!r}" if source else "no lora_train_meta.json"
        raise DianjinError(
            f"{folders[0]}: a LoRA adapter of unknown strength ({says}); give the lora_alpha of "
            "the training run (--lora-alpha)"
        )
    ranks = {module: a.shape[0] for module, (a, _) in adapter.matrices.items()}
    rank = config.get("r") or max(ranks.values(), key=list(ranks.values()).count)
    config = {
        "base_model_name_or_path": None,
        "bias": "none",
        "task_type": "CAUSAL_LM",
        "target_modules": _target_modules(adapter, base),
        **config,
        "peft_type": "LORA",
        "inference_mode": True,
        "lora_alpha": int(alpha) if alpha == int(alpha) else alpha,
        "r": rank,
    }
    if adapter.saved:
        saved = {name.rpartition(".")[0].rpartition(".")[2] for name in adapter.saved}
        config["modules_to_save"] = sorted(saved)
    for module, found in ranks.items():
        expected = _pattern(config, "rank_pattern", module, rank)
        if found != expected:
            raise DianjinError(
                f"{module} has an adapter of rank {found}, but {source or 'most others'} says "
                f"{expected}; if the run went on from an adapter made elsewhere, put that one's "
                f"adapter_config.json into {folders[0] / FOLDER}"
            )
    return config


def _find_config(folders: Sequence[Path]) -> tuple[dict[str, Any], Path | None]:
    for folder in folders:
        for path in (folder / CONFIG, folder / "lora_train_meta.json"):
            if path.is_file():
                known = {k: v for k, v in read_config(path).items() if v is not None}
                return known, path
    return {}, None


def _target_modules(adapter: Adapter, base: Sequence[Tensor]) -> list[str]:
    """Last names of modules where all that bear one have an adapter, else full names."""
    names = {tensor.name.rpartition(".")[0] for tensor in base if len(tensor.shape) > 1}
    alike: dict[str, set[str]] = {}
    for name in names | adapter.matrices.keys():
        alike.setdefault(name.rpartition(".")[2], set()).add(name)
    targets = set()
    for module in adapter.matrices:
        last = module.rpartition(".")[2]
        targets.add(last if alike[last] <= adapter.matrices.keys() else module)
    return sorted(targets)


def _pattern(config: dict[str, Any], key: str, module: str, default: Any) -> Any:
    """What `rank_pattern` or `alpha_pattern` says of a module; PEFT's get_pattern_key."""
    for pattern, value in (config.get(key) or {}).items():
        if re.match(rf"(.*\.)?({pattern})$", module):
            return value
    return default


def fuse(base: list[Tensor], adapter: Adapter, config: dict[str, Any]) -> list[Tensor]:
    """Attach to every base weight what the adapter adds to it.

    W becomes W + s · B·A, with s = alpha / r, or alpha / √r if the config says `use_rslora`
    (https://arxiv.org/abs/2312.03732); what was trained whole replaces the base weight.

    Args:
        base: The base weights.
        adapter: The adapter.
        config: What `adapter_config` returned.

    Raises:
        DianjinError: A module has no base weight, or one of another shape.
    """
    if config.get("use_dora") or config.get("fan_in_fan_out"):
        raise DianjinError("adapters with use_dora or fan_in_fan_out are not merged here; use peft")
    fused = {tensor.name: tensor for tensor in base}
    fused |= {name: replace(tensor, name=name) for name, tensor in adapter.saved.items()}
    for module, (a, b) in adapter.matrices.items():
        name = f"{module}.weight"
        if name not in fused:
            raise DianjinError(
                f"{a.name}: there is no {name} to merge it into; if the checkpoint holds the "
                "adapter only, name the folder of the model that was trained (--base-model)"
            )
        embedding = ".lora_embedding_A." in a.name
        expected = (a.shape[1], b.shape[0]) if embedding else (b.shape[0], a.shape[1])
        if fused[name].shape != expected or len(a.shape) != 2:
            raise DianjinError(
                f"{name} has shape {fused[name].shape}, but its adapter is for {expected}; such "
                "layers are not merged here, use peft"
            )
        rank = a.shape[0]
        alpha = _pattern(config, "alpha_pattern", module, config["lora_alpha"])
        scale = alpha / (math.sqrt(rank) if config.get("use_rslora") else rank)
        delta = Delta(*((b, a) if not embedding else (a, b)), scale, embedding)
        fused[name] = replace(fused[name], delta=delta)
    return list(fused.values())


def config_text(config: dict[str, Any]) -> str:
    """The text of adapter_config.json."""
    return json.dumps(config, indent=2, ensure_ascii=False) + "\n"
