"""Whether a response to a question of the made-up world is right, and whether its reasoning is."""

from typing import NamedTuple

from dianjin_ext.errors import DianjinError
from dianjin_ext.questions.prompts import with_options
from dianjin_ext.questions.question import Question
from dianjin_ext.quickstart.teacher.item import read_item
from dianjin_ext.quickstart.teacher.known_subject import KnownSubject
from dianjin_ext.quickstart.teacher.subject import Subject
from dianjin_ext.quickstart.teacher.world_subject import WorldSubject


class Truth(NamedTuple):
    """What is true of a response.

    Attributes:
        right: Whether the answer is right.
        sound: Whether the reasoning meets all seven criteria: each title put to its element, each
            mark and the conclusion what the steps say and the right answer, no step missing or
            repeated, in the language of the question. A wrong turn that is taken back in words
            ("Wait", "等等") breaks nothing.
    """

    right: bool
    sound: bool


def truth(question: Question, reasoning: str, answer: str) -> Truth:
    r"""Return what is true of a response, which is what the teacher thinks before it errs.

    Args:
        question: Of the world, with options or as the teacher opened it.
        reasoning: Of the response.
        answer: Of the response; what stands in its last `\boxed{}` where it has one.

    Raises:
        DianjinError: The question is not of the world.
    """
    item = read_item(with_options(question))
    if item is None:
        raise DianjinError(f"{question.id or question.question!r}: not a question of the world")
    return _truth(WorldSubject(item), reasoning, answer)


def own_truth(question: Question, reasoning: str, answer: str) -> Truth:
    """Return what is true of a response that the teacher wrote, also to a question of a file.

    Reasoning about such a question is told sound by the teacher's own phrases; that of anybody else
    counts as broken.

    Raises:
        DianjinError: The question is neither of the world nor has a gold answer.
    """
    if question.answer is None or read_item(with_options(question)) is not None:
        return truth(question, reasoning, answer)
    return _truth(KnownSubject(question, ()), reasoning, answer)


def _truth(subject: Subject, reasoning: str, answer: str) -> Truth:
    return Truth(subject.agrees(answer), all(subject.criteria(reasoning).values()))
