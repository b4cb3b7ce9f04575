"""The questions of the made-up world as rows that the steps of a data pipeline take."""

from dataclasses import replace

from dianjin_ext.questions.prompts import with_options
from dianjin_ext.questions.question import Question
from dianjin_ext.quickstart import world
from dianjin_ext.quickstart.teacher.item import read_item


def world_questions(count: int, *, seed: int) -> list[Question]:
    """Return `count` questions, no two with the same element and titles; see `world.questions`."""
    made = world.questions(count, seed=seed)
    return [as_question(each, f"world/{seed}/{number}") for number, each in enumerate(made)]


def as_question(made: world.Question, name: str) -> Question:
    """Return a made-up question as a row of that name."""
    return Question(
        id=name,
        data_source="cflue_mcq",
        question=made.text,
        kind="choice",
        answer=made.gold,
        choices=made.choices,
        multiple=made.multiple,
        language=made.language,
        category=made.element,
        split="train",
        licence="MIT",
    )


def opened_question(question: Question) -> Question:
    """Return a question of the world without its options; its answer names account titles."""
    item = read_item(with_options(question))
    assert item is not None
    return replace(
        question,
        data_source="cflue_oe",
        question=item.opened(),
        kind="open",
        answer=replace(item, lettered=False).answer(item.right),
        choices={},
        multiple=None,
    )
