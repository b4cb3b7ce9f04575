"""YAML in which a key that is given twice is a mistake, instead of the last one winning."""

from pathlib import Path
from typing import Any

import yaml

from dianjin_ext.errors import DianjinError


class _Unique:
    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        own = [key for key, _ in node.value if key.tag != "tag:yaml.org,2002:merge"]
        keys = [self.construct_object(key, deep=True) for key in own]  # type: ignore[attr-defined]
        for key in keys:
            if keys.count(key) > 1:
                line = node.start_mark.line + 1
                raise yaml.YAMLError(
                    f"the key {key!r} is given twice in the mapping at line {line}"
                )
        found: dict[Any, Any] = super().construct_mapping(node, deep)  # type: ignore[misc]
        return found


class UniqueKeys(_Unique, yaml.SafeLoader):
    """Reads what `yaml.safe_load` reads."""


class UniqueTexts(_Unique, yaml.BaseLoader):
    """Makes nothing but texts, lists and mappings: `yes`, `1` and `TRUE` stay as they stand."""


def value_at(given: Any, key: str) -> Any:
    """Return what stands in nested mappings under a name with dots; None where nothing does."""
    for name in key.split("."):
        given = given.get(name) if isinstance(given, dict) else None
    return given


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
