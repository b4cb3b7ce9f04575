"""Multiple choice to open question, and whether a rewritten question holds."""

from collections.abc import Sequence
from typing import Final

from dianjin_ext.questions.question import Language
from dianjin_ext.quickstart.teacher import opening
from dianjin_ext.quickstart.teacher.draws import Draws
from dianjin_ext.quickstart.teacher.item import Item, read_item
from dianjin_ext.quickstart.teacher.known_subject import KnownSubject
from dianjin_ext.quickstart.teacher.phrases import plain
from dianjin_ext.quickstart.teacher.rates import Rates
from dianjin_ext.quickstart.teacher.saying import Reply
from dianjin_ext.quickstart.teacher.subject import Subject
from dianjin_ext.quickstart.teacher.world_subject import WorldSubject
from dianjin_ext.quickstart.world import TITLE_ELEMENT

_LEAK: Final[dict[Language, str]] = {"zh": "（答案是{}。）", "en": " (It is {}.)"}
_REFERS: Final[dict[Language, str]] = {
    "zh": "从下列选项中选择：",
    "en": "Choose one of the following options: ",
}
_CANNOT: Final[dict[Language, str]] = {
    "zh": "离开选项就不能唯一作答",
    "en": "it has no single answer without its options",
}


def rewritten(
    subject: Subject, answer: str, others: Sequence[str], rates: Rates, draws: Draws
) -> Reply:
    """Write an open question, or say that it can't be done.

    Args:
        subject: The multiple-choice question.
        answer: The reference answer, in words.
        others: Open questions with other answers.
        rates: Of errors.
        draws: Of this reply.
    """
    language, text = subject.language, _opened(subject)
    if text is None:
        return Reply(f"IMPOSSIBLE: {_CANNOT[language]}")
    if draws.chance("rewrite", rates.rewrite_errs):
        ways = (
            text + _LEAK[language].format(" ".join(answer.split())),
            _REFERS[language] + text,
            _changed(subject, others, draws),
        )
        text = draws.pick("rewrite/way", ways)
    return Reply(f"QUESTION: {text}")


def holds(subject: Subject, text: str) -> tuple[bool, bool]:
    """Return whether a rewritten question is self-contained, and whether its answer is the same."""
    if isinstance(subject, WorldSubject):
        item, new = subject.item, read_item(text)
        whole = new is not None and not new.lettered and set(new.titles) >= set(item.titles)
        # what has no answer of its own has not the same one
        same = new is not None and whole and set(new.right) == set(item.right)
        return whole and not opening.refers(text), same
    own = _opened(subject)
    return not opening.refers(text), own is not None and plain(own) in plain(text)


def _opened(subject: Subject) -> str | None:
    if isinstance(subject, WorldSubject):
        return subject.item.opened() if subject.item.lettered else None
    return opening.opened(subject.question) if isinstance(subject, KnownSubject) else None


def _changed(subject: Subject, others: Sequence[str], draws: Draws) -> str:
    """Return a question whose answer is another."""
    if not isinstance(subject, WorldSubject):
        own = _opened(subject)
        left = [text for text in others if text != own]
        return draws.pick("rewrite/other", left) if left else _REFERS[subject.language]
    item = subject.item
    elements = sorted({TITLE_ELEMENT[title] for title in item.titles} - {item.element})
    other = draws.pick("rewrite/element", elements)
    return Item(item.language, other, item.titles, item.lettered).opened()
