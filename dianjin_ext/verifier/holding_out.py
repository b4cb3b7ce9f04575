"""Which labelled answers are trained on, and which are held out: never two of one question."""

import random
from collections.abc import Sequence

from dianjin_ext.data.split import groups_of
from dianjin_ext.errors import DianjinError
from dianjin_ext.verifier.labelled import Labelled, counted

FEWEST = 20
"""Answers of each label that a training needs in either part."""


def check_labels(answers: Sequence[Labelled]) -> None:
    """Refuse answers that are all of one label.

    Raises:
        DianjinError: They are, or there are none.
    """
    only = [label for label, number in counted(answers).items() if number == len(answers)]
    if only:
        what = f"all {len(answers)} labelled answers are {only[0]}" if answers else "there are none"
        raise DianjinError(
            f"answers: {what}; a verifier learns from both labels: take a file that also has what "
            "was dropped, such as candidates.parquet of a set"
        )


def hold_out(
    answers: Sequence[Labelled], *, share: float, seed: int
) -> tuple[list[Labelled], list[Labelled]]:
    """Return the answers to train on, and those that are held out.

    Questions that are nearly the same, or about one text, are held out together.

    Args:
        answers: All.
        share: Of the answers that are held out, about.
        seed: Of the draw.

    Raises:
        DianjinError: A label has too few answers in one of the parts.
    """
    groups = groups_of(list({each.question.id: each.question for each in answers}.values()))
    random.Random(seed).shuffle(groups)
    number: dict[str, int] = {}
    for each in answers:
        number[each.question.id] = number.get(each.question.id, 0) + 1
    held: set[str] = set()
    room = share * len(answers)
    for group in groups:
        size = sum(number[question.id] for question in group)
        if size <= room:
            held |= {question.id for question in group}
            room -= size
    parts = (
        [each for each in answers if each.question.id not in held],
        [each for each in answers if each.question.id in held],
    )
    for name, part in zip(("to train on", "held out"), parts, strict=True):
        few = {label: n for label, n in counted(part).items() if n < FEWEST}
        if few:
            told = " and ".join(f"{n} {label}" for label, n in few.items())
            raise DianjinError(
                f"too few labelled answers {name}: {told}, expected {FEWEST} or more of each "
                f"label; there are {counted(answers)['right']} right and "
                f"{counted(answers)['wrong']} wrong in all: add files to answers, or change heldout"
            )
    return parts
