"""What a method of `configs/method` changes, and which go together."""

from collections.abc import Mapping
from typing import Any

from dianjin_ext.errors import DianjinError
from dianjin_ext.recipes.files import read_rl, template_of
from dianjin_ext.recipes.places import Run
from dianjin_ext.recipes.recipe import Recipe, Stage
from dianjin_ext.yaml_keys import read_mapping, value_at

__all__ = ["check_methods", "layout_of", "method_sets"]

_TAGS = "reward.custom_reward_function.reward_kwargs.tags"
_LOSS = "actor_rollout_ref.actor.policy_loss.loss_mode"
_FILTER = "algorithm.filter_groups.enable"


def layout_of(run: Run) -> str | None:
    """Return the layout of responses that a method brings along; None where none does."""
    found = [given for method in run.methods if (given := method_sets(run, method, _TAGS))]
    return str(found[0]) if found else None


def method_sets(run: Run, method: str, key: str) -> Any:
    """Return what a method sets a key of verl to; None where it doesn't."""
    file = run.root / run.configs / f"method/{method}.yaml"
    return value_at(read_mapping(file, "of verl's keys"), key)


def check_methods(recipe: Recipe, run: Run, stages: Mapping[str, Stage]) -> None:
    """Refuse methods that don't go together, or not with a recipe.

    Args:
        recipe: The recipe.
        run: With its methods, each of which has a file.
        stages: Those that are run.

    Raises:
        DianjinError: One is named twice, two bring a loss of their own, or a stage can't have one.
    """
    for method in run.methods:
        if run.methods.count(method) > 1:
            raise DianjinError(f"the method {method} is named twice; name it once")
    losses = [method for method in run.methods if method_sets(run, method, _LOSS) is not None]
    if len(losses) > 1:
        raise DianjinError(f"{' and '.join(losses)} are losses, and a training has one; choose one")
    for name, stage in stages.items():
        if stage.do == "rl" and run.methods:
            _check_rl(recipe, run, name, read_rl(run.root / run.configs, str(stage.config)))


def _check_rl(recipe: Recipe, run: Run, name: str, own: Mapping[str, Any]) -> None:
    filtering = [method for method in run.methods if method_sets(run, method, _FILTER)]
    if filtering and value_at(own, "algorithm.adv_estimator") == "gae":
        raise DianjinError(
            f"{recipe.name}'s {name} is PPO, which has no groups for {filtering[0]} to filter: "
            "leave the method out, or choose another recipe"
        )
    if template_of(own) == "dianjin_r1_zero" and (layout := layout_of(run)) is not None:
        raise DianjinError(
            f"{recipe.name}'s template asks for <think> and <answer> blocks, and a method for "
            f"the layout {layout}: leave the method out, or choose another recipe"
        )
