"""What a judge needs of a verl run, checked before Ray starts."""

import json
from pathlib import Path
from typing import Any

from dianjin_ext.errors import DianjinError
from dianjin_ext.hosts.verl.guard import GuardSettings
from dianjin_ext.rewards.judge import read_judge
from dianjin_ext.rewards.judge.settings import VERIFIER_REPORT, JudgeSettings

__all__ = ["check_judge"]


def check_judge(config: Any) -> None:
    """Check a run whose reward function is given a `judge`; any other passes.

    Raises:
        DianjinError: The judge could not be asked, or an outage would be trained on as a wrong
            answer. The message names the key.
    """
    from omegaconf import OmegaConf

    given = OmegaConf.select(config, "reward.custom_reward_function.reward_kwargs.judge")
    if given is None:
        return
    settings = read_judge(given)
    if OmegaConf.select(config, "reward.reward_manager.name") == "dianjin":
        limit = GuardSettings.from_config(
            OmegaConf.select(config, "reward.reward_kwargs")
        ).timeout_s
        if limit <= settings.deadline_s:
            raise DianjinError(
                f"reward.reward_kwargs.timeout_s={limit:g} is not above judge.deadline_s="
                f"{settings.deadline_s:g}: the reward manager would give up first and score 0"
            )
    mode = OmegaConf.select(config, "trainer.v1.trainer_mode")
    if settings.on_outage == "skip" and not str(mode).startswith("dianjin_"):
        raise DianjinError(
            f"judge.on_outage=skip needs trainer.v1.trainer_mode=dianjin_{mode}; verl's own "
            "trainer would train on a skipped response as on a wrong one"
        )
    model = OmegaConf.select(config, "reward.reward_model")
    if model is not None and model.get("enable") and not model.get("enable_resource_pool"):
        raise DianjinError(
            "a judge on verl's reward model needs reward.reward_model.enable_resource_pool=true: "
            "without its own devices verl 0.9.1 calls the reward function without data_source and "
            "ground truth"
        )
    if model is not None and model.get("enable") and settings.base_url is None:
        _check_template(settings, Path(str(model.get("model_path"))))


def _check_template(settings: JudgeSettings, folder: Path) -> None:
    """Refuse another text than the verifier in a folder was trained on, where it says so."""
    try:
        trained = json.loads((folder / VERIFIER_REPORT).read_text(encoding="utf-8"))["template"]
    except (OSError, ValueError, KeyError, TypeError):
        return
    if settings.kind != "classifier":
        raise DianjinError(
            f"{folder} is a classifier: the judge needs judge.kind=classifier (+judge=verifier)"
        )
    if settings.template != trained:
        raise DianjinError(
            f"judge.template is not the one that {folder} was trained with; take that of "
            f"{folder / VERIFIER_REPORT}: {json.dumps(trained, ensure_ascii=False)}"
        )
