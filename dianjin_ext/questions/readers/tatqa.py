"""TAT-QA: several questions about one table and its paragraphs."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from dianjin_ext.questions.question import Question
from dianjin_ext.questions.readers.base import (
    BadFieldError,
    Reader,
    cells,
    mapping,
    number_text,
    text,
)
from dianjin_ext.questions.tables import to_markdown

_NUMBERS = ("arithmetic", "count")
_TYPES = ("span", "multi-span", *_NUMBERS)


def parse(row: Any, file: Path) -> Iterator[Question]:
    """Yield the questions of a context; `answer_type` is the category.

    The answer of `span` and `multi-span` is a list, of `count` a text, of `arithmetic` a number,
    and `scale` belongs to it. Questions of the hidden test set have none of them.
    """
    row = mapping(row)
    table = cells(mapping(row.get("table")).get("table"), "table.table")
    paragraphs = row.get("paragraphs")
    if not isinstance(paragraphs, list) or not isinstance(row.get("questions"), list):
        raise BadFieldError("paragraphs, questions", "expected two lists")
    told = sorted(map(mapping, paragraphs), key=_order)
    context = "\n\n".join([to_markdown(table), *(text(each, "text") for each in told)])
    for asked in map(mapping, row["questions"]):
        answer_type = text(asked, "answer_type", blank=True)
        if answer_type and answer_type not in _TYPES:
            raise BadFieldError("answer_type", f"expected one of {', '.join(_TYPES)}")
        yield Question(
            id=text(asked, "uid"),
            data_source="tatqa",
            question=text(asked, "question"),
            kind="number" if answer_type in _NUMBERS else "open",
            answer=_answer(asked) if "answer" in asked else None,
            context=context,
            scale=text(asked, "scale", blank=True) if "scale" in asked else None,
            category=answer_type,
        )


def _order(paragraph: Mapping[str, Any]) -> float:
    order = paragraph.get("order", 0)
    if not isinstance(order, int | float):
        raise BadFieldError("order", f"expected a number, found {order!r:.60}")
    return order


def _answer(asked: Mapping[str, Any]) -> str:
    answer = asked["answer"]
    if not isinstance(answer, list):
        return number_text(answer, "answer")
    spans = [number_text(span, "answer") for span in answer if str(span).strip()]
    if not spans:
        raise BadFieldError("answer", "expected at least one text, found none")
    return spans[0] if len(spans) == 1 else json.dumps(spans, ensure_ascii=False)


READER = Reader(
    name="tatqa",
    about="questions about a table and its paragraphs",
    url="https://github.com/NExTplusplus/TAT-QA",
    files="dataset_raw/tatqa_dataset_{train,dev,test,test_gold}.json",
    licence="CC BY 4.0 (README), MIT (LICENSE)",
    language="en",
    parse=parse,
)
