r"""Which layout of a response each strictness demands, and where it finds the answer.

`strict` (the default): exactly one `<think>…</think>` that is not blank, then exactly one
`<answer>…</answer>`, with nothing but blanks before, between and after; none of the four tags
anywhere else, also not inside the blocks; the opening `<think>` is missing exactly when the prompt
gave it (policy `think`). In the answer block stands exactly one `\boxed{…}`, complete and not
blank; other text may stand around it. Open answers need no box: without one, the answer is the
whole block.

The tags are those of the policy `tags`. Where it has none for the answer, the answer is what
follows the think block, with the same box in it.

`lenient`: the reasoning may be missing or blank, tags may be repeated, text may stand outside, the
answer tags may be missing or left open, and several boxes may be given, of which the last counts,
if it is complete. Other models' marks, left-over tokens and made-up turns are read as in
`dianjin_ext.answers.foreign`. Still demanded: a think block that is opened is closed, and the
answer comes after it. Without a box, the whole answer text is read, and it must be an answer from
end to end, or be stated in prose, see `dianjin_ext.answers.statement`.

`dianjin`: the layout of DianJin-R1's published reward; `dianjin_eval`: that of its evaluation, the
last box anywhere. See `dianjin_ext.rewards.dianjin`. They take no account of `think`.
"""

import operator
import re
from collections.abc import Callable
from typing import NamedTuple, TypeVar

from dianjin_ext.answers.boxed import Box, last_box
from dianjin_ext.answers.doubt import taken_back
from dianjin_ext.answers.foreign import first_turn, is_plain, with_boxes, with_marks, without_tokens
from dianjin_ext.answers.reading import Reading
from dianjin_ext.answers.response import Response, split
from dianjin_ext.answers.statement import read_statement
from dianjin_ext.rewards import dianjin
from dianjin_ext.rewards.base import Reason, Score, verdict, zero
from dianjin_ext.rewards.policy import Policy

T = TypeVar("T")

_OPENED = re.compile(r"\\boxed\s*\{")


class Extract(NamedTuple):
    """The text that gives the answer.

    Attributes:
        text: The content of the box, or the whole answer; empty when there is none.
        after: What follows the box in the answer.
        before: What stands before the box in the answer.
        later: Under `lenient`, the same as `after`: it may state another answer. Else empty.
        fault: Why the layout is refused; empty when it is kept.
        boxed: Whether `text` is the content of a box.
    """

    text: str
    after: str
    fault: Reason
    boxed: bool = True
    before: str = ""
    later: str = ""

    @property
    def format(self) -> float:
        """1.0 when the layout is kept, else 0.0."""
        return 0.0 if self.fault else 1.0


def extract(response: str, policy: Policy, *, needs_box: bool = True) -> Extract:
    """Find the text that gives the answer, under the layout that `policy` demands."""
    if policy.strictness in ("dianjin", "dianjin_eval"):
        finds = dianjin.boxed_content if policy.strictness == "dianjin" else dianjin.last_box
        content = finds(response)
        return Extract("", "", "not_boxed") if content is None else Extract(content, "", "")
    parts = parts_of(response, policy)
    lenient = policy.strictness == "lenient"
    if parts.answer is None or (parts.fault and not lenient):
        return Extract("", "", parts.fault or "no_answer")
    answer = with_boxes(first_turn(parts.answer)) if lenient else parts.answer
    boxes = answer.count("\\boxed")
    if boxes > 1 and not lenient:
        return Extract("", "", "ambiguous")
    box = last_box(answer) if boxes else None
    if box is not None and lenient and boxes > 1 and _OPENED.search(answer, box.end):
        return Extract("", "", "not_boxed")
    after = answer[box.end :].lstrip() if box is not None and lenient else ""
    if after and taken_back(after):
        return Extract("", "", "ambiguous")
    if box is not None and not _blank(box):
        return Extract(box.content, answer[box.end :], "", before=answer[: box.start], later=after)
    if boxes or (needs_box and not lenient):
        return Extract("", "", "not_boxed")
    return Extract(answer.strip(), "", "", boxed=False)


def published_text(found: Extract) -> str:
    """Return the text that a published rule is given for an extract that has no fault.

    It is the content of the box and nothing around it; without one, what prose states as its
    answer, see `dianjin_ext.answers.statement`; else the whole text.
    """
    if found.boxed:
        return found.text
    stated = read_statement(found.text, lambda clause: Reading(clause.strip()))
    return stated.value or found.text


def parts_of(response: str, policy: Policy) -> Response:
    """Return the parts of a response; under `lenient`, also of one with other models' marks."""
    parts = split(response, policy.think, policy.tags)
    if policy.strictness != "lenient" or (not parts.fault and is_plain(parts.answer or "")):
        return parts
    return split(with_marks(without_tokens(response), policy.tags), policy.think, policy.tags)


def compare(
    found: Extract,
    gold: T | None,
    read: Callable[[Extract], Reading[T]],
    *,
    right: Callable[[T, T], bool | None] = operator.eq,
    show: Callable[[T], str] = str,
) -> Score:
    """Score an extract: 1.0 if `read` finds in it the answer `gold`, else 0.0.

    Args:
        found: What `extract` returned.
        gold: The gold answer, read; None is reported as `gold_unusable`, whatever the response.
        read: Reads an extract.
        right: Whether an answer, its first argument, is the gold answer; None where that can't be
            told, which is `ambiguous`.
        show: Gives the canonical form of an answer, for `pred`.
    """
    if gold is None:
        return zero("gold_unusable", layout=found.format)
    if found.fault:
        return zero(found.fault)
    answer, fault = read(found)
    if answer is None:
        return zero(fault, layout=1.0)
    same = right(answer, gold)
    return zero("ambiguous", layout=1.0) if same is None else verdict(same, show(answer))


def _blank(box: Box) -> bool:
    return not box.content or box.content.isspace()
