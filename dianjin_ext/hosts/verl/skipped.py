"""Leave responses that nobody could judge out of training.

A response whose reason is `skipped` gets the mean reward of the others in its group (the responses
to the same prompt). The group's mean stays what the others make it, and its own advantage is zero
under every estimator that subtracts that mean (GRPO, RLOO, Dr.GRPO). Where all of a group are
skipped, all get 0.0, so all advantages are zero.
"""

from collections import defaultdict
from typing import Any

import torch
import transfer_queue
from verl.utils import tensordict_utils

__all__ = ["replace_skipped", "values"]


def replace_skipped(batch: Any) -> int:
    """Replace the rewards of skipped responses in verl's store, before advantages are computed.

    Args:
        batch: verl's `KVBatchMeta`; its keys are `{uid}_{session}_{sequence}`, and the sequences of
            a session (one response of several turns) have their reward in common.

    Returns:
        The number of skipped responses.
    """
    keys = [
        key
        for key, tag in zip(batch.keys, batch.tags, strict=True)
        if not tag.get("is_padding", False)
    ]
    if not keys:
        return 0
    where = {"partition_id": batch.partition_id}
    data = transfer_queue.kv_batch_get(
        keys=keys, select_fields=["rm_scores", "extra_fields"], **where
    )
    tokens = list(data["rm_scores"].unbind())  # one tensor a sequence, of its response's length
    rewards = {_session(key): float(row.sum()) for key, row in zip(keys, tokens, strict=True)}
    skipped = {
        _session(key)
        for key, fields in zip(keys, values(data["extra_fields"]), strict=True)
        if (fields.get("reward_extra_info") or {}).get("reason") == "skipped"
    }
    if not skipped:
        return 0
    judged: dict[str, list[float]] = defaultdict(list)
    for session in rewards.keys() - skipped:
        judged[_group(session)].append(rewards[session])
    changed = [i for i, key in enumerate(keys) if _session(key) in skipped]
    for i in changed:
        others = judged[_group(_session(keys[i]))]
        tokens[i] = torch.zeros_like(tokens[i])
        tokens[i][-1] = sum(others) / len(others) if others else 0.0
    scores = torch.nested.as_nested_tensor([tokens[i] for i in changed], layout=torch.jagged)
    fields = tensordict_utils.get_tensordict({"rm_scores": scores})
    transfer_queue.kv_batch_put(keys=[keys[i] for i in changed], fields=fields, **where)
    return len(skipped)


def values(column: Any) -> list[Any]:
    """Return the values of a non-tensor column: tensordict gives a list or a stack, by version."""
    return column.tolist() if hasattr(column, "tolist") else list(column)


def _session(key: str) -> str:
    return key.rsplit("_", 1)[0]


def _group(session: str) -> str:
    return session.rsplit("_", 1)[0]
