"""Batch sizes that verl 0.9.1 accepts and that fail at the first update."""

import math
import warnings
from collections.abc import Iterator
from typing import Any

__all__ = ["batch_problems", "has_critic"]

_ACTOR = "actor_rollout_ref.actor"
_ROLLOUT = "actor_rollout_ref.rollout"
_REF = "actor_rollout_ref.ref"
_WHOLE = (  # where they are set
    *(f"{_ACTOR}.ppo_micro_batch_size_per_gpu", f"{_ACTOR}.ulysses_sequence_parallel_size"),
    *(f"{_ACTOR}.ppo_epochs", "critic.ppo_mini_batch_size", "critic.ppo_epochs"),
    *(f"{_ROLLOUT}.tensor_model_parallel_size", f"{_ROLLOUT}.data_parallel_size"),
    *(f"{_ROLLOUT}.pipeline_model_parallel_size", f"{_ROLLOUT}.agent.num_workers"),
    *(f"{node}.log_prob_micro_batch_size_per_gpu" for node in (_ROLLOUT, _REF)),
    *("data.max_prompt_length", "data.max_response_length", "data.gen_batch_size"),
    "reward.num_workers",
)


def batch_problems(config: Any, rows: int | None = None) -> Iterator[str]:
    """Yield what does not divide, one line each.

    verl's batch is `train_batch_size` x `n` responses, filled up to a multiple of a mini-batch; an
    update takes `ppo_mini_batch_size` x `n` of them, each rank an equal share, in micro-batches of
    one size unless they are made by tokens (`use_dynamic_bsz`).

    Args:
        config: The composed configuration.
        rows: Rows of the training data, where known.
    """
    from omegaconf import OmegaConf
    from verl.trainer.ppo.utils import need_reference_policy

    def get(key: str, default: Any = None) -> Any:
        value = OmegaConf.select(config, key)
        return default if value is None else value

    prompts, n = get("data.train_batch_size"), get(f"{_ROLLOUT}.n", 1)
    mini = get(f"{_ACTOR}.ppo_mini_batch_size")
    gpus, nodes = get("trainer.n_gpus_per_node"), get("trainer.nnodes", 1)
    sizes = {
        "data.train_batch_size": prompts,
        f"{_ROLLOUT}.n": n,
        f"{_ACTOR}.ppo_mini_batch_size": mini,
        "trainer.n_gpus_per_node": gpus,
        "trainer.nnodes": nodes,
    }
    sizes |= {key: size for key in _WHOLE if (size := get(key)) is not None}
    wrong = [f"{key}={size}: expected a whole number above 0" for key, size in sizes.items()
             if not isinstance(size, int) or size <= 0]  # fmt: skip
    if wrong:
        yield from wrong
        return
    fetched = get("data.gen_batch_size") or get("algorithm.filter_groups.enable")  # piece by piece
    if rows is not None and rows < prompts and not fetched:
        yield (
            f"data.train_batch_size={prompts}: the training files have {rows} rows, so there would "
            "be no step; use fewer prompts a step or more data"
        )
    chunk = get("data.gen_batch_size", 1)
    if prompts % chunk and not get("algorithm.filter_groups.enable"):
        yield f"data.gen_batch_size={chunk} does not divide data.train_batch_size={prompts}"
    ranks = gpus * nodes
    yield from _rollout(get(f"{_ROLLOUT}.tensor_model_parallel_size", 1), ranks, get)
    if get(f"{_ACTOR}.strategy") == "megatron":
        return  # its ranks are split in other ways; verl checks those
    shared = get(f"{_ACTOR}.ulysses_sequence_parallel_size", 1)
    if ranks % shared:
        yield (
            f"{_ACTOR}.ulysses_sequence_parallel_size={shared} does not divide the {ranks} ranks "
            "(trainer.n_gpus_per_node x trainer.nnodes)"
        )
        return
    shares = ranks // shared
    responses = mini * n
    if prompts < mini:
        yield (
            f"{_ACTOR}.ppo_mini_batch_size={mini} is above data.train_batch_size={prompts}; an "
            "update can't take more prompts than a step has"
        )
    dynamic = get(f"{_ACTOR}.use_dynamic_bsz", False)
    if (prompts * n) % ranks and not dynamic:  # else verl fills up
        yield (
            f"data.train_batch_size={prompts} x {_ROLLOUT}.n={n} = {prompts * n} responses can't "
            f"be shared among {ranks} ranks; {_next(prompts, ranks, n)} prompts can"
        )
    multiple = math.lcm(shares, responses)
    if has_critic(config):
        theirs = get("critic.ppo_mini_batch_size", mini) * n
        multiple = math.lcm(multiple, theirs)
        if theirs % shares:
            yield (
                f"critic.ppo_mini_batch_size={theirs // n} x n={n} = {theirs} responses can't be "
                f"shared among {shares} ranks"
            )
    if responses % shares:
        yield (
            f"{_ACTOR}.ppo_mini_batch_size={mini} x {_ROLLOUT}.n={n} = {responses} responses can't "
            f"be shared among {shares} ranks; {_next(mini, shares, n)} prompts can"
        )
        return
    if not dynamic:
        key = f"{_ACTOR}.ppo_micro_batch_size_per_gpu"
        yield from _micro(key, get(key), responses // shares, "of a mini-batch")
    whole = math.ceil(prompts * n / multiple) * multiple // shares
    passes = {_ROLLOUT: not get("algorithm.rollout_correction.bypass_mode", False)}
    passes[_REF] = need_reference_policy(config)
    for node, used in passes.items():
        if used and not get(f"{node}.log_prob_use_dynamic_bsz", False):
            key = f"{node}.log_prob_micro_batch_size_per_gpu"
            yield from _micro(key, get(key), whole, "of a step")


def has_critic(config: Any) -> bool:
    """Return what verl's `need_critic` does, without its warning."""
    from verl.trainer.ppo.utils import need_critic

    with warnings.catch_warnings(action="ignore"):
        return bool(need_critic(config))


def _rollout(tensor: int, ranks: int, get: Any) -> Iterator[str]:
    one = tensor * get(f"{_ROLLOUT}.data_parallel_size", 1)
    one *= get(f"{_ROLLOUT}.pipeline_model_parallel_size", 1)
    if str(get("trainer.v1.trainer_mode")).endswith("separate_async"):
        return  # the rollout has devices of its own
    if ranks % one:
        yield (
            f"{_ROLLOUT}.tensor_model_parallel_size={tensor}: a copy of the model takes {one} "
            f"ranks, which do not divide the {ranks} of trainer.n_gpus_per_node x trainer.nnodes"
        )


def _micro(key: str, size: int | None, share: int, what: str) -> Iterator[str]:
    """Compare the size of a micro-batch with the responses that one rank has."""
    if size is not None and share % size:
        fits = max(d for d in range(1, min(size, share) + 1) if share % d == 0)
        yield f"{key}={size} does not divide the {share} responses {what} on a rank; {fits} does"


def _next(prompts: int, ranks: int, n: int) -> int:
    """Return the next number of prompts whose responses the ranks can share."""
    step = ranks // math.gcd(ranks, n)
    return math.ceil(prompts / step) * step
