"""DocMath-Eval: calculations on financial documents, short and long, simple and compound."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dianjin_ext.questions.question import Question
from dianjin_ext.questions.readers.base import BadFieldError, Reader, mapping, number_text, text

_SUBSETS = ("simpshort", "simplong", "compshort", "complong")


def parse(row: Any, file: Path) -> Iterator[Question]:
    """Yield the question of a row; the subset that its id or its file names is its category.

    Tables stand as Markdown among the published `paragraphs`. The test sets have no gold answers.
    """
    row = mapping(row)
    name = text(row, "question_id")
    paragraphs = row.get("paragraphs")
    if not isinstance(paragraphs, list) or not all(isinstance(part, str) for part in paragraphs):
        raise BadFieldError("paragraphs", f"expected a list of texts, found {paragraphs!r:.60}")
    gold = row.get("ground_truth")
    yield Question(
        id=name,
        data_source="docmath",
        question=text(row, "question"),
        kind="number",
        answer=None if gold is None else number_text(gold, "ground_truth"),
        context="\n\n".join(part.strip() for part in paragraphs if part.strip()),
        category=next((each for each in _SUBSETS if each in name or each in file.stem), ""),
    )


READER = Reader(
    name="docmath",
    about="calculations on financial documents",
    url="https://github.com/yale-nlp/DocMath-Eval",
    files="{simpshort,simplong,compshort,complong}_{testmini,test}.json",
    licence="none stated",
    language="en",
    parse=parse,
    hub="yale-nlp/DocMath-Eval",
)
