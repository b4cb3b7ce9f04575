"""The box of a final answer."""

import re
from typing import Final

_BOX: Final = re.compile(r"\\boxed\{((?:[^{}]|\{[^{}]*\})*)\}")


def box(answer: str) -> str:
    """Return an answer in its box."""
    return f"\\boxed{{{answer}}}"


def unboxed(text: str) -> str:
    """Return what stands in the last box of a text; the text where it has none."""
    found = _BOX.findall(text)
    return found[-1].strip() if found else text.strip()


def without_boxes(text: str) -> str:
    """Return a text without the lines that hold a box alone."""
    return "\n".join(line for line in text.splitlines() if not _BOX.fullmatch(line.strip()))
