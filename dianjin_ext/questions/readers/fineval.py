"""FinEval: 34 subjects of finance, economics, accounting and certificates."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dianjin_ext.questions.question import Question
from dianjin_ext.questions.readers.base import Reader, mapping, text
from dianjin_ext.questions.readers.cflue import explanation
from dianjin_ext.questions.readers.options import columns, gold


def parse(row: Any, file: Path) -> Iterator[Question]:
    r"""Yield the question of a row; the subject in the file's name is its category.

    A percent sign is written `$\%$` there, and `%` here. `test` has no answers, `dev` explanations.
    """
    row = {key: _plain(value) for key, value in mapping(row).items()}
    choices = columns(row)
    yield Question(
        data_source="fineval",
        question=text(row, "question"),
        kind="choice",
        answer=gold(row, choices, "answer"),
        choices=choices,
        multiple=False,
        category=file.stem.rpartition("_")[0] or file.stem,
        reasoning=explanation(text(row, "explanation", blank=True)),
    )


def _plain(value: Any) -> Any:
    return value.replace(r"$\%$", "%") if isinstance(value, str) else value


READER = Reader(
    name="fineval",
    about="exam questions of 34 subjects",
    url="https://github.com/SUFE-AIFLM-Lab/FinEval",
    files="{subject}_{dev,val,test}.csv",
    licence="Apache-2.0 (repository), CC BY-NC-SA 4.0 (hub card)",
    language="zh",
    parse=parse,
)
