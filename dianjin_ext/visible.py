"""Texts of models and servers, as they may be shown."""

import re
from typing import Final

__all__ = ["visible"]

_UNSEEN: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


def visible(text: str) -> str:
    """Return a text with codes for characters that steer a terminal, hide or turn round others.

    So it is with those that no file can hold.
    """
    return _UNSEEN.sub(lambda match: f"\\u{ord(match[0]):04x}", text.replace("\r\n", "\n"))
