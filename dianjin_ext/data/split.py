"""Which question goes to SFT, to RL training and to validation, with no question in two of them."""

import random
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from dianjin_ext.questions.duplicates import near_duplicates
from dianjin_ext.questions.question import Question


@dataclass(frozen=True, slots=True)
class Split:
    """Questions by their use.

    Attributes:
        sft: With reasoning or to be given one; every question that no other side took.
        train: For RL training.
        val: For validation.
        test: Published as a test set.
        groups: How many groups of two or more near-duplicates there are.
        leaked: Questions published for training that are too near to one of val or test.
    """

    sft: list[Question]
    train: list[Question]
    val: list[Question]
    test: list[Question]
    groups: int
    leaked: list[Question]


def unambiguous(questions: Iterable[Question]) -> tuple[list[Question], dict[str, list[Question]]]:
    """Leave out questions that no grader can mark fairly, and repetitions.

    Left out are questions with two options of the same text, all but the first of questions that
    agree in question, options, context and gold, and all questions that agree but for the gold; of
    the same question with a gold answer and without, the one without is left out.
    Spaces, width, a full stop and the order of the options do not count.

    Returns:
        The questions kept, and those left out by the reason.
    """
    excluded: dict[str, list[Question]] = {
        "repeated_option": [],
        "duplicate": [],
        "contradictory": [],
    }
    same: dict[tuple[object, ...], list[Question]] = {}
    for question in questions:
        texts = {_text(option) for option in question.choices.values()}
        if len(texts) < len(question.choices):
            excluded["repeated_option"].append(question)
            continue
        about = (question.context, question.turns)
        key = (_text(question.question), frozenset(texts), hash(about))
        same.setdefault(key, []).append(question)
    kept: list[Question] = []
    for repeated in same.values():
        repeated.sort(key=lambda question: question.answer is None)  # stable
        golds = {_gold(question) for question in repeated if question.answer is not None}
        if len(golds) > 1:
            excluded["contradictory"] += repeated
        else:
            excluded["duplicate"] += repeated[1:]
            kept.append(repeated[0])
    return kept, excluded


def split(
    questions: Sequence[Question],
    *,
    rl_rows: int,
    val_rows: int,
    seed: int,
    fits_rl: Callable[[Question], bool],
    fits_sft: Callable[[Question], bool],
) -> Split:
    """Split by groups of near-duplicates.

    Where a part of the questions is published as `train`, the published splits hold: validation is
    drawn from `val` if there is one, and what is published for training and is too near to one of
    `val` or `test` is left out. Else all questions are drawn alike, at random. Validation is drawn
    first. RL training then takes questions without a response, which SFT has no use for yet, before
    others. SFT gets what remains. A group that would overfill a side is left to the next.

    Args:
        questions: Questions with distinct texts.
        rl_rows: Most questions for RL training.
        val_rows: Most questions for validation.
        seed: Seed of the order in which groups are drawn.
        fits_rl: Whether a question may be used in RL training, validation or test.
        fits_sft: Whether it has a response to train on.
    """
    groups = groups_of(questions)
    several = sum(len(group) > 1 for group in groups)
    random.Random(seed).shuffle(groups)
    test: list[Question] = []
    leaked: list[Question] = []
    held: list[list[Question]] = []
    rest = groups
    if any(question.split == "train" for question in questions):
        held = [[q for q in group if q.split in ("val", "test")] for group in groups]
        near = [group for group, kept in zip(groups, held, strict=True) if kept]
        leaked = [q for group in near for q in group if q.split not in ("val", "test")]
        test = [q for q in questions if q.split == "test" and fits_rl(q)]
        rest = [group for group, kept in zip(groups, held, strict=True) if not kept]
    published = [[q for q in group if q.split == "val"] for group in held]
    if any(published):
        val, _ = _draw(published, val_rows, fits_rl)
    else:
        val, rest = _draw(rest, val_rows, fits_rl)
    rest.sort(key=lambda group: any(map(fits_sft, group)))  # stable: keeps the random order
    train, rest = _draw(rest, rl_rows, fits_rl)
    random.Random(seed).shuffle(train)
    sft = [question for group in rest for question in group]
    return Split(sft, train, val, test, several, leaked)


def groups_of(questions: Sequence[Question]) -> list[list[Question]]:
    """Group near-duplicates by question and options; those about one context by the context.

    The same words about two contexts (`what is the change in revenue?`) are two questions.
    """
    bare = [question for question in questions if not question.context]
    texts = ["\n".join([q.question, *sorted(q.choices.values())]) for q in bare]
    groups = [[bare[i] for i in group] for group in near_duplicates(texts)]
    about: dict[str, list[Question]] = {}
    for question in questions:
        if question.context:
            about.setdefault(question.context, []).append(question)
    return groups + list(about.values())


def _draw(
    groups: list[list[Question]], rows: int, fits: Callable[[Question], bool]
) -> tuple[list[Question], list[list[Question]]]:
    drawn: list[Question] = []
    rest: list[list[Question]] = []
    for group in groups:
        fitting = [question for question in group if fits(question)]
        if fitting and len(drawn) + len(fitting) <= rows:
            drawn += fitting
        else:
            rest.append(group)
    return drawn, rest


def _gold(question: Question) -> object:
    if question.choices and question.answer and set(question.answer) <= set(question.choices):
        return frozenset(_text(question.choices[letter]) for letter in question.answer)
    return _text(question.answer or "")


def _text(text: str) -> str:
    """Return what a reader sees: one width, no spaces, no blank to fill in, no full stop.

    Signs inside numbers stay: 1.5% and 15 are different options.
    """
    plain = "".join(unicodedata.normalize("NFKC", text).split())
    return plain.replace("()", "").rstrip("。.?;") or text
