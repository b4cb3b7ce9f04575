"""What a benchmark is, and its questions, read one at a time."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from dianjin_ext.questions.mapping import OwnMapping
from dianjin_ext.questions.question import Kind, Question
from dianjin_ext.questions.readers import BadRow, get_reader, read

OWN = "own"
"""The reader of a benchmark of one's own; its name is `own:NAME`."""

Source = Sequence[Path] | str
"""Where questions come from: files, or a name on Hugging Face's hub."""


def _every(question: Question) -> bool:
    return True


def _as_read(question: Question) -> str:
    return question.category


def by_gold(question: Question) -> str:
    """Return the gold answer as the category, for sets of one task with a few labels."""
    return question.answer or ""


def _alone(question: Question) -> str | None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Benchmark:
    """A set of questions that models are compared by.

    Attributes:
        name: As in `dianjin eval NAME`.
        about: What it asks, in a few words.
        reader: Name of its reader (`dianjin_ext.questions.readers.READERS`).
        kinds: What its answers are.
        rewards: Names of the rewards that grade them.
        files: The names of its files in a folder, as patterns; files that are named themselves may
            have any name.
        size: Its published questions with a gold answer; None where the number isn't known.
        split: The one that is reported on. Files that hold one other split only are read all the
            same, such as a part that was cut out.
        config: Part of the data set on the hub; empty where it has one only.
        keep: Whether a question belongs to it.
        category: By what its results are told apart, and by what it is sampled.
        conversation: Name of the conversation whose turn a question is; None for a question by
            itself. The turns of a conversation follow each other, and are sampled as one.
        mapping: Of a benchmark of one's own.
    """

    name: str
    about: str
    reader: str
    kinds: tuple[Kind, ...]
    rewards: tuple[str, ...]
    files: tuple[str, ...]
    size: int | None = None
    split: str = "test"
    config: str = ""
    keep: Callable[[Question], bool] = _every
    category: Callable[[Question], str] = _as_read
    conversation: Callable[[Question], str | None] = _alone
    mapping: OwnMapping | None = None

    @property
    def hub(self) -> str | None:
        """Its name on the hub, `owner/name` or `owner/name:config`; None where it has none."""
        name = None if self.mapping is not None else get_reader(self.reader).hub
        return f"{name}:{self.config}" if name and self.config else name


def questions(
    benchmark: Benchmark, source: Source, *, split: str | None = None
) -> Iterator[Question | BadRow]:
    """Yield the questions of a benchmark that have a gold answer, and the bad rows, one at a time.

    Args:
        benchmark: The benchmark.
        source: Its files, or its name on the hub.
        split: Leave out the questions of other splits.

    Raises:
        DianjinError: A file can't be read, or the hub can't be reached.
    """
    for row in every_row(benchmark, source):
        if isinstance(row, BadRow) or (row.answer is not None and split in (None, row.split)):
            yield row


def every_row(benchmark: Benchmark, source: Source) -> Iterator[Question | BadRow]:
    """Yield the questions of a benchmark, of all splits, also without gold; and the bad rows."""
    for row in _rows(benchmark, source):
        if isinstance(row, BadRow) or benchmark.keep(row):
            yield row


def _rows(benchmark: Benchmark, source: Source) -> Iterator[Question | BadRow]:
    if isinstance(source, str):
        from dianjin_ext.questions.hub import read_hub

        return read_hub(get_reader(benchmark.reader), source)
    if benchmark.mapping is not None:
        from dianjin_ext.questions.own import read_own

        return read_own(source, benchmark.mapping)
    return read(get_reader(benchmark.reader), source)
