"""A LoRA adapter, added to the weights that it was trained on."""

import copy
from collections.abc import Mapping
from typing import Any

import torch

__all__ = ["weights_with_adapter"]


def weights_with_adapter(
    base: Any, config: Mapping[str, Any], adapter: dict[str, torch.Tensor]
) -> dict[str, torch.Tensor]:
    """Return all weights of `base` with an adapter in them, computed in the precision of `base`.

    PEFT itself adds them, so that every kind of adapter that verl can train or load is known.

    Args:
        base: A transformers model; it stays as it is.
        config: PEFT's configuration of the adapter, as its `to_dict` gives it.
        adapter: The adapter's weights, named as in an `adapter_model.safetensors`.

    Raises:
        RuntimeError: The adapter's weights are not those that its configuration asks for.
    """
    from peft import LoraConfig, get_peft_model, set_peft_model_state_dict

    # Some initialisations change the weights below; these come trained.
    given = LoraConfig(**{**config, "init_lora_weights": False, "inference_mode": True})
    model = get_peft_model(copy.deepcopy(base), given)
    result: Any = set_peft_model_state_dict(model, adapter)
    missing = [name for name in result.missing_keys if ".lora_" in name]
    if missing or result.unexpected_keys:
        raise RuntimeError(
            f"the LoRA adapter doesn't fit the rollout's model: missing {sorted(missing)}, "
            f"unexpected {sorted(result.unexpected_keys)}"
        )
    weights: dict[str, torch.Tensor] = model.merge_and_unload().state_dict()
    return weights
