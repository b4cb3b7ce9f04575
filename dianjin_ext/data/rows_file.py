"""Files of questions and of candidates, told apart and read alike."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from dianjin_ext.data import candidate as candidates
from dianjin_ext.data.candidate import Candidate
from dianjin_ext.data.steps.base import Removed, Rows
from dianjin_ext.errors import DianjinError
from dianjin_ext.files import replacing
from dianjin_ext.parquet import pyarrow, write_rows
from dianjin_ext.questions import question as questions
from dianjin_ext.questions.question import Question, read_questions

Item = Question | Candidate


def holds(path: Path) -> Rows:
    """Return what a file holds.

    Raises:
        DianjinError: It can't be read, or holds neither.
    """
    names = _metadata(path).schema.to_arrow_schema().names
    if "question.id" in names:
        return "candidates"
    if "data_source" in names and "kind" in names:
        return "questions"
    raise DianjinError(
        f"{path} holds neither questions nor candidates; expected a file that "
        "`dianjin prepare` or a step of a data pipeline wrote"
    )


def number_of_rows(paths: Iterable[Path]) -> int:
    """Return how many rows files have, without reading them.

    Raises:
        DianjinError: One can't be read.
    """
    return sum(int(_metadata(path).num_rows) for path in paths)


def _metadata(path: Path) -> Any:
    pa = pyarrow()
    try:
        return pa.parquet.read_metadata(path)
    except (pa.ArrowException, OSError) as error:
        raise DianjinError(
            f"{path}: can't be read as parquet ({error}); `dianjin prepare` makes questions of "
            "other files"
        ) from error


def read_items(path: Path) -> Iterator[Any]:
    """Yield the questions or candidates of a file."""
    if holds(path) == "questions":
        return read_questions(path)
    return candidates.read_candidates(path)


def write_items(items: Iterable[Item], path: Path, what: Rows) -> int:
    """Write questions or candidates; replaces `path` at once. Returns their number."""
    if what == "questions":
        return write_rows(map(questions.as_row, items), path, questions.schema())  # type: ignore[arg-type]
    return write_rows(map(candidates.as_row, items), path, candidates.schema())  # type: ignore[arg-type]


def inputs_of(paths: Sequence[Path], what: Rows, step: str) -> Iterator[Any]:
    """Yield the rows of a step's input files.

    A step that takes questions may be given candidates: then it takes the question of each, once.

    Raises:
        DianjinError: A file holds something else, or a question's id comes twice with another text.
    """
    seen: dict[str, int] = {}
    for path in paths:
        found = holds(path)
        if what == "candidates" and found == "questions":
            raise DianjinError(
                f"{path} holds questions, and {step} takes candidates: responses to questions, as "
                "distill, search and sample write them"
            )
        for item in read_items(path):
            if what == "candidates":
                yield item
                continue
            question = item.question if isinstance(item, Candidate) else item
            text = hash((question.question, question.context, tuple(question.choices.items())))
            if question.id not in seen:
                seen[question.id] = text
                yield question
            elif seen[question.id] != text or not isinstance(item, Candidate):
                raise DianjinError(
                    f"{path}: two questions have the id {question.id!r}; ids must be unique in all "
                    "inputs of a step"
                )


def removing(
    kept: Iterable[Item], removed: Sequence[Removed], out: Path, what: Rows
) -> dict[str, Any]:
    """Write what a step kept, and beside it, with .removed.jsonl, what it removed and why.

    Returns:
        `written`, `removed`, and `dropped`: how many questions were removed, by reason.
    """
    write_removed(removed, out)
    return {
        "written": write_items(kept, out, what),
        "removed": len(removed),
        "dropped": dict(Counter(each.reason for each in removed).most_common()),
    }


def write_removed(removed: Iterable[Any], out: Path) -> None:
    """Write what was removed, named tuples such as `Removed`, beside `out`."""
    with replacing(out.with_suffix(".removed.jsonl")) as file:
        lines = (json.dumps(each._asdict(), ensure_ascii=False) + "\n" for each in removed)
        file.write_text("".join(lines), encoding="utf-8")
