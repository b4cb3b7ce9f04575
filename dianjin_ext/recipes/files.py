"""Files of `configs`, as they stand and as verl lays one over another."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from dianjin_ext.errors import DianjinError
from dianjin_ext.yaml_keys import UniqueKeys

__all__ = ["read_mapping", "read_rl"]


def read_mapping(file: Path, what: str = "of keys") -> dict[str, Any]:
    """Return the mapping that a file holds.

    Args:
        file: A YAML file.
        what: What the mapping is of or with, as the error says it.

    Raises:
        DianjinError: It can't be read, a key is given twice, or it is no mapping.
    """
    try:
        given = yaml.load(file.read_text(encoding="utf-8"), Loader=UniqueKeys)
    except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError) as error:
        raise DianjinError(
            f"{file}: can't be read as YAML: {' '.join(str(error).split())}"
        ) from None
    if not isinstance(given, dict):
        raise DianjinError(f"{file}: expected a mapping {what}")
    return given


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


def _laid_over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    both = {
        key: _laid_over(below[key], value)
        for key, value in above.items()
        if isinstance(value, dict) and isinstance(below.get(key), dict)
    }
    return {**below, **above, **both}
