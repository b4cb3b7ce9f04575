"""A key that verl 0.9.1 takes in vain."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

__all__ = ["DeadKey", "Get", "unread"]

Get = Callable[[str], Any]


@dataclass(frozen=True)
class DeadKey:
    """A key that must not be set so.

    Attributes:
        key: Its full name.
        refused: When, in words.
        effect: What verl 0.9.1 does with it.
        instead: What works.
        is_set: Whether it is, given the values of the configuration by full name.
    """

    key: str
    refused: str
    effect: str
    instead: str
    is_set: Callable[[Get], bool]


def unread(key: str, default: Any, instead: str, effect: str = "never read") -> DeadKey:
    """Return a key that must be as it is in verl's configuration, or null."""

    def is_set(get: Get) -> bool:
        return get(key) not in (None, default)

    shown = "null" if default is None else default
    shown = str(shown).lower() if isinstance(shown, bool) else shown
    return DeadKey(key, f"not {shown}", effect, instead, is_set)
