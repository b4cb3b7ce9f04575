"""Files of `configs/recipe`, as verl lays one over another."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dianjin_ext.yaml_keys import read_mapping

__all__ = ["read_rl", "template_of"]


def read_rl(configs: Path, name: str) -> dict[str, Any]:
    """Return a file of `configs/recipe`, laid over those of its group that it begins from.

    Raises:
        DianjinError: One of them can't be read.
    """
    own = read_mapping(configs / "recipe" / f"{name}.yaml", "of verl's keys")
    whole: dict[str, Any] = {}
    for parent in own.get("defaults", ()):
        if isinstance(parent, str) and parent != "_self_":
            whole = _laid_over(whole, read_rl(configs, parent))
    return _laid_over(whole, own)


def template_of(own: Mapping[str, Any]) -> str | None:
    """Return the file of `configs/template` that such a file names; None where it names none."""
    groups = [group for group in own.get("defaults", ()) if isinstance(group, dict)]
    return next((str(group["/template"]) for group in groups if "/template" in group), None)


def _laid_over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    both = {
        key: _laid_over(below[key], value)
        for key, value in above.items()
        if isinstance(value, dict) and isinstance(below.get(key), dict)
    }
    return {**below, **above, **both}
