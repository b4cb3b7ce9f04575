"""Names of algorithms that pass verl 0.9.1's own check and fail at the first update."""

from collections.abc import Iterator
from typing import Any

__all__ = ["algorithm_problems"]

# Tried: the default trainer never gives these what they need.
_FAILING = ("gdpo", "remax", "optimal_token_baseline", "tir_optimal_token_baseline")
_OURS = "dianjin_ext.hosts.verl.cpu.engine"


def algorithm_problems(config: Any) -> Iterator[str]:
    """Yield a line for an advantage estimator and for a policy loss that can't work."""
    from omegaconf import OmegaConf
    from verl.trainer.ppo.core_algos import ADV_ESTIMATOR_REGISTRY, POLICY_LOSS_REGISTRY

    if OmegaConf.select(config, "actor_rollout_ref.model.external_lib") not in (None, _OURS):
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
