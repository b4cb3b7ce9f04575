"""TFNS: tweets on finance, each bearish, bullish or neutral."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dianjin_ext.questions.question import Question
from dianjin_ext.questions.readers.base import BadFieldError, Reader, mapping, text

LABELS = ("bearish", "bullish", "neutral")  # 0, 1, 2


def parse(row: Any, file: Path) -> Iterator[Question]:
    """Yield the question of a row; `label` is 0, 1, 2 or a name."""
    row = mapping(row)
    answer = None
    if (given := row.get("label")) is not None:
        said = str(given).strip().lower().removesuffix(".0")
        names = {str(number): label for number, label in enumerate(LABELS)}
        answer = names.get(said, said)
        if answer not in LABELS:
            raise BadFieldError(
                "label", f"expected 0, 1, 2 or {', '.join(LABELS)}, found {given!r}"
            )
    yield Question(
        data_source="tfns",
        question=f"{text(row, 'text')}\n\nIs this tweet bearish, bullish or neutral?",
        kind="label",
        answer=answer,
        category="sentiment",
    )


READER = Reader(
    name="tfns",
    about="sentiment of tweets on finance",
    url="https://huggingface.co/datasets/zeroshot/twitter-financial-news-sentiment",
    files="sent_train.csv, sent_valid.csv",
    licence="MIT",
    language="en",
    parse=parse,
    hub="zeroshot/twitter-financial-news-sentiment",
)
