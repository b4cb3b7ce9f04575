"""Fin-Eva (Ant Group): tasks of financial cognition, knowledge, logic, writing and compliance."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dianjin_ext.questions.question import Question
from dianjin_ext.questions.readers.base import Reader, mapping, text
from dianjin_ext.questions.readers.options import columns, gold


def parse(row: Any, file: Path) -> Iterator[Question]:
    """Yield the question of a row; its category is `类/任务`, from the file's place.

    Some tasks have three options, some five. Those of compliance have none: 是 or 否. Most rows
    have no published answer.
    """
    row = mapping(row)
    choices = columns(row)
    question = text(row, "question")
    category = "/".join(file.stem.split("__")[-2:])
    if "__" not in file.stem and file.parent.name:
        category = f"{file.parent.name}/{file.stem}"
    if category.endswith("情绪识别"):
        question = f"{question}\n\n这句话的情绪是什么？"
    if choices:
        yield Question(
            data_source="fineva",
            question=question,
            kind="choice",
            answer=gold(row, choices, "answer"),
            choices=choices,
            multiple=False,
            category=category,
        )
        return
    answer = text(row, "answer", blank=True) or None
    yes_no = answer in ("是", "否") or (answer is None and "合规" in category)
    if yes_no:
        question = f"{question}\n\n以上内容是否合规？请回答“是”或“否”。"
    yield Question(
        data_source="ccc" if yes_no else "exact",
        question=question,
        kind="label" if yes_no else "open",
        answer=answer,
        category=category,
    )


READER = Reader(
    name="fineva",
    about="tasks of cognition, knowledge, logic, writing and compliance",
    url="https://github.com/alipay/financial_evaluation_dataset",
    files="data/Ant/类/任务.csv",
    licence="CC BY 4.0",
    language="zh",
    parse=parse,
)
