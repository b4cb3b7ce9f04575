"""Reasoning and answer of a reply that comes in pieces, whatever the pieces cut through."""

from collections.abc import Iterator
from typing import Final, Literal, NamedTuple

from dianjin_ext.answers.tags import DIANJIN_R1, Tags

__all__ = ["Part", "Piece", "Splitter"]

Part = Literal["reasoning", "answer"]


class Piece(NamedTuple):
    """Text to show.

    Attributes:
        part: What it belongs to.
        text: What is new; empty at the most where it `corrects`.
        corrects: All that was shown as answer so far was reasoning: the template opened it, and
            the reply has only the closing mark.
    """

    part: Part
    text: str
    corrects: bool = False


_BLANK: Final = " \t\r\n"


class Splitter:
    """Takes the pieces of one reply, gives what to show of them.

    Marks are left out of what is shown. What may be the beginning of a mark is held back until the
    next piece tells.

    Args:
        tags: The layout of the model's responses.
        opened: The prompt ends with the opening mark, so the reply begins inside the reasoning.

    Attributes:
        reasoning: What was thought so far.
        content: What follows the reasoning, with the marks of the answer: what a history keeps.
        opened: Whether the reasoning was open before the reply began, as far as seen.
    """

    def __init__(self, tags: Tags = DIANJIN_R1, *, opened: bool = False) -> None:
        self.tags = tags
        self.opened = opened
        self.reasoning = ""
        self.content = ""
        self._inside: Literal["start", "reasoning", "answer"] = "start"
        self._closed = False  # the reasoning ended, so that no mark of it is looked for
        self._held = ""
        self._blanks: str | None = None  # at the end of what was shown; None: nothing was yet

    def reason(self, text: str) -> Iterator[Piece]:
        """Take a piece that the server says is reasoning."""
        if not (self._closed and self._inside == "reasoning"):
            yield from self._take(last=True)
            self._enter("reasoning")
        self._closed = True
        yield from self._show("reasoning", text)

    def add(self, text: str) -> Iterator[Piece]:
        """Take a piece of the text of the reply."""
        if self._closed and self._inside == "reasoning":  # the server took it apart itself
            self._enter("answer")
        self._held += text
        yield from self._take(last=False)

    def end(self) -> Iterator[Piece]:
        """Say that the reply is complete."""
        yield from self._take(last=True)

    def _take(self, *, last: bool) -> Iterator[Piece]:
        if self._inside == "start":
            opening = self.tags.think[0]
            begun = self._held.lstrip(_BLANK)
            if begun.startswith(opening):
                self._held = begun[len(opening) :]
                self._enter("reasoning")
            elif opening.startswith(begun) and not last:
                return
            else:
                self._enter("reasoning" if self.opened else "answer")
        if self._inside == "reasoning":
            before, mark, after = self._held.partition(self.tags.think[1])
            if not mark:
                yield from self._show("reasoning", self._release([self.tags.think[1]], last))
                return
            yield from self._show("reasoning", before)
            self._held, self._closed = after, True
            self._enter("answer")
        if not self._closed and self.tags.think[1] in self._held:
            yield from self._correct()
        marks = [mark for mark in self.tags.answer or () if mark]
        closing = [] if self._closed else [self.tags.think[1]]
        released = self._release([*marks, *closing], last)
        self.content = (self.content + released) if self.content else released.lstrip(_BLANK)
        for mark in marks:
            released = released.replace(mark, "")
        yield from self._show("answer", released)

    def _correct(self) -> Iterator[Piece]:
        before, _, after = self._held.partition(self.tags.think[1])
        shown = bool(self.content)
        self.reasoning, self.content = (self.content + before).strip(_BLANK), ""
        self._held, self._closed, self.opened = after, True, True
        if shown:
            rest = ((self._blanks or "") + before).rstrip(_BLANK)
            yield Piece("reasoning", rest, corrects=True)
        elif self.reasoning:
            yield Piece("reasoning", self.reasoning)
        self._enter("answer")

    def _release(self, marks: list[str], last: bool) -> str:
        """Return what is held but for an end that may be the beginning of a mark."""
        held = self._held
        keep = 0
        if not last:
            for mark in marks:
                for size in range(min(len(mark) - 1, len(held)), keep, -1):
                    if held.endswith(mark[:size]):
                        keep = size
                        break
        released, self._held = held[: len(held) - keep], held[len(held) - keep :]
        return released

    def _enter(self, part: Part) -> None:
        self._inside, self._blanks = part, None

    def _show(self, part: Part, text: str) -> Iterator[Piece]:
        """Show a text without the blanks at both ends of its part."""
        begun = self._blanks is not None
        text = (self._blanks or "") + text if begun else text.lstrip(_BLANK)
        shown = text.rstrip(_BLANK)
        if begun or shown:
            self._blanks = text[len(shown) :]
        if shown:
            if part == "reasoning":
                self.reasoning += shown
            yield Piece(part, shown)
