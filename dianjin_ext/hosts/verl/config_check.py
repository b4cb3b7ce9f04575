"""Check a run before Ray starts, above all for keys that verl 0.9.1 accepts and ignores.

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
from dianjin_ext.hosts.verl.dead_keys import dead_key_problems
from dianjin_ext.hosts.verl.guard import GuardSettings
from dianjin_ext.hosts.verl.judge_check import check_judge
from dianjin_ext.hosts.verl.value_check import value_problems
from dianjin_ext.rewards.settings import read_settings

__all__ = ["check_before_training", "check_config", "check_start"]

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
    """Check the composed configuration of a PPO or GRPO run, without looking at its files.

    Logs a warning for a key that is set and has no effect.

    Raises:
        DianjinError: A key of the reward is ignored by verl 0.9.1 or cannot work. The message
            names the key and the one to use, with several mistakes each on a line of its own.
    """
    _refuse(value_problems(config) or _problems(config))
    _warn(config)


def _warn(config: Any) -> None:
    from omegaconf import OmegaConf

    for key, default, switch in _INERT:
        if OmegaConf.select(config, key) != default and not OmegaConf.select(config, switch):
            logger.warning("%s is set but has no effect without %s=true", key, switch)


def check_start(config: Any) -> None:
    """Check what `check_config` does, and the files, models and batch sizes of the run.

    Raises:
        DianjinError: The run would fail later, or train for nothing; all mistakes at once.
    """
    from dianjin_ext.hosts.verl.start_check import start_problems

    _refuse(value_problems(config) or _problems(config) + start_problems(config))
    _warn(config)


def _refuse(problems: list[str]) -> None:
    """Raise a DianjinError that tells all problems, if there are any."""
    if len(problems) == 1:
        raise DianjinError(problems[0])
    if problems:
        raise DianjinError("\n".join([f"{len(problems)} mistakes:", *problems]))


def _problems(config: Any) -> list[str]:
    """Return the mistakes in the settings, one line each."""
    problems = []
    for check in (_check_names, _check_path, _check_settings, check_judge):
        try:
            check(config)
        except DianjinError as error:
            problems.append(str(error))
    return [*problems, *dead_key_problems(config)]


def _check_names(config: Any) -> None:
    ignored = [
        f"{key} -> {_new_name(key)}" for node in _OLD_NODES for key in _set_keys(config, node)
    ]
    if ignored:
        raise DianjinError(
            "verl 0.9.1 ignores these keys without a word; use the new names: " + "; ".join(ignored)
        )


def _check_path(config: Any) -> None:
    from omegaconf import OmegaConf

    path = OmegaConf.select(config, "reward.custom_reward_function.path")
    if path and not path.startswith("pkg://") and not Path(path.removeprefix("file://")).is_file():
        hint = "" if "/" in path or path.endswith(".py") else f"; for a module use pkg://{path}"
        raise DianjinError(f"reward.custom_reward_function.path={path}: no such file{hint}")


def _check_settings(config: Any) -> None:
    from omegaconf import OmegaConf

    path = OmegaConf.select(config, "reward.custom_reward_function.path")
    if OmegaConf.select(config, "reward.reward_manager.name") == "dianjin":
        GuardSettings.from_config(OmegaConf.select(config, "reward.reward_kwargs"))
    if path and path.startswith("pkg://dianjin_ext.rewards"):
        given = dict(OmegaConf.select(config, "reward.custom_reward_function.reward_kwargs") or {})
        given.pop("judge", None)
        read_settings(given)


def check_before_training() -> None:
    """Let verl check a configuration with `check_start` too, before it starts Ray.

    verl has no hook for this: its public `validate_config` is wrapped, which every entry point
    calls first. Call it before `verl.trainer.main_ppo` imports that function. Started from a
    command line, a run that is refused ends with the message and exit code 1, without a traceback.
    """
    from verl.utils import config as verl_config

    verl_config.validate_config = _checked(verl_config.validate_config)


def _checked(validate: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(validate)
    def checked(config: Any, *args: Any, **kwargs: Any) -> Any:
        from hydra.core.hydra_config import HydraConfig

        try:
            check_start(config)
        except DianjinError as error:
            if not HydraConfig.initialized():
                raise
            # Hydra prints a traceback of whatever is an Exception.
            raise SystemExit(f"refused before Ray started: {error}") from None
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
