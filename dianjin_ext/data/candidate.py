"""A question with one response: what a model answered, what is said of it, what it is used for."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from dianjin_ext.answers.tags import Tags
from dianjin_ext.errors import DianjinError
from dianjin_ext.parquet import pyarrow, read_rows, write_rows
from dianjin_ext.questions import question as questions
from dianjin_ext.questions.question import Question


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One response to a question; kept whatever becomes of it.

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
        told_gold: Whether the model was told the gold answer before it wrote this.
        dropped: Why it isn't trained on, as `STEP: reason`; empty while it stands.
        right: How many of the responses of `model` to this question are right; None where they
            were not counted.
        of: How many these are.
        use: `sft`, `rl` or `val` where a training set has it; empty where none has.
        why: Why this one of several responses is trained on.
        notes: What each step found, by the step's name.
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
    told_gold: bool = False
    dropped: str = ""
    right: int | None = None
    of: int | None = None
    use: str = ""
    why: str = ""
    notes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def pass_rate(self) -> float | None:
        """The share of right responses; None where they were not counted."""
        return None if self.right is None or not self.of else self.right / self.of

    def text(self, tags: Tags) -> str:
        """Return the response in a layout; without reasoning, as it is."""
        if self.reasoning is None:
            return self.response
        return tags.wrap(self.reasoning, self.response)

    def drop(self, step: str, reason: str) -> "Candidate":
        """Return it as one that is not trained on."""
        return replace(self, dropped=f"{step}: {reason}")

    def note(self, step: str, found: Mapping[str, Any]) -> "Candidate":
        """Return it with what a step found."""
        return replace(self, notes={**self.notes, step: dict(found)})


def schema() -> Any:
    """Return the pyarrow schema: the columns of a question, each named `question.…`, and ours."""
    pa = pyarrow()
    whole, real = pa.int64(), pa.float64()
    special = {
        **dict.fromkeys(("sample", "prompt_tokens", "completion_tokens", "right", "of"), whole),
        **dict.fromkeys(("score", "acc"), real),
        "told_gold": pa.bool_(),
    }
    columns = {f"question.{field.name}": field.type for field in questions.schema()}
    own = (field.name for field in fields(Candidate) if field.name != "question")
    return pa.schema(columns | {name: special.get(name, pa.string()) for name in own})


def write_candidates(candidates: Iterable[Candidate], path: Path) -> int:
    """Write candidates as parquet; replaces `path` at once. Returns their number.

    Raises:
        DianjinError: pyarrow is missing.
    """
    return write_rows(map(as_row, candidates), path, schema())


def read_candidates(path: Path) -> Iterator[Candidate]:
    """Yield the candidates of a file that `write_candidates` wrote.

    Raises:
        DianjinError: pyarrow is missing, the file is not such a file, or a row is no candidate.
    """
    expected = "expected candidates, as the steps of a data pipeline write them"
    for number, row in enumerate(read_rows(path, columns=schema().names, expected=expected), 1):
        try:
            candidate = from_row(row)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise DianjinError(f"{path}, row {number}: {expected} ({error})") from None
        for name, value in (
            ("question.id", candidate.question.id),
            ("response", candidate.response),
        ):
            if not isinstance(value, str):
                raise DianjinError(
                    f"{path}, row {number}: {name}: expected a text, found {value!r}"
                )
        yield candidate


def as_row(candidate: Candidate) -> dict[str, Any]:
    """Return a candidate as a row of `schema`."""
    row = {f"question.{key}": value for key, value in questions.as_row(candidate.question).items()}
    own = (field.name for field in fields(Candidate) if field.name != "question")
    row |= {name: getattr(candidate, name) for name in own}
    return row | {"notes": json.dumps(candidate.notes, ensure_ascii=False, sort_keys=True)}


def from_row(row: Mapping[str, Any]) -> Candidate:
    """Return the candidate of a row of `schema`."""
    question = {key[9:]: value for key, value in row.items() if key.startswith("question.")}
    own = {field.name: row[field.name] for field in fields(Candidate) if field.name != "question"}
    own["notes"] = json.loads(own["notes"])
    if not isinstance(own["notes"], dict):
        raise ValueError("notes: expected a JSON object")
    return Candidate(question=questions.from_row(question), **own)
