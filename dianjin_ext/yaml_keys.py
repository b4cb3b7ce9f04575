"""YAML in which a key that is given twice is a mistake, instead of the last one winning."""

from typing import Any

import yaml


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
