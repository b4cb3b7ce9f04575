"""How the rollouts of a recipe are sampled, read from the files that verl composes."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from dianjin_ext.yaml_keys import UniqueKeys

_NAMES: Final = ("temperature", "top_p")


def rollout_sampling(recipe: str, size: str, configs: Path) -> dict[str, float]:
    """Return `temperature` and `top_p` of the rollouts.

    Args:
        recipe: A file of `configs/recipe`.
        size: A file of `configs/size`.
        configs: The folder of both.
    """
    found: dict[str, Any] = {}
    for given in (*_with_parents(configs / "recipe", recipe), _read(configs / f"size/{size}.yaml")):
        found |= given.get("actor_rollout_ref", {}).get("rollout", {})
    return {name: float(found[name]) for name in _NAMES}


def _with_parents(folder: Path, name: str) -> list[Mapping[str, Any]]:
    """Return a file and those of its group that it starts from, before it."""
    own = _read(folder / f"{name}.yaml")
    parents = [each for each in own.get("defaults", ()) if each != "_self_"]
    before = [part for each in parents if isinstance(each, str) for part in
              _with_parents(folder, each)]  # fmt: skip
    return [*before, own]


def _read(file: Path) -> dict[str, Any]:
    return dict(yaml.load(file.read_text(encoding="utf-8"), Loader=UniqueKeys))
