"""The files of a data set to questions that can be trained on: the first step of a pipeline.

Left out, and told with the reason, is what no grader can mark fairly: gold answers that no response
could match, repetitions, contradictions, two options of the same text.
"""

import random
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from dianjin_ext.data.bad_rows import stop_at
from dianjin_ext.data.rows_file import holds, removing
from dianjin_ext.data.split import unambiguous
from dianjin_ext.data.steps.base import Removed, SetStep
from dianjin_ext.data.steps.settings import Read
from dianjin_ext.data.usable import gold_problem
from dianjin_ext.errors import DianjinError
from dianjin_ext.questions.question import Question, read_questions
from dianjin_ext.questions.readers import BadRow, get_reader, read

OWN, PREPARED = "own", "questions"


def run(inputs: Sequence[Path], out: Path, settings: Read) -> dict[str, Any]:
    """Read files as published, or questions.parquet of `dianjin prepare`.

    Raises:
        DianjinError: The data set is not known, or rows are bad under `on_error: stop`.
    """
    if settings.on_error not in ("stop", "skip"):
        raise DianjinError(f"on_error: expected stop or skip, found {settings.on_error!r}")
    rows = list(_rows(inputs, settings))
    bad = [row for row in rows if isinstance(row, BadRow)]
    if settings.on_error == "stop":
        stop_at(bad)
    questions = [row for row in rows if isinstance(row, Question)]
    if settings.splits:
        questions = [question for question in questions if question.split in settings.splits]
    if settings.as_split:
        questions = [replace(question, split=settings.as_split) for question in questions]
    removed = [Removed(str(row), "", "bad_row", str(row)) for row in bad]
    usable = []
    for question in questions:
        if question.answer is None and settings.gold:
            removed.append(Removed(question.id, question.question, "without_gold"))
        elif why := gold_problem(question):
            removed.append(Removed(question.id, question.question, "gold_unusable", why))
        else:
            usable.append(question)
    kept, excluded = unambiguous(usable)
    for reason, found in excluded.items():
        removed += [Removed(q.id, q.question, reason) for q in found]
    if settings.rows is not None and len(kept) > settings.rows:
        places = random.Random(settings.seed).sample(range(len(kept)), settings.rows)
        kept = [kept[place] for place in sorted(places)]
    told = removing(kept, removed, out, "questions")
    by_source = Counter(question.data_source for question in kept)
    return {"rows": len(rows)} | told | {"by_source": dict(sorted(by_source.items()))}


def _rows(inputs: Sequence[Path], settings: Read) -> Iterable[Question | BadRow]:
    if settings.dataset == OWN:
        from dianjin_ext.questions.mapping import load_mapping
        from dianjin_ext.questions.own import read_own

        if settings.map is None:
            raise DianjinError("read: dataset own needs map: MAP.yaml (docs/data.md)")
        return read_own(inputs, load_mapping(settings.map))
    if settings.dataset:
        return read(get_reader(settings.dataset), inputs)
    if odd := next((path for path in inputs if path.suffix != ".parquet"), None):
        raise DianjinError(f"read: say which data set {odd} is of: dataset: NAME")
    if odd := next((path for path in inputs if holds(path) != "questions"), None):
        raise DianjinError(f"read: {odd} holds candidates; expected questions")
    return (question for path in inputs for question in read_questions(path))


STEP = SetStep(name="read", version=1, takes=None, run=run)
