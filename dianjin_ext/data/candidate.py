"""A question with one response: what a model answered and what the grader says of it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from dianjin_ext.parquet import pyarrow, read_rows, write_rows
from dianjin_ext.questions.question import Question, as_row, from_row
from dianjin_ext.questions.question import schema as question_schema


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One response to a question.

    Attributes:
        question: What was asked.
        sample: Which of the responses to it, from 0.
        model: Name of the model that wrote it.
        reasoning: What it thought, without marks; None where it says nothing of it.
        response: What it answered, without the reasoning.
        finish_reason: As the server says: `stop`, `length`, `content_filter`.
        prompt_tokens: Of the request; None where the server doesn't say.
        completion_tokens: Of the response, with its reasoning; None where the server doesn't say.
        score: What the reward gives it; None before it is graded.
        acc: Whether the answer is right, 1.0 or 0.0; None before it is graded.
        reason: Why the score is what it is, one of `dianjin_ext.rewards.REASONS`.
        pred: The answer as the reward reads it.
    """

    question: Question
    sample: int = 0
    model: str = ""
    reasoning: str | None = None
    response: str
    finish_reason: str = ""
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    score: float | None = None
    acc: float | None = None
    reason: str = ""
    pred: str = ""


def schema() -> Any:
    """Return the pyarrow schema: the columns of a question, each named `question.…`, and ours."""
    pa = pyarrow()
    whole, real = pa.int64(), pa.float64()
    special = {
        **dict.fromkeys(("sample", "prompt_tokens", "completion_tokens"), whole),
        **dict.fromkeys(("score", "acc"), real),
    }
    columns = {f"question.{field.name}": field.type for field in question_schema()}
    own = (field.name for field in fields(Candidate) if field.name != "question")
    return pa.schema(columns | {name: special.get(name, pa.string()) for name in own})


def write_candidates(candidates: Iterable[Candidate], path: Path) -> int:
    """Write candidates as parquet; replaces `path` at once. Returns their number.

    Raises:
        DianjinError: pyarrow is missing.
    """
    return write_rows(map(_as_row, candidates), path, schema())


def read_candidates(path: Path) -> Iterator[Candidate]:
    """Yield the candidates of a file that `write_candidates` wrote.

    Raises:
        DianjinError: pyarrow is missing, or the file is not such a file.
    """
    expected = "expected candidates, as the steps of a data pipeline write them"
    return map(_from_row, read_rows(path, columns=schema().names, expected=expected))


def _as_row(candidate: Candidate) -> dict[str, Any]:
    row = {f"question.{key}": value for key, value in as_row(candidate.question).items()}
    own = (field.name for field in fields(Candidate) if field.name != "question")
    return row | {name: getattr(candidate, name) for name in own}


def _from_row(row: Mapping[str, Any]) -> Candidate:
    question = {key[9:]: value for key, value in row.items() if key.startswith("question.")}
    own = {field.name: row[field.name] for field in fields(Candidate) if field.name != "question"}
    return Candidate(question=from_row(question), **own)
