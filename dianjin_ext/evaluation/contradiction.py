"""Answers that their own reasoning contradicts.

What the reasoning states last is read by the readers that grade: a box, or a sentence with a
marker or a conclusion, which is not taken back further on. A number that differs from the answer by
rounding, scale or a percent sign only is the same.
"""

import re
from itertools import islice
from typing import Final, NamedTuple

from dianjin_ext.answers.boxed import last_box
from dianjin_ext.evaluation.graded_span import LEAD, Span, answer_in, span
from dianjin_ext.evaluation.reads import Reads
from dianjin_ext.rewards.format import extract, parts_of

_WINDOW: Final = 4000
_MOST: Final = 4
"""Marked sentences that are looked at, from the last."""

_IN_PROSE: Final = ("choice", "number", "label")
"""Kinds of answers that prose can state; of mathematics only a box counts."""

_MARKED = re.compile(
    r"answer|boxed|\b(?:therefore|thus|hence|so|consequently|conclusion|correct|choose|select)\b"
    r"|\b(?:sentiment|label|verdict|judg|classif)|####|答案|答[:：]|因此|所以|故|综上|选|正确|符合|结论"
    r"|情[绪感]|倾向|判断|判定|极性|类别"
)
"""Of a text in lower case, which is twice as fast as a search without regard to case."""

# `D is correct` judges one option of several, and chooses none.
_CHOOSES = re.compile(r"answer|choose|select|boxed|答案|答[:：]|选(?!项)", re.IGNORECASE)
_END = re.compile(r"[。！!？?\n]|\.(?=\s)")
_EMPTY_BOX = re.compile(r"\\boxed\s*(?:\{\s*\}|(?!\s*\{))")


class Stated(NamedTuple):
    """What the reasoning of a response says.

    Attributes:
        answer: The answer that it states last, in the canonical form; None where it states none.
        contradicts: Whether the answer that was graded is another.
    """

    answer: str | None
    contradicts: bool


def stated(response: str, *, reads: Reads, pred: str, by_rules: bool = True) -> Stated:
    """Return what the reasoning of a response states, and whether the answer contradicts it.

    The reasoning is the think block; without one, what stands before the box. Open answers
    contradict nothing: no rule says whether two of them differ.

    Args:
        response: The whole text of the model.
        reads: The readers of its row.
        pred: The answer that was graded.
        by_rules: Whether the rules read it, not a judge or a model that extracts.
    """
    thought = _reasoning(response, reads) if reads.kind != "open" else ""
    found = _last_stated(thought, reads) if thought else None
    if found is None:
        return Stated(None, False)
    said, rest = found
    if not pred or said == pred:
        return Stated(said, False)
    place = span(response, reads=reads, pred=pred, by_rules=by_rules)
    where = _place(rest, said, reads)
    text = rest[slice(*where)] if where else said
    given = response[place[0] : place[1]] if place else pred
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
    """Return the answer that a text states last, in its canonical form, and the text from there."""
    if reads.kind not in _IN_PROSE:
        box = last_box(thought)
        said = reads.answer(box.content) if box else ""
        return (said, thought[box.start :]) if box and said else None
    begins = [0, *(match.end() for match in _END.finditer(thought))]
    ends = [*begins[1:], len(thought)]
    lower = thought.lower()
    text = lower if len(lower) == len(thought) else thought
    # from the last, as far as is needed
    sentences = zip(reversed(begins), reversed(ends), strict=True)
    marked = (begin for begin, end in sentences if _MARKED.search(text, begin, end))
    for begin in islice(marked, _MOST):
        rest = thought[begin:]
        if reads.kind == "choice" and not _CHOOSES.search(rest):
            continue
        said = reads.prose(LEAD + rest)
        if said:
            return said, rest
    return None


def _place(text: str, said: str, reads: Reads) -> Span | None:
    box = last_box(text)
    if box is not None:
        return box.end - 1 - len(box.content), box.end - 1
    return answer_in(text, said, reads)
