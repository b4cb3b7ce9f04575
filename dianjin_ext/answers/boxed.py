r"""The content of `\boxed{…}`, with braces counted.

Both functions look backwards from the last `\boxed` and run in time linear in the text, whatever
it is.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

_MARK = "\\boxed"
_OPENING = re.compile(r"\\boxed\s*\{")


class Box(NamedTuple):
    r"""One `\boxed{…}`: its `content`, and `start` and `end`, the span of the whole in the text."""

    content: str
    start: int
    end: int


def last_box(text: str) -> Box | None:
    r"""Return the complete `\boxed{…}` that begins last, or None.

    Blanks may stand before the brace (`\boxed {A}`). Escaped braces (`\{`) don't count.
    """
    return next(_backwards(text), None)


def find_boxes(text: str) -> list[Box]:
    r"""Return the complete boxes in the order of the text; of nested ones, the innermost."""
    return list(_backwards(text))[::-1]


def _backwards(text: str) -> Iterator[Box]:
    stop = len(text)
    while True:
        # Nothing after the last closing brace can be a complete box.
        stop = text.rfind("}", 0, stop) + 1
        start = text.rfind(_MARK, 0, stop)
        if start < 0:
            return
        box = _box_at(text, start, stop)
        if box is not None:
            yield box
        # An earlier box that is still open here contains this one, so it is not looked at further:
        # each part of the text is scanned once.
        stop = start


def _box_at(text: str, start: int, stop: int) -> Box | None:
    opened = _OPENING.match(text, start, stop)
    if opened is None:
        return None
    depth, position = 1, opened.end()
    while (end := text.find("}", position, stop)) >= 0:
        depth += text.count("{", position, end) - text.count("\\{", position, end)
        if text[end - 1] != "\\":
            depth -= 1
            if depth == 0:
                return Box(text[opened.end() : end], start, end + 1)
        position = end + 1
    return None
