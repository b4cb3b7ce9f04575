"""What passes verl 0.9.1's own check, and fails at the first update or has no effect."""

from collections.abc import Iterator
from typing import Any

__all__ = ["FAILING", "algorithm_problems"]

_MODE = "trainer.v1.trainer_mode"
_VERLS = ("sync", "colocate_async", "separate_async")
_MODES = (*_VERLS, *(f"dianjin_{name}" for name in _VERLS))
_KL = tuple(f"{name}{end}" for name in ("kl", "k1", "abs", "mse", "k2", "low_var_kl", "k3")
            for end in ("", "+"))  # fmt: skip
FAILING = ("gdpo", "remax", "optimal_token_baseline", "tir_optimal_token_baseline")
"""Estimators that the default trainer never gives what they need."""


def algorithm_problems(config: Any) -> Iterator[str]:
    """Yield a line for a name that can't work, and for a limit that verl's trainers ignore."""
    from omegaconf import OmegaConf
    from verl.trainer.ppo.core_algos import ADV_ESTIMATOR_REGISTRY, POLICY_LOSS_REGISTRY

    yield from _unheeded(config)
    yield from _unnamed(config)
    if OmegaConf.select(config, "actor_rollout_ref.model.external_lib") is not None:
        return  # a module of the user's own may register others, in the workers
    for key, registry in (
        ("algorithm.adv_estimator", ADV_ESTIMATOR_REGISTRY),
        ("actor_rollout_ref.actor.policy_loss.loss_mode", POLICY_LOSS_REGISTRY),
    ):
        name = OmegaConf.select(config, key)
        if name is None:
            continue
        failing = FAILING if OmegaConf.select(config, "trainer.use_v1") else ()
        usable = sorted({str(getattr(item, "value", item)) for item in registry} - {*failing})
        if name not in registry:
            yield f"{key}={name} is not known; known: {', '.join(usable)}"
        elif name in failing:
            yield f"{key}={name} fails in verl 0.9.1's default trainer; use {', '.join(usable)}"


def _unnamed(config: Any) -> Iterator[str]:
    """Yield a line for a name that verl looks up when Ray runs, or at the first update."""
    from omegaconf import OmegaConf

    def get(key: str) -> Any:
        return OmegaConf.select(config, key)

    actor, rollout, algorithm = "actor_rollout_ref.actor", "actor_rollout_ref.rollout", "algorithm"
    correction = f"{algorithm}.rollout_correction"
    asked = {
        f"{actor}.kl_loss_type": (_KL, get(f"{actor}.use_kl_loss")),
        f"{algorithm}.kl_penalty": (_KL, get(f"{algorithm}.use_kl_in_reward")),
        f"{algorithm}.kl_ctrl.type": (("fixed", "adaptive"), get(f"{algorithm}.use_kl_in_reward")),
        f"{correction}.rollout_is": (("token", "sequence"), not get(f"{correction}.bypass_mode")),
        _MODE: (_modes(get(_MODE)), get("trainer.use_v1")),
        "trainer.resume_mode": (("auto", "disable", "resume_path"), True),
    }
    for key, (known, used) in asked.items():
        name = get(key)
        if used and name is not None and name not in known:
            yield f"{key}={name} is not known; known: {', '.join(known)}"
    limits = {f"{rollout}.temperature": 0}
    if get(f"{actor}.policy_loss.loss_mode") in (None, "vanilla"):
        limits[f"{actor}.clip_ratio_c"] = 1
    for key, least in limits.items():
        value = get(key)
        if value is not None and value <= least:
            yield f"{key}={value}: expected a number above {least}"
    given = get(f"{correction}.rollout_rs")
    if given and get(f"{correction}.rollout_rs_threshold") is None:
        yield (
            f"{correction}.rollout_rs={given} needs {correction}.rollout_rs_threshold: 2.0, or "
            "'0.5_2.0' for a k1 name"
        )


def _modes(given: Any) -> tuple[str, ...]:
    """Return the trainer modes; those of a plug-in of the user's own only where it counts."""
    if given is None or given in _MODES:
        return _MODES
    from verl.trainer.ppo.v1.trainer_base import TRAINER_REGISTRY  # takes seconds

    return tuple(dict.fromkeys((*_MODES, *TRAINER_REGISTRY)))


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
