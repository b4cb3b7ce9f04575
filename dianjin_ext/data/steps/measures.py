"""Rule measures of reasoning, beside what a judge says of the same."""

import re
import unicodedata
from collections.abc import Mapping
from typing import Final, NamedTuple

from dianjin_ext.answers.response import Response
from dianjin_ext.data.candidate import Candidate
from dianjin_ext.questions.prompts import with_options
from dianjin_ext.questions.question import Question
from dianjin_ext.rewards.base import Score
from dianjin_ext.rewards.components import Sample
from dianjin_ext.rewards.language import LanguageSettings, language_share
from dianjin_ext.rewards.repetition import RepetitionSettings, repetition_penalty
from dianjin_ext.rewards.steps import StepsSettings, step_share

_WORD: Final = re.compile(r"[a-z]{3,}|\d{1,3}(?:,\d{3})+(?:\.\d+)?%?|\d+(?:\.\d+)?%?")
_CHINESE: Final = re.compile(r"[\u4e00-\u9fff]+")
_ASKING: Final = frozenset(
    re.findall(
        r"\w+",
        "the and which what that this are was were has have had for with from its one following "
        "not how much many does did will would can could should given each than into",
    )
)
_ASKING_CHINESE: Final = re.compile(r"[下列以上哪项些个是的属于不有关说法正确错误一为什么多少]")
_MANY: Final = 99


class Measures(NamedTuple):
    """What rules say of a response's reasoning.

    Attributes:
        steps: How many steps it is laid out in (the reward component `steps`).
        overlap: The share of the question's terms that stand in the reasoning: its words of three
            letters and more, its numbers, and the pairs of its Chinese characters.
        repetition: The share of n-grams that occurred before (the component `repetition`).
        language: The share of words in the question's language (the component `language`).
    """

    steps: int
    overlap: float
    repetition: float
    language: float


def measures(candidate: Candidate) -> Measures:
    """Return what rules say of a candidate's reasoning."""
    text = candidate.reasoning or ""
    question = candidate.question
    sample = Sample(text, Response(text, "-", "", ""), _NO_SCORE, {})
    target = LanguageSettings(target=question.language)
    steps = step_share(sample, StepsSettings(target=_MANY)) * _MANY
    return Measures(
        max(round(steps), _paragraphs(text)),
        round(overlap(question, text), 4),
        round(-repetition_penalty(sample, RepetitionSettings()), 4),
        round(language_share(sample, target), 4),
    )


def overlap(question: Question, reasoning: str) -> float:
    """Return the share of a question's terms that stand in the reasoning, in [0, 1]."""
    asked = terms(with_options(question))
    return len(asked & terms(reasoning)) / len(asked) if asked else 1.0


def terms(text: str) -> set[str]:
    """Return the terms of a text; words that any question asks with are none."""
    text = unicodedata.normalize("NFKC", text)
    found = {word.replace(",", "") for word in _WORD.findall(text.lower())} - _ASKING
    for run in _CHINESE.findall(text):
        for part in _ASKING_CHINESE.split(run):
            found |= {part[i : i + 2] for i in range(len(part) - 1)}
    return found


def _paragraphs(text: str) -> int:
    """Return how many paragraphs say something: reasoning needs no marks to be in steps."""
    return sum(len(line.strip()) >= 5 for line in text.splitlines())


_NO_SCORE: Final = Score(0.0, 0.0, 0.0, "", "wrong")
AGREE: Final[Mapping[str, str]] = {
    "steps": "reasoning_steps",
    "overlap": "term_overlap",
    "repetition": "content_diversity",
    "language": "instruction_consistency",
}
"""Measure to the criterion that it measures too."""
