"""What an update on the CPU need not compute.

A loss of verl asks for the log-probabilities of responses. verl computes logits at every position,
prompts and padding included, and then one sum after another, a Python call for each token. With a
small model this takes longer than the model itself. Here sequences end at the same column, so that
the last columns hold every response, and the head of the model sees these only.

And a response whose advantages are zero, such as each of a group with one reward for all, moves no
weight by the policy's loss alone: it needs no forward and no backward pass.
"""

import inspect
from typing import Any

import torch
import torch.nn.functional as F
from tensordict import TensorDict  # type: ignore[import-untyped]
from verl.utils import tensordict_utils as tu
from verl.utils import torch_functional as verl_F

__all__ = ["align", "can_align", "outputs", "with_gradient"]

# Losses that are the advantage times something, token by token or sequence by sequence.
_PROPORTIONAL = ("vanilla", "gspo", "cispo")
_NEEDS_ALL_LOGITS = ("use_fused_kernels", "calculate_sum_pi_squared", "distillation_use_topk")


def can_align(module: Any, inputs: dict[str, Any], batch: TensorDict) -> bool:
    """Whether `align` knows a micro-batch and the model can leave logits out.

    Args:
        module: The model, wrapped or not.
        inputs: What verl would call it with.
        batch: The micro-batch.
    """
    responses = batch.get("responses", None)
    if responses is None or not responses.is_nested:
        return False
    if any(tu.get_non_tensor_data(data=batch, key=key, default=False) for key in _NEEDS_ALL_LOGITS):
        return False
    if set(inputs) != {"input_ids", "attention_mask", "position_ids"}:  # images
        return False
    if inputs["attention_mask"] is None or inputs["position_ids"].dim() != 2:  # packed; M-RoPE
        return False
    model = getattr(module, "module", module)  # FSDP1
    model = model.get_base_model() if hasattr(model, "get_base_model") else model  # PEFT
    return "logits_to_keep" in inspect.signature(model.forward).parameters


def align(inputs: dict[str, Any], batch: TensorDict) -> dict[str, Any]:
    """Return inputs whose sequences end at the last column, with `logits_to_keep`.

    Args:
        inputs: Tensors (rows, width), padded on the right.
        batch: The micro-batch; `input_ids` and `responses` are nested.
    """
    width = inputs["input_ids"].shape[1]
    lengths = batch["input_ids"].offsets().diff()
    columns = torch.arange(width) - (width - lengths).unsqueeze(1)
    at = columns.clamp(min=0)
    return {
        "input_ids": inputs["input_ids"].gather(1, at),
        "attention_mask": (columns >= 0).to(inputs["attention_mask"].dtype),
        "position_ids": inputs["position_ids"].gather(1, at),
        # a token is predicted one position before
        "logits_to_keep": int(batch["responses"].offsets().diff().max()) + 1,
    }


def outputs(logits: torch.Tensor, args: dict[str, Any], batch: TensorDict) -> dict[str, Any]:
    """Return log-probabilities, and entropies where asked for, nested as verl expects them.

    Args:
        logits: (rows, longest response + 1, vocabulary), of inputs that were aligned.
        args: What verl's `prepare_model_inputs` gave.
        batch: The micro-batch.

    Returns:
        Values of whole sequences, one position early; those of prompts are zero.
    """
    offsets, lengths = batch["input_ids"].offsets(), batch["responses"].offsets().diff()
    last = logits.shape[1] - 1
    columns = torch.arange(last).unsqueeze(0)
    mask = columns >= last - lengths.unsqueeze(1)
    kept = logits[:, :-1][mask]
    if not args.get("temperature_is_one", False):
        kept = kept / args["temperature"].repeat_interleave(lengths).unsqueeze(-1)
    at = (offsets[1:] - 1 - last).unsqueeze(1) + columns
    at = at[mask]
    total = int(offsets[-1])

    def whole(values: torch.Tensor) -> torch.Tensor:
        filled = values.new_zeros(total).index_copy(0, at, values)
        return torch.nested.nested_tensor_from_jagged(filled, offsets)

    labels = args["input_ids_rmpad_rolled"][at]
    found = {"log_probs": whole(-F.cross_entropy(kept.float(), labels, reduction="none"))}
    if tu.get_non_tensor_data(data=batch, key="calculate_entropy", default=False):
        found["entropy"] = whole(verl_F.entropy_from_logits(kept))
    return found


def with_gradient(batch: TensorDict, loss_function: Any) -> TensorDict:
    """Return the rows of a micro-batch that can move a weight; one row where none can.

    verl divides by the tokens and sequences of the whole batch, so that the gradient stays the
    same. All rows are returned where anything but the policy's loss counts, or where the loss is
    not known to be proportional to the advantage.
    """
    config = getattr(loss_function, "keywords", {}).get("config")
    if config is None or "advantages" not in batch or not _proportional(config, batch):
        return batch
    advantages = batch["advantages"]
    rows = advantages.unbind() if advantages.is_nested else advantages
    keep = [i for i, row in enumerate(rows) if bool(row.any())] or [0]
    if len(keep) == len(batch):
        return batch
    return tu.index_select_tensor_dict(batch, keep)


def _proportional(config: Any, batch: TensorDict) -> bool:
    other = config.use_kl_loss or any(
        tu.get_non_tensor_data(data=batch, key=key, default=False)
        for key in ("calculate_entropy", "return_model_output")
    )
    by_width = config.loss_agg_mode == "seq-mean-token-sum-norm" and not config.loss_scale_factor
    mode = config.policy_loss.get("loss_mode", "vanilla")
    return mode in _PROPORTIONAL and not (other or by_width)
