"""FinanceIQ: exams of ten financial trades, reworded by a language model."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dianjin_ext.questions.question import Question
from dianjin_ext.questions.readers.base import Reader, mapping, split_named, text
from dianjin_ext.questions.readers.options import columns, gold


def parse(row: Any, file: Path) -> Iterator[Question]:
    """Yield the question of a row; the file's name is its category, the folder's its split."""
    row = mapping(row)
    choices = columns(row)
    yield Question(
        data_source="financeiq",
        question=text(row, "Question", "question"),
        kind="choice",
        answer=gold(row, choices, "Answer", "answer"),
        choices=choices,
        multiple=False,
        category=file.stem.rpartition("__")[2],
        split=split_named(file.parent.name) or split_named(file.stem),
    )


READER = Reader(
    name="financeiq",
    about="exam questions of ten financial trades",
    url="https://github.com/Duxiaoman-DI/XuanYuan/tree/main/FinanceIQ",
    files="data/dev/*.csv, data/test/*.csv",
    licence="CC BY-NC-SA 4.0",
    language="zh",
    parse=parse,
)
