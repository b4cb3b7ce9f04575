"""Attention of single tokens on the CPU, for models that transformers runs.

PyTorch's kernel for attention is made for long queries. When each row draws one token, the query
is one token long, and most of the time goes into copying keys and values once for each query head
that shares them. Two batched products do the same in half the time.
"""

from typing import Any

import torch
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import ALL_MASK_ATTENTION_FUNCTIONS, sdpa_mask
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

__all__ = ["attend", "use"]

_NAME = "dianjin_single_token"


def use(model: Any) -> None:
    """Let a model that uses PyTorch's attention attend to single tokens by `attend`.

    Models whose attention has a form of its own keep it.
    """
    if getattr(model.config, "_attn_implementation", None) != "sdpa":
        return
    ALL_ATTENTION_FUNCTIONS.register(_NAME, attend)
    ALL_MASK_ATTENTION_FUNCTIONS.register(_NAME, sdpa_mask)
    model.set_attn_implementation(_NAME)


def attend(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float | None = None,
    **kwargs: Any,
) -> tuple[torch.Tensor, None]:
    """Attend as transformers' `sdpa_attention_forward` does.

    Args:
        module: The layer.
        query: (rows, heads, tokens, size of a head).
        key: (rows, heads of keys, tokens so far, size of a head); a divisor of the query's heads.
        value: As `key`.
        attention_mask: (rows, 1, tokens, tokens so far): what is attended to where it is boolean,
            else what is added to the scores.
        scaling: Of the scores.
        kwargs: Options of transformers' function.
    """
    rows, heads, tokens, size = query.shape
    if tokens != 1 or query.device.type != "cpu" or scaling is None or torch.is_grad_enabled():
        found: tuple[torch.Tensor, None] = sdpa_attention_forward(
            module, query, key, value, attention_mask, scaling=scaling, **kwargs
        )
        return found
    groups = key.shape[1]
    scores = (query * scaling).view(rows, groups, heads // groups, size) @ key.transpose(2, 3)
    if attention_mask is not None:
        seen = attention_mask[..., : key.shape[2]]
        if seen.dtype == torch.bool:
            scores.masked_fill_(~seen, -torch.inf)
        else:
            scores += seen
    return (scores.softmax(-1) @ value).view(rows, 1, heads, size), None
