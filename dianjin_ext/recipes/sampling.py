"""How the rollouts of a recipe are sampled, read from the files that verl composes."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from dianjin_ext.recipes.files import read_rl
from dianjin_ext.yaml_keys import read_mapping

_VERLS: Final = {"temperature": 1.0, "top_p": 1.0}


def rollout_sampling(recipe: str, size: str, configs: Path) -> dict[str, float]:
    """Return `temperature` and `top_p` of the rollouts.

    Args:
        recipe: A file of `configs/recipe`.
        size: A file of `configs/size`.
        configs: The folder of both.
    """
    own = read_mapping(configs / f"size/{size}.yaml", "of verl's keys")
    found = {**_VERLS, **_rollout(read_rl(configs, recipe)), **_rollout(own)}
    return {name: float(found[name]) for name in _VERLS}


def _rollout(given: Mapping[str, Any]) -> Mapping[str, Any]:
    rollout: Mapping[str, Any] = given.get("actor_rollout_ref", {}).get("rollout", {})
    return rollout
