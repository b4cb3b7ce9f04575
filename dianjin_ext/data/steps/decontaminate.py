"""Remove what an evaluation set asks too, in the same words or nearly.

Compared are question and options, never the context, in character 4-grams: words between blanks,
which s1 (https://github.com/simplescaling/s1) and open-r1 (https://github.com/huggingface/open-r1)
compare, find nothing in Chinese text. See `dianjin_ext.questions.same`.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from dianjin_ext.data.candidate import Candidate
from dianjin_ext.data.rows_file import (
    holds,
    inputs_of,
    number_of_rows,
    read_items,
    write_items,
    write_removed,
)
from dianjin_ext.data.steps.base import SetStep
from dianjin_ext.data.steps.settings import Decontaminate
from dianjin_ext.errors import DianjinError
from dianjin_ext.questions.duplicates import near_earlier
from dianjin_ext.questions.question import Question
from dianjin_ext.questions.same import near_key, near_text, question_key


class Leak(NamedTuple):
    """A question that was removed.

    Attributes:
        id: Its name.
        question: Its text.
        file: The evaluation set that asks it too.
        against: The name of the question there.
        similarity: Jaccard similarity of the two, 1.0 for the same words.
    """

    id: str
    question: str
    file: str
    against: str
    similarity: float


def run(inputs: Sequence[Path], out: Path, settings: Decontaminate) -> dict[str, Any]:
    """Copy questions or candidates without those that the sets in `against` ask too.

    What was removed is beside `out`, with .removed.jsonl: a `Leak` a line.

    Returns:
        `rows`, `kept`, `removed`, and `by_file`: how many were removed for each evaluation set.

    Raises:
        DianjinError: A file is none of questions or candidates, or none is kept for evaluation.
    """
    kinds = {holds(path) for path in inputs}
    if len(kinds) > 1:
        raise DianjinError("decontaminate: some inputs hold questions and some candidates")
    what = kinds.pop()
    kept_apart = [(path, question) for path in settings.against for question in _asked(path)]
    if not kept_apart:
        raise DianjinError("name the sets that are kept for evaluation: --against FILE")
    removed = {leak.id: leak for leak in leaks(map(_question, _rows(inputs)), kept_apart)}
    kept = (row for row in _rows(inputs) if _question(row).id not in removed)
    write_removed(removed.values(), out)
    rows, written = number_of_rows(inputs), write_items(kept, out, what)
    return {
        "rows": rows,
        "kept": written,
        "removed": rows - written,
        "by_file": dict(Counter(leak.file for leak in removed.values())),
    }


def _rows(inputs: Sequence[Path]) -> Iterator[Any]:
    return (row for path in inputs for row in read_items(path))


def _question(row: Any) -> Question:
    return row.question if isinstance(row, Candidate) else row


def _asked(path: Path) -> Iterable[Question]:
    return inputs_of([path], "questions", "decontaminate")


def leaks(
    questions: Iterable[Question], kept_apart: Sequence[tuple[Path, Question]]
) -> Iterable[Leak]:
    """Yield those of the questions that are among `kept_apart`, each once."""
    # neither is compared, and both may be long
    unique = {q.id: replace(q, reasoning=None, reply=None) for q in questions}
    known = {_same(question): (path, question) for path, question in reversed(kept_apart)}
    left: list[Question] = []
    for question in unique.values():
        if (found := known.get(_same(question))) is not None:
            path, other = found
            yield Leak(question.id, question.question, str(path), other.id, 1.0)
        else:
            left.append(question)
    together = [*(question for _, question in kept_apart), *left]
    texts = [near_text(q.question, q.choices) for q in together]
    keys = [near_key(q.question, q.choices, q.context) for q in together]
    first = len(kept_apart)
    # Of what stands before a text the first is named, so those kept apart come before the others.
    for near in near_earlier(texts, keys=keys):
        if near.position >= first > near.earlier:
            question = together[near.position]
            path, other = kept_apart[near.earlier]
            similarity = round(near.similarity, 3)
            yield Leak(question.id, question.question, str(path), other.id, similarity)


def _same(question: Question) -> bytes:
    return question_key(question.question, question.choices, question.context)


STEP = SetStep(name="decontaminate", version=1, takes=None, run=run)
