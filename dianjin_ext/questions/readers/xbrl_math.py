"""XBRL-Math: formulas over the values of XBRL filings."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dianjin_ext.questions.question import Question
from dianjin_ext.questions.readers.base import Reader, mapping, number_text, text


def parse(row: Any, file: Path) -> Iterator[Question]:
    """Yield the question of a row."""
    row = mapping(row)
    gold = row.get("answer")
    yield Question(
        id=number_text(row["id"], "id") if row.get("id") is not None else "",
        data_source="xbrl_math",
        question=text(row, "query"),
        kind="number",
        answer=None if gold is None else number_text(gold, "answer"),
        split="test",
    )


READER = Reader(
    name="xbrl_math",
    about="formulas over the values of XBRL filings",
    url="https://huggingface.co/datasets/TheFinAI/Regulation_XBRL_FinMath_test",
    files="rows with id, query, answer",
    licence="gated; see its card",
    language="en",
    parse=parse,
    hub="TheFinAI/Regulation_XBRL_FinMath_test",
)
