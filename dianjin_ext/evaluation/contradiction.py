"""Answers that their own reasoning contradicts.

What the reasoning states last is read by the readers that grade: a box, or a sentence with a
marker or a conclusion, which is not taken back further on. A number that differs from the answer by
rounding, scale or a percent sign only is the same.
"""

import re
from typing import Final, NamedTuple

from dianjin_ext.answers.boxed import last_box
from dianjin_ext.evaluation.graded_span import LEAD, Span, answer_in
from dianjin_ext.evaluation.reads import Reads
from dianjin_ext.rewards.format import extract, parts_of

_WINDOW: Final = 4000
_MOST: Final = 4
"""Marked sentences that are looked at, from the last."""

_IN_PROSE: Final = ("choice", "number", "label")
"""Kinds of answers that prose can state; of others only a box counts."""

_MARKED = re.compile(
    r"answer|boxed|\b(?:therefore|thus|hence|so|consequently|conclusion|correct|choose|select)\b"
    r"|\b(?:sentiment|label|verdict|judg|classif)|####|答案|答[:：]|因此|所以|故|综上|选|正确|符合|结论"
    r"|情[绪感]|倾向|判断|判定|极性|类别",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"(?:[^。！!？?\n.]|\.(?!\s|$))+[。！!？?.]*\s*")
_EMPTY_BOX = re.compile(r"\\boxed\s*(?:\{\s*\}|(?!\s*\{))")


class Stated(NamedTuple):
    """What the reasoning of a response says.

    Attributes:
        answer: The answer that it states last, in the canonical form; None where it states none.
        contradicts: Whether the answer that was graded is another.
    """

    answer: str | None
    contradicts: bool


def stated(response: str, *, reads: Reads, pred: str, span: Span | None) -> Stated:
    """Return what the reasoning of a response states, and whether the answer contradicts it.

    The reasoning is the think block; without one, what stands before the box.

    Args:
        response: The whole text of the model.
        reads: The readers of its row.
        pred: What `compute_score` read as the answer.
        span: Where that stands, as `graded_span.span` found it.
    """
    thought = _reasoning(response, reads)
    found = _last_stated(thought, reads) if thought else None
    if found is None:
        return Stated(None, False)
    said, text = found
    if not pred or said == pred:
        return Stated(said, False)
    given = response[span[0] : span[1]] if span else pred
    return Stated(said, not (reads.same(text, given) or reads.same(said, pred)))


def _reasoning(response: str, reads: Reads) -> str:
    if reads.policy.strictness == "dianjin":
        thought: str | None = response.partition("<think>")[2].partition("</think>")[0]
    else:
        thought = parts_of(response, reads.policy).think
    if not thought or not thought.strip():
        thought = extract(response, reads.policy, needs_box=False).before
    for mark in ("<think>", "</think>", "<answer>", "</answer>", *reads.policy.tags.marks):
        thought = thought.replace(mark, " ")
    return _EMPTY_BOX.sub(" ", thought[-_WINDOW:])


def _last_stated(thought: str, reads: Reads) -> tuple[str, str] | None:
    """Return the answer that a text states last: in its canonical form, and as it stands there."""
    if reads.kind not in _IN_PROSE:
        box = last_box(thought)
        said = reads.answer(box.content) if box else ""
        return (said, box.content) if box and said else None
    marked = [match.start() for match in _SENTENCE.finditer(thought) if _MARKED.search(match[0])]
    for begin in marked[: -_MOST - 1 : -1]:
        rest = thought[begin:]
        said = reads.prose(LEAD + rest)
        if said:
            place = _place(rest, said, reads)
            return said, rest[slice(*place)] if place else said
    return None


def _place(text: str, said: str, reads: Reads) -> Span | None:
    box = last_box(text)
    if box is not None:
        return box.end - 1 - len(box.content), box.end - 1
    return answer_in(text, said, reads)
