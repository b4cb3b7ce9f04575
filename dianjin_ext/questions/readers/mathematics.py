"""Mathematics and science that general models are reported on: MATH-500, AIME 2024, GPQA-Diamond.

GPQA's file has the right answer first. Its options are shuffled by each record's own id, so that
the order is the same in every run and no letter is right more often than chance.
"""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dianjin_ext.questions.letters import LETTERS
from dianjin_ext.questions.question import Question
from dianjin_ext.questions.readers.base import BadFieldError, Reader, mapping, number_text, text


def parse_math(row: Any, file: Path) -> Iterator[Question]:
    """Yield the question of a row of MATH-500."""
    row = mapping(row)
    level = row.get("level")
    yield Question(
        id=text(row, "unique_id", "id").removesuffix(".json"),
        data_source="math_500",
        question=text(row, "problem"),
        kind="math",
        answer=number_text(row.get("answer"), "answer"),
        category=f"{text(row, 'subject')}, level {level}" if level else text(row, "subject"),
        split="test",
        reasoning=text(row, "solution", blank=True) or None,
    )


def parse_aime(row: Any, file: Path) -> Iterator[Question]:
    """Yield the question of a row of AIME 2024; answers are whole numbers from 0 to 999."""
    row = {str(key).lower(): value for key, value in mapping(row).items()}
    answer = number_text(row.get("answer"), "answer")
    if not (answer.isdecimal() and int(answer) <= 999):
        raise BadFieldError("answer", f"expected a whole number up to 999, found {answer!r:.60}")
    yield Question(
        id=number_text(row["id"], "id") if row.get("id") is not None else "",
        data_source="aime_2024",
        question=text(row, "problem"),
        kind="math",
        answer=str(int(answer)),
        split="test",
        reasoning=text(row, "solution", blank=True) or None,
    )


def parse_gpqa(row: Any, file: Path) -> Iterator[Question]:
    """Yield the question of a row of GPQA."""
    row = mapping(row)
    right = text(row, "Correct Answer")
    options = [right, *(text(row, f"Incorrect Answer {number}") for number in (1, 2, 3))]
    if len(set(options)) < len(options):
        raise BadFieldError(
            "Incorrect Answer", "expected three answers that differ from the right one"
        )
    name = text(row, "Record ID")
    random.Random(name).shuffle(options)
    yield Question(
        id=name,
        data_source="choice",
        question=text(row, "Question"),
        kind="choice",
        answer=LETTERS[options.index(right)],
        choices=dict(zip(LETTERS, options, strict=False)),
        multiple=False,
        category=text(row, "High-level domain", blank=True),
        split="test",
        reasoning=text(row, "Explanation", blank=True) or None,
    )


MATH_500 = Reader(
    name="math_500",
    about="500 problems of MATH's test set",
    url="https://huggingface.co/datasets/HuggingFaceH4/MATH-500",
    files="test.jsonl",
    licence="MIT",
    language="en",
    parse=parse_math,
    hub="HuggingFaceH4/MATH-500",
)
AIME_2024 = Reader(
    name="aime_2024",
    about="the 30 problems of AIME 2024",
    url="https://huggingface.co/datasets/HuggingFaceH4/aime_2024",
    files="rows with id, problem, answer, solution",
    licence="none stated",
    language="en",
    parse=parse_aime,
    hub="HuggingFaceH4/aime_2024",
)
GPQA = Reader(
    name="gpqa",
    about="GPQA: questions of science that search engines don't answer",
    url="https://github.com/idavidrein/gpqa",
    files="gpqa_diamond.csv",
    licence="CC BY 4.0",
    language="en",
    parse=parse_gpqa,
    hub="Idavidrein/gpqa",
)
