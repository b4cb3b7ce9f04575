"""Send what a stage asks of teachers and judges to one server, such as a small one of one's own."""

from typing import Any

from dianjin_ext.recipes.files import read_rl
from dianjin_ext.recipes.places import Run
from dianjin_ext.recipes.recipe import Recipe
from dianjin_ext.yaml_keys import read_mapping, value_at

__all__ = ["asking"]

_JUDGE = "reward.custom_reward_function.reward_kwargs.judge"
_JUDGED = "dianjin_ext.rewards.judged"


def asking(recipe: Recipe, name: str, run: Run, *, url: str, model: str) -> tuple[str, ...]:
    """Return the words after a stage's command with which it asks one server.

    The server is asked without a key.

    Args:
        recipe: The recipe.
        name: Of the stage; one that asks nobody gets no words. The judge of an evaluation stands in
            its settings file.
        run: How and where it is run.
        url: OpenAI-compatible endpoint.
        model: The model's name there.
    """
    stage = recipe.stage(name)
    if stage.do == "data":
        roles = read_mapping(run.root / run.configs / f"data/{stage.config}.yaml").get("models")
        roles = roles if isinstance(roles, dict) else {}  # its reader says what is wrong with it
        asked = [role for role, own in roles.items() if own is not None]
        asked += ["student"] if stage.model is None and "models.student.model" in stage.set else []
        values = {"model": model, "base_url": url, "keyless": "true"}
        return tuple(f"models.{role}.{key}={value}" for role in asked for key, value in
                     values.items())  # fmt: skip
    if stage.do == "rl" and _JUDGED in str(_function(run, stage.config)):
        return (
            *(f"{_JUDGE}.model={model}", f"{_JUDGE}.base_url={url}"),
            f"++{_JUDGE}.keyless=true",  # a key that the recipe need not have
        )
    return ()


def _function(run: Run, config: str | None) -> Any:
    own = read_rl(run.root / run.configs, str(config))
    return value_at(own, "reward.custom_reward_function.path")
