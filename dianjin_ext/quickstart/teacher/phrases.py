"""The phrases of reasoning about a question of a file, written and read again."""

import re
from typing import Final

from dianjin_ext.questions.question import Kind, Language, Question
from dianjin_ext.rewards.judge.cleaning import clean

_QUOTED: Final = 60  # characters
_NUMBERS: Final = 5
_PIECES: Final = 3

_ASKED: Final[dict[Language, str]] = {
    "zh": "题目问的是：{}",
    "en": "The question is: {}",
}
_GIVEN: Final[dict[Language, str]] = {
    "zh": "与此有关的有：{}。",
    "en": "What bears on it: {}.",
}
_FITS: Final[dict[Language, tuple[str, str]]] = {
    "zh": ("与题意不符", "与题意相符"),
    "en": ("does not fit", "fits"),
}
_COMPARED: Final[dict[tuple[Language, Kind], str]] = {
    ("zh", "choice"): "把各个选项与题意逐一对照。",
    ("zh", "number"): "把有关的数据按所问的关系代入计算。",
    ("zh", "label"): "把各个标签与原文的意思逐一对照。",
    ("zh", "open"): "把有关的内容逐条归纳。",
    ("en", "choice"): "Hold each option against what is asked.",
    ("en", "number"): "Put the figures that bear on it into the relation that is asked about.",
    ("en", "label"): "Hold each label against what the text says.",
    ("en", "open"): "Sum up what bears on it, point by point.",
}
_BARE: Final[dict[Language, tuple[str, str]]] = {
    "zh": ("先看清题目所问的是什么，再看给出了哪些内容。", "把给出的内容逐条对照，排除不符合的。"),
    "en": (
        "First see what is asked, and then what is given to answer it.",
        "Compare what is given point by point, and put aside what does not fit.",
    ),
}
_LEADS: Final[dict[Language, str]] = {"zh": "据此得出：{}。", "en": "This gives: {}."}
_SO: Final[dict[Language, str]] = {"zh": "所以答案是：{}。", "en": "So the answer is: {}."}
_BLANK: Final = re.compile(r"[\s。.,，;；、…]+")
_NUMBER: Final = re.compile(r"\d+(?:[.,]\d+)*%?")
_BREAKS: Final = re.compile(
    r"[，。；：？！,;:?!()（）\s]{1,}" + r"(?<=[，。；：？！,;:?!()（）\n])"
)


def steps(question: Question, answer: str, language: Language) -> list[str]:
    """Return reasoning that leads to an answer, a step a line."""
    said = _on_one_line(answer)
    lines = [_ASKED[language].format(_quote(question)), _given(question, language)]
    if question.kind == "choice":
        for letter, text in question.choices.items():
            fits = _FITS[language][letter in answer]
            lines.append(f"{letter}. {_clip(text)}{'：' if language == 'zh' else ': '}{fits}")
    else:
        lines.append(_COMPARED[language, question.kind])
    return [*lines, _LEADS[language].format(said), _SO[language].format(said)]


def bare_steps(answer: str, language: Language) -> list[str]:
    """Return reasoning that quotes nothing."""
    said = _on_one_line(answer)
    return [*_BARE[language], _LEADS[language].format(said), _SO[language].format(said)]


def conclusions(text: str) -> list[str]:
    """Return the answers that a text concludes with, in order."""
    return _read(text, _SO)


def leads(text: str) -> list[str]:
    """Return the answers that the steps of a text lead to, in order."""
    return _read(text, _LEADS)


def quotes(question: Question, text: str) -> bool:
    """Return whether a text says what the question asks."""
    quote, said = _quote(question), plain(text)
    return plain(quote) in said or plain(clean(quote)) in said


def plain(text: str) -> str:
    """Return a text without blanks and marks, in small letters."""
    return _BLANK.sub("", text).lower()


def _read(text: str, forms: dict[Language, str]) -> list[str]:
    found = []
    for line in map(str.strip, text.splitlines()):
        for form in forms.values():
            head, tail = form.split("{}")
            at = line.find(head)
            if at >= 0 and line.endswith(tail):
                found.append(line[at + len(head) : -len(tail)].strip())
    return found


def _quote(question: Question) -> str:
    """Return the last line of a question, where it asks; its context stands before."""
    lines = [line.strip() for line in question.question.splitlines() if line.strip()]
    return _clip(lines[-1] if lines else "")


def _given(question: Question, language: Language) -> str:
    """Name numbers and pieces of the question; of its context where it has no numbers."""
    pieces = [p for p in _BREAKS.split(question.question) if 4 <= len(p) <= _QUOTED][:_PIECES]
    numbers = _NUMBER.findall(question.question) or _NUMBER.findall(question.context)
    named = list(dict.fromkeys([*pieces, *numbers[:_NUMBERS]])) or [_quote(question)]
    return _GIVEN[language].format(("；" if language == "zh" else "; ").join(named))


def _clip(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _QUOTED else text[:_QUOTED] + "…"


def _on_one_line(answer: str) -> str:
    text = " ".join(answer.split())
    return text if len(text) <= 4 * _QUOTED else text[: 4 * _QUOTED] + "…"
