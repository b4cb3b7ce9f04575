"""Training rows from verl parquet or JSON lines, one at a time, whatever the size of the file."""

from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any, NamedTuple

from dianjin_ext.errors import DianjinError
from dianjin_ext.jsonl import BadRowError, Lines, parse, take
from dianjin_ext.parquet import pyarrow
from dianjin_ext.questions.prompts import prompt
from dianjin_ext.questions.question import Question, from_row

_COLUMNS = ("data_source", "prompt", "reward_model", "ground_truth", "extra_info")
_QUESTION = {each.name for each in fields(Question)}
_BATCH = 256

Message = dict[str, str]


class TrainingRow(NamedTuple):
    """What a reward and a prompt are made of.

    Attributes:
        data_source: Name of the reward.
        ground_truth: The gold answer.
        extra_info: Empty where the row has none.
        prompt: Messages with `role` and `content`; empty where the row has none.
        labelled: False for a question of a set that publishes no gold answers.
    """

    data_source: str
    ground_truth: Any
    extra_info: dict[str, Any]
    prompt: list[Message]
    labelled: bool = True


class Rows:
    """The rows of a file; iterating yields where each stands, and the row or why it is bad.

    Parquet files (`.parquet`) are as `dianjin prepare` writes them, for RL or `questions.parquet`,
    whose rows get the prompt that RL rows have; any other file is JSON lines,
    also gzipped, with `data_source`, `ground_truth` (or verl's `reward_model`), and where they are
    needed `extra_info` and `prompt` (messages, or the text of a single user turn).

    Attributes:
        size: Bytes of the file as it lies on the disk.
        position: About how many of them have been read.

    Raises:
        DianjinError: The file can't be opened or read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.position = 0
        try:
            self.size = path.stat().st_size
        except OSError as error:
            raise DianjinError(
                f"{path}: can't be read ({error.strerror}); check the path"
            ) from error

    def __iter__(self) -> Iterator[tuple[str, TrainingRow | BadRowError]]:
        raw = self._parquet() if self.path.suffix == ".parquet" else self._lines()
        for where, read in raw:
            try:
                yield where, _training_row(parse(read) if isinstance(read, bytes) else read)
            except BadRowError as error:
                yield where, error

    def _lines(self) -> Iterator[tuple[str, bytes]]:
        lines = Lines(self.path)
        for number, line in enumerate(lines, 1):
            self.position = lines.position
            if not line.isspace():
                yield f"line {number}", line

    def _parquet(self) -> Iterator[tuple[str, dict[str, Any]]]:
        pa = pyarrow()
        try:
            with pa.parquet.ParquetFile(self.path) as file:
                if "data_source" not in (names := file.schema_arrow.names):
                    raise DianjinError(
                        f"{self.path} has the columns {', '.join(names)}; expected data_source, "
                        "prompt, reward_model and extra_info, as `dianjin prepare` writes them"
                    )
                asked = set(names) >= _QUESTION
                columns = None if asked else [name for name in _COLUMNS if name in names]
                total, number = file.metadata.num_rows, 0
                for batch in file.iter_batches(_BATCH, columns=columns):
                    for row in batch.to_pylist():
                        yield f"row {number}", _as_asked(row) if asked else row
                        number += 1
                        self.position = self.size * number // total
        except (pa.ArrowException, OSError) as error:
            raise DianjinError(f"{self.path}: can't be read as parquet ({error})") from error


def column_types(path: Path) -> dict[str, str]:
    """Return the columns of a parquet file that training reads, each with its type."""
    if path.suffix != ".parquet":
        return {}
    schema = pyarrow().parquet.read_schema(path)
    return {name: str(schema.field(name).type) for name in _COLUMNS if name in schema.names}


def _as_asked(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row of questions.parquet as a training row."""
    question = from_row(row)
    return {
        "data_source": question.data_source,
        "ground_truth": question.answer,
        "extra_info": question.extra_info,
        "prompt": prompt(question),
        "labelled": question.answer is not None,
    }


def _training_row(row: dict[str, Any]) -> TrainingRow:
    source = take(row, "data_source", str, "the name of a reward")
    if "ground_truth" in row:
        gold = row["ground_truth"]
    else:
        key = "ground_truth, or a reward_model with it"
        model = take(row, "reward_model", dict, f"the gold answer as {key}")
        if "ground_truth" not in model:
            raise BadRowError("reward_model", "expected a ground_truth in it; the key is missing")
        gold = model["ground_truth"]
    extra_info = row.get("extra_info")
    if extra_info is not None:
        take(row, "extra_info", dict, "an object or null")
    messages = _messages(row.get("prompt"))
    return TrainingRow(source, gold, extra_info or {}, messages, row.get("labelled") is not False)


def _messages(prompt: Any) -> list[Message]:
    if prompt is None:
        return []
    if isinstance(prompt, str):
        return [{"role": "user", "content": prompt}]
    expected = "expected a text, or messages with the texts role and content"
    if not isinstance(prompt, list) or not prompt:
        raise BadRowError("prompt", expected)
    for message in prompt:
        if not isinstance(message, dict) or not all(
            isinstance(message.get(key), str) for key in ("role", "content")
        ):
            raise BadRowError("prompt", expected)
    return [{"role": m["role"], "content": m["content"]} for m in prompt]
