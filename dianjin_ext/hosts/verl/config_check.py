"""Keys that verl 0.9.1 accepts and ignores: an error where the run would not be what was asked.

The command lines of early 2025 (DianJin-R1's among them) set the reward under other names. verl
still has those names, for one experimental trainer, and `verl.trainer.main_ppo` never reads them:
such a run trains on verl's built-in reward, or loses every rollout.
"""

import logging
from collections.abc import Callable, Iterator
from functools import wraps
from pathlib import Path
from typing import Any

from dianjin_ext.errors import DianjinError
from dianjin_ext.hosts.verl.guard import GuardSettings
from dianjin_ext.hosts.verl.judge_check import check_judge
from dianjin_ext.rewards.settings import read_settings

__all__ = ["check_before_training", "check_config"]

logger = logging.getLogger(__name__)

_OLD_NODES = ("custom_reward_function", "reward_model", "sandbox_fusion")
_RENAMED = {
    "reward_model.reward_manager": "reward.reward_manager.name",
    "reward_model.num_workers": "reward.num_workers",
    "reward_model.reward_kwargs": "reward.reward_kwargs",
    "reward_model.reward_loop_source": "reward.reward_manager.source",
    "reward_model.reward_loop_module_path": "reward.reward_manager.module.path",
    "reward_model.reward_loop_class_name": "reward.reward_manager.name",
    "reward_model.model.path": "reward.reward_model.model_path",
}
# key, verl's default, the switch without which it does nothing
_INERT = (
    ("algorithm.kl_ctrl.kl_coef", 0.001, "algorithm.use_kl_in_reward"),
    ("actor_rollout_ref.actor.kl_loss_coef", 0.001, "actor_rollout_ref.actor.use_kl_loss"),
)


def check_config(config: Any) -> None:
    """Check the composed configuration of a PPO or GRPO run.

    Logs a warning for a key that is set and has no effect.

    Raises:
        DianjinError: A key of the reward is ignored by verl 0.9.1 or cannot work. The message
            names the key and the one to use.
    """
    from omegaconf import OmegaConf

    ignored = [
        f"{key} -> {_new_name(key)}" for node in _OLD_NODES for key in _set_keys(config, node)
    ]
    if ignored:
        raise DianjinError(
            "verl 0.9.1 ignores these keys without a word; use the new names: " + "; ".join(ignored)
        )
    path = OmegaConf.select(config, "reward.custom_reward_function.path")
    if path and not path.startswith(("pkg://", "file://")) and not Path(path).exists():
        hint = "" if "/" in path or path.endswith(".py") else f"; for a module use pkg://{path}"
        raise DianjinError(f"reward.custom_reward_function.path={path}: no such file{hint}")
    if OmegaConf.select(config, "reward.reward_manager.name") == "dianjin":
        GuardSettings.from_config(OmegaConf.select(config, "reward.reward_kwargs"))
    if path and path.startswith("pkg://dianjin_ext.rewards"):
        given = dict(OmegaConf.select(config, "reward.custom_reward_function.reward_kwargs") or {})
        given.pop("judge", None)
        read_settings(given)
    check_judge(config)
    for key, default, switch in _INERT:
        if OmegaConf.select(config, key) != default and not OmegaConf.select(config, switch):
            logger.warning("%s is set but has no effect without %s=true", key, switch)


def check_before_training() -> None:
    """Let verl check a configuration with `check_config` too, before it starts Ray.

    verl has no hook for this: its public `validate_config` is wrapped, which every entry point
    calls first. Call it before `verl.trainer.main_ppo` imports that function.
    """
    from verl.utils import config as verl_config

    verl_config.validate_config = _checked(verl_config.validate_config)


def _checked(validate: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(validate)
    def checked(config: Any, *args: Any, **kwargs: Any) -> Any:
        check_config(config)
        return validate(config, *args, **kwargs)

    return checked


def _set_keys(config: Any, node: str) -> Iterator[str]:
    """Yield the full names of the values under `node` that are not null."""
    from omegaconf import DictConfig, OmegaConf

    value = OmegaConf.select(config, node)
    if isinstance(value, DictConfig) and node not in _RENAMED:
        for key in value:
            yield from _set_keys(config, f"{node}.{key}")
    elif value is not None:
        yield node


def _new_name(key: str) -> str:
    return _RENAMED.get(key, f"reward.{key}")
