"""What passes verl 0.9.1's own check, and fails at the first update or has no effect."""

from collections.abc import Iterator
from typing import Any

__all__ = ["algorithm_problems"]

_MODE = "trainer.v1.trainer_mode"
# Tried: the default trainer never gives these what they need.
_FAILING = ("gdpo", "remax", "optimal_token_baseline", "tir_optimal_token_baseline")


def algorithm_problems(config: Any) -> Iterator[str]:
    """Yield a line for a name that can't work, and for a limit that verl's trainers ignore."""
    from omegaconf import OmegaConf
    from verl.trainer.ppo.core_algos import ADV_ESTIMATOR_REGISTRY, POLICY_LOSS_REGISTRY

    yield from _unheeded(config)
    if OmegaConf.select(config, "actor_rollout_ref.model.external_lib") is not None:
        return  # a module of the user's own may register others, in the workers
    for key, registry in (
        ("algorithm.adv_estimator", ADV_ESTIMATOR_REGISTRY),
        ("actor_rollout_ref.actor.policy_loss.loss_mode", POLICY_LOSS_REGISTRY),
    ):
        name = OmegaConf.select(config, key)
        if name is None:
            continue
        failing = _FAILING if OmegaConf.select(config, "trainer.use_v1") else ()
        usable = sorted({str(getattr(item, "value", item)) for item in registry} - {*failing})
        if name not in registry:
            yield f"{key}={name} is not known; known: {', '.join(usable)}"
        elif name in failing:
            yield f"{key}={name} fails in verl 0.9.1's default trainer; use {', '.join(usable)}"


def _unheeded(config: Any) -> Iterator[str]:
    from omegaconf import OmegaConf

    key = "algorithm.filter_groups"
    filtering, mode = OmegaConf.select(config, key), OmegaConf.select(config, _MODE)
    if not filtering or not OmegaConf.select(config, "trainer.use_v1"):
        return
    most = filtering.get("max_num_gen_batches") or 0
    if most > 0 and not filtering.get("enable"):
        yield f"{key}.max_num_gen_batches={most} has no effect without {key}.enable=true"
    elif most > 0 and not str(mode).startswith("dianjin_"):
        yield (
            f"{key}.max_num_gen_batches={most} has no effect in verl 0.9.1's own trainers; use "
            f"{_MODE}=dianjin_{mode}"
        )
