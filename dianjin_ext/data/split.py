"""Which question goes to SFT, to RL training and to validation, with no question in two of them."""

import random
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from dianjin_ext.questions.duplicates import near_duplicates
from dianjin_ext.questions.readers.base import MultipleChoice


@dataclass(frozen=True, slots=True)
class Split:
    """Questions by their use; `groups` counts the groups of two or more near-duplicates."""

    sft: list[MultipleChoice]
    train: list[MultipleChoice]
    val: list[MultipleChoice]
    groups: int


def unambiguous(
    questions: Iterable[MultipleChoice],
) -> tuple[list[MultipleChoice], dict[str, int]]:
    """Leave out questions that no grader can mark fairly, and repetitions.

    Left out are questions with two options of the same text, all but the first of questions that
    agree in question, options and gold, and all questions that agree in question and options but
    not in gold. Spaces, width, a full stop and the order of the options do not count.

    Returns:
        The questions kept, and how many were left out for which reason.
    """
    excluded = {"repeated_option": 0, "duplicate": 0, "contradictory": 0}
    same: dict[tuple[str, frozenset[str]], list[MultipleChoice]] = {}
    for question in questions:
        texts = {_text(option) for option in question.choices.values()}
        if len(texts) < len(question.choices):
            excluded["repeated_option"] += 1
        else:
            same.setdefault((_text(question.question), frozenset(texts)), []).append(question)
    kept: list[MultipleChoice] = []
    for repeated in same.values():
        golds = {frozenset(_text(q.choices[letter]) for letter in q.answer) for q in repeated}
        if len(golds) > 1:
            excluded["contradictory"] += len(repeated)
        else:
            excluded["duplicate"] += len(repeated) - 1
            kept.append(repeated[0])
    return kept, excluded


def split(
    questions: Sequence[MultipleChoice],
    *,
    rl_rows: int,
    val_rows: int,
    seed: int,
    fits_rl: Callable[[MultipleChoice], bool],
) -> Split:
    """Split by groups of near-duplicates, at random.

    Validation is drawn first. RL training then takes questions without reasoning, which SFT has no
    use for, before others. SFT gets what remains and has reasoning. A group that would overfill
    a side is left to the next.

    Args:
        questions: Questions with distinct texts.
        rl_rows: Most questions for RL training.
        val_rows: Most questions for validation.
        seed: Seed of the order in which groups are drawn.
        fits_rl: Whether a question may be used in RL training or validation.
    """
    texts = ["\n".join([q.question, *sorted(q.choices.values())]) for q in questions]
    groups = [[questions[i] for i in group] for group in near_duplicates(texts)]
    random.Random(seed).shuffle(groups)
    val, rest = _draw(groups, val_rows, fits_rl)
    rest.sort(key=lambda group: any(q.reasoning for q in group))  # stable: keeps the random order
    train, rest = _draw(rest, rl_rows, fits_rl)
    random.Random(seed).shuffle(train)
    return Split(
        sft=[q for group in rest for q in group if q.reasoning],
        train=train,
        val=val,
        groups=sum(len(group) > 1 for group in groups),
    )


def kinds(questions: Iterable[MultipleChoice]) -> dict[str, int]:
    """Count the questions of each kind."""
    counted = Counter(question.kind for question in questions)
    return {kind: counted[kind] for kind in ("single", "multiple", "true_false")}


def _draw(
    groups: list[list[MultipleChoice]], rows: int, fits: Callable[[MultipleChoice], bool]
) -> tuple[list[MultipleChoice], list[list[MultipleChoice]]]:
    drawn: list[MultipleChoice] = []
    rest: list[list[MultipleChoice]] = []
    for group in groups:
        fitting = [question for question in group if fits(question)]
        if fitting and len(drawn) + len(fitting) <= rows:
            drawn += fitting
        else:
            rest.append(group)
    return drawn, rest


def _text(text: str) -> str:
    """Return what a reader sees: one width, no spaces, no blank to fill in, no full stop.

    Signs inside numbers stay: 1.5% and 15 are different options.
    """
    plain = "".join(unicodedata.normalize("NFKC", text).split())
    return plain.replace("()", "").rstrip("。.?;") or text
