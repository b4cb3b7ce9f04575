"""Check the settings of a step that come from YAML or a command line."""

from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from dianjin_ext.data.steps import SETTINGS
from dianjin_ext.errors import DianjinError


def read_step_settings(step: str, given: Mapping[str, Any], where: str) -> Any:
    """Return the settings of a step.

    Args:
        step: Its name.
        given: Key to value; what is missing has its default.
        where: What the keys stand under, for messages.

    Raises:
        DianjinError: A key or a value is not known.
    """
    kind = SETTINGS[step]
    known = [field.name for field in fields(kind)]
    if unknown := [name for name in given if name not in known]:
        raise DianjinError(
            f"{where}.{unknown[0]} is not known; a step {step} has {', '.join(known)}"
        )
    try:
        return TypeAdapter(kind).validate_python(dict(given))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        path = ".".join([where, *map(str, first["loc"])])
        raise DianjinError(f"{path} is {first['input']!r:.60}: {first['msg']}") from None


def plain(settings: Any) -> dict[str, Any]:
    """Return settings as JSON has them."""

    def text(value: Any) -> Any:
        if isinstance(value, Path):
            return str(value)
        return [text(item) for item in value] if isinstance(value, list | tuple) else value

    return {name: text(value) for name, value in asdict(settings).items()}
