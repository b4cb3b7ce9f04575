"""Remove what an evaluation set asks too, in the same words or nearly.

Compared are question and options, never the context, in character 4-grams: words between blanks,
which s1 (https://github.com/simplescaling/s1) and open-r1 (https://github.com/huggingface/open-r1)
compare, find nothing in Chinese text. See `dianjin_ext.questions.same`.
"""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from dianjin_ext.data.candidate import read_candidates, write_candidates
from dianjin_ext.errors import DianjinError
from dianjin_ext.files import replacing
from dianjin_ext.parquet import pyarrow
from dianjin_ext.questions.duplicates import near_earlier
from dianjin_ext.questions.question import Question, read_questions, write_questions
from dianjin_ext.questions.same import near_key, near_text, question_key


class Removed(NamedTuple):
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


def decontaminate(
    source: Path, out: Path, *, against: Sequence[Path], removed_file: Path
) -> dict[str, Any]:
    """Copy a file of questions or candidates without those that evaluation sets ask too.

    Args:
        source: Questions or candidates, as parquet.
        out: The same without what was removed; replaced at once.
        against: Files of questions that are kept for evaluation.
        removed_file: JSON lines, a `Removed` each.

    Returns:
        `rows`, `kept`, `removed`, and `by_file`: how many were removed for each evaluation set.

    Raises:
        DianjinError: A file is none of questions or candidates.
    """
    candidates = "question.id" in pyarrow().parquet.read_schema(source).names
    rows: list[Any] = list(read_candidates(source) if candidates else read_questions(source))
    asked: list[Question] = [row.question if candidates else row for row in rows]
    kept_apart = [(path, question) for path in against for question in read_questions(path)]
    if not kept_apart:
        raise DianjinError("name the sets that are kept for evaluation: --against FILE")
    removed = {entry.id: entry for entry in leaks(asked, kept_apart)}
    kept = [row for row, q in zip(rows, asked, strict=True) if q.id not in removed]
    with replacing(removed_file) as temporary, temporary.open("w", encoding="utf-8") as file:
        for entry in removed.values():
            file.write(json.dumps(entry._asdict(), ensure_ascii=False) + "\n")
    if candidates:
        write_candidates(kept, out)
    else:
        write_questions(kept, out)
    return {
        "rows": len(rows),
        "kept": len(kept),
        "removed": len(rows) - len(kept),
        "by_file": dict(Counter(entry.file for entry in removed.values())),
    }


def leaks(
    questions: Iterable[Question], kept_apart: Sequence[tuple[Path, Question]]
) -> Iterable[Removed]:
    """Yield those of the questions that are among `kept_apart`, each once."""
    unique = {question.id: question for question in questions}
    known = {_same(question): (path, question) for path, question in reversed(kept_apart)}
    left: list[Question] = []
    for question in unique.values():
        if (found := known.get(_same(question))) is not None:
            path, other = found
            yield Removed(question.id, question.question, str(path), other.id, 1.0)
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
            yield Removed(question.id, question.question, str(path), other.id, similarity)


def _same(question: Question) -> bytes:
    return question_key(question.question, question.choices, question.context)
