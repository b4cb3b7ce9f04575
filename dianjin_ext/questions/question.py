"""The one row type of everything that asks: a question, what belongs to it, where it comes from."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple, get_args

from dianjin_ext.parquet import pyarrow, read_rows, write_rows

Language = Literal["zh", "en"]
Kind = Literal["choice", "number", "label", "math", "open"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)


class Turn(NamedTuple):
    """An earlier question of a conversation and its answer."""

    question: str
    answer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question.

    Attributes:
        id: Unique in its data set; starts with the data set's name.
        data_source: Name of the reward that grades its answers.
        question: What is asked, without options and context.
        kind: What an answer is: letters of `choices`, a number, one of `labels`, an expression of
            mathematics, or a text.
        answer: The gold answer in the form that the reward takes; a list is JSON text. None where
            the data set has none, such as in a hidden test set.
        context: What the question is about: text, with tables as Markdown
            (`dianjin_ext.questions.tables`).
        turns: Earlier turns of the conversation, oldest first.
        choices: Option letter to option text.
        multiple: Whether several options may be right; None where that is open.
        labels: The closed set of answers of a `label`; empty where the reward knows it.
        scale: In what the number is meant, such as `million` or `万元`; empty for none, None where
            the data set doesn't say.
        language: Of the question.
        category: Task or subject, as the data set has it.
        split: `train`, `val` or `test` as published; empty where that is not said.
        licence: Of the data set, as its authors state it.
        reasoning: The way to the answer, where the data set has one.
        reply: The text after the reasoning, where the data set has a whole response.
        file: Name of the file that it was read from.
        row: Its row there, from 0.
    """

    id: str = ""
    data_source: str
    question: str
    kind: Kind
    answer: str | None
    context: str = ""
    turns: tuple[Turn, ...] = ()
    choices: Mapping[str, str] = field(default_factory=dict)
    multiple: bool | None = None
    labels: tuple[str, ...] = ()
    scale: str | None = None
    language: Language = "zh"
    category: str = ""
    split: str = ""
    licence: str = ""
    reasoning: str | None = None
    reply: str | None = None
    file: str = ""
    row: int = 0

    @property
    def extra_info(self) -> dict[str, Any]:
        """What a reward is told of the question beside its gold answer."""
        info: dict[str, Any] = {"question": self.question, "choices": dict(self.choices) or None}
        if self.labels:
            info["labels"] = list(self.labels)
        if self.scale is not None:
            info["scale"] = self.scale
        return info


def schema() -> Any:
    """Return the pyarrow schema of a file of questions.

    Raises:
        DianjinError: pyarrow is missing.
    """
    pa = pyarrow()
    text, texts = pa.string(), pa.list_(pa.string())
    special = {
        "turns": pa.list_(pa.struct({"question": text, "answer": text})),
        "choices": pa.list_(pa.struct({"letter": text, "text": text})),
        "multiple": pa.bool_(),
        "labels": texts,
        "row": pa.int64(),
    }
    return pa.schema({each.name: special.get(each.name, text) for each in fields(Question)})


def as_row(question: Question) -> dict[str, Any]:
    """Return a question as a row of `schema`."""
    row = {each.name: getattr(question, each.name) for each in fields(Question)}
    row["turns"] = [turn._asdict() for turn in question.turns]
    row["choices"] = [{"letter": k, "text": v} for k, v in question.choices.items()]
    row["labels"] = list(question.labels)
    return row


def from_row(row: Mapping[str, Any]) -> Question:
    """Return the question of a row of `schema`; other columns are left aside."""
    given = {each.name: row[each.name] for each in fields(Question)}
    given["turns"] = tuple(Turn(**turn) for turn in given["turns"])
    given["choices"] = {choice["letter"]: choice["text"] for choice in given["choices"]}
    given["labels"] = tuple(given["labels"])
    return Question(**given)


def write_questions(questions: Iterable[Question], path: Path) -> int:
    """Write questions as parquet; replaces `path` at once. Returns their number.

    Raises:
        DianjinError: pyarrow is missing.
    """
    return write_rows(map(as_row, questions), path, schema())


def read_questions(path: Path) -> Iterator[Question]:
    """Yield the questions of a file that `write_questions` wrote.

    Raises:
        DianjinError: pyarrow is missing, or the file is not such a file.
    """
    names = [each.name for each in fields(Question)]
    expected = "expected questions.parquet as `dianjin prepare` writes it"
    return map(from_row, read_rows(path, columns=names, expected=expected))
