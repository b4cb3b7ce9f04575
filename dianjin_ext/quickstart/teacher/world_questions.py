"""The questions of the made-up world as rows that the steps of a data pipeline take."""

from dianjin_ext.questions.question import Question
from dianjin_ext.quickstart import world


def world_questions(count: int, *, seed: int) -> list[Question]:
    """Return `count` questions, no two with the same element and titles; see `world.questions`."""
    return [
        Question(
            id=f"world/{seed}/{number}",
            data_source="cflue_mcq",
            question=question.text,
            kind="choice",
            answer=question.gold,
            choices=question.choices,
            multiple=question.multiple,
            language=question.language,
            category=question.element,
            split="train",
            licence="MIT",
        )
        for number, question in enumerate(world.questions(count, seed=seed))
    ]
