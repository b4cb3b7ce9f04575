"""Whether a multiple-choice question of a file can be opened by small changes, and into what."""

import re
from typing import Final

from dianjin_ext.questions.question import Question

_NEEDS_OPTIONS: Final = re.compile(
    r"不|错误|除|正确|说法|表述|\b(?:not|except|incorrect|false|true|correct|least|statements?)\b",
    re.I,
)
_SMALL: Final[tuple[tuple[re.Pattern[str], str], ...]] = (
    (re.compile(r"(?:下列|以下|下面)(?:选项|各项|各选项|项目)?中?[，,]?"), ""),
    (re.compile(r"哪[一个]?项"), "什么"),
    (re.compile(r"[（(]\s*[)）]"), "什么"),
    (re.compile(r"\bwhich (?:one )?of the following\b", re.I), "What"),
)
_REFERS: Final = re.compile(
    r"选项|下列|以下|以上|上述|(?-i:(?<![A-Za-z])[A-J][.、．)）])"
    r"|\b(?:options?|choices?|the following|the above|of these)\b",
    re.I,
)
_MORE: Final = 8  # characters that are left of a question that still asks something


def opened(question: Question) -> str | None:
    """Return a question without its options, on one line; None where small changes don't do."""
    if question.kind != "choice" or len(question.answer or "") != 1:
        return None
    text, answer = question.question, opened_answer(question)
    if answer is None or _NEEDS_OPTIONS.search(text) or _REFERS.search(answer):
        return None
    for pattern, instead in _SMALL:
        text = pattern.sub(instead, text)
    text = " ".join(text.split())
    if len(text) < _MORE or refers(text) or answer in text:
        return None
    return text


def opened_answer(question: Question) -> str | None:
    """Return the text of the right option."""
    return question.choices.get(question.answer or "")


def refers(text: str) -> bool:
    """Return whether a question speaks of options that it doesn't have."""
    return _REFERS.search(text) is not None
