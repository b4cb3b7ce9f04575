r"""The content of `\boxed{…}`, with braces counted.

Both functions look backwards from the last `\boxed` and run in time linear in the text, whatever
it is.
"""

import re
from array import array
from collections.abc import Iterator
from itertools import accumulate, islice
from typing import Final, NamedTuple

_MARK = "\\boxed"
_OPENING = re.compile(r"\\boxed\s*\{")
_BRACE = re.compile("[{}]")
_NO_BRACE: Final = bytes(code for code in range(256) if code not in b"{}")
_STEPS: Final = bytes.maketrans(b"{}", b"\x01\xff")
_FEW: Final = 32
_BLOCK: Final = 8192
_MAX_INCOMPLETE: Final = 10_000
"""Incomplete boxes that are passed over in search of a complete one; a text with more has none."""


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
    said = text
    if "\\\\}" in text or "\\\\{" in text:  # a line break, which escapes no brace
        text = text.replace("\\\\", "\0\0").replace("\0\0boxed", "\\\\boxed")
    stop = len(text)
    incomplete = 0
    while incomplete < _MAX_INCOMPLETE:
        # Nothing after the last closing brace can be a complete box.
        stop = text.rfind("}", 0, stop) + 1
        start = text.rfind(_MARK, 0, stop)
        if start < 0:
            return
        box = _box_at(text, start, stop)
        if box is not None:
            yield box if said is text else _in(said, box)
        else:
            incomplete += 1
        # An earlier box that is still open here contains this one, so it is not looked at further:
        # each part of the text is scanned once.
        stop = start


def _in(text: str, box: Box) -> Box:
    return box._replace(content=text[box.end - 1 - len(box.content) : box.end - 1])


def _box_at(text: str, start: int, stop: int) -> Box | None:
    opened = _OPENING.match(text, start, stop)
    if opened is None:
        return None
    end = _closing(text, opened.end(), stop)
    return Box(text[opened.end() : end], start, end + 1) if end >= 0 else None


def _closing(text: str, position: int, stop: int) -> int:
    """Return where the brace that was opened before `position` is closed, or -1."""
    depth = 1
    for _ in range(_FEW):
        end = text.find("}", position, stop)
        if end < 0:
            return -1
        depth += text.count("{", position, end) - text.count("\\{", position, end)
        if text[end - 1] != "\\":
            depth -= 1
            if depth == 0:
                return end
        position = end + 1
    # Many braces: by blocks. One that can't have the closing brace is passed in a few searches.
    while position < stop:
        end = min(position + _BLOCK, stop)
        # From one character before, which may escape the first brace.
        block = text[position - 1 : end].replace("\\{", "  ").replace("\\}", "  ")[1:]
        opened, closed = block.count("{"), block.count("}")
        place = _nth_close(block, depth) if closed >= depth else -1
        if place >= 0:
            return position + place
        depth += opened - closed
        position = end
    return -1


def _nth_close(block: str, depth: int) -> int:
    """Return where `depth` braces that were opened before `block` are closed, or -1."""
    braces = block.encode("ascii", "replace").translate(None, _NO_BRACE)
    left = braces
    for _ in range(3):  # pairs change no depth
        left = left.replace(b"{}", b"")
    if min(_depths(left), default=0) > -depth:
        return -1
    count = list(_depths(braces)).index(-depth)
    return next(islice(_BRACE.finditer(block), count, None)).start()


def _depths(braces: bytes) -> Iterator[int]:
    """Return the depth after each brace, 0 at the beginning."""
    return accumulate(array("b", braces.translate(_STEPS)))
