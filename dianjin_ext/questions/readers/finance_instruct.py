"""Finance-Instruct-500K: instructions with answers in prose, from many sets."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dianjin_ext.questions.language import language_of
from dianjin_ext.questions.question import Question
from dianjin_ext.questions.readers.base import Reader, mapping, text


def parse(row: Any, file: Path) -> Iterator[Question]:
    """Yield the question of a row; what its system message says is its context."""
    row = mapping(row)
    question = text(row, "user")
    yield Question(
        data_source="finance_instruct",
        question=question,
        kind="open",
        answer=text(row, "assistant"),
        context=text(row, "system", blank=True),
        language=language_of(question),
    )


READER = Reader(
    name="finance_instruct",
    about="instructions with answers in prose; contains FinQA, ConvFinQA and TAT-QA",
    url="https://huggingface.co/datasets/Josephgflowers/Finance-Instruct-500k",
    files="train.json",
    licence="Apache-2.0 (hub card)",
    language=None,
    parse=parse,
    hub="Josephgflowers/Finance-Instruct-500k",
)
