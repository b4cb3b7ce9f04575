"""What the files of a benchmark hold, counted in one pass that keeps no text."""

from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from hashlib import blake2b

from dianjin_ext.errors import DianjinError
from dianjin_ext.evaluation.benchmarks.base import Benchmark, Source, every_row
from dianjin_ext.questions.question import Question
from dianjin_ext.questions.readers import BadRow

SHOWN = 20


@dataclass(frozen=True, slots=True)
class Units:
    """Questions by themselves and conversations, in their order; three columns of one length.

    Attributes:
        digests: Of the name of each.
        sizes: How many questions each has.
        strata: Number of its category in `Survey.categories`.
    """

    digests: "array[int]" = field(default_factory=lambda: array("Q"))
    sizes: "array[int]" = field(default_factory=lambda: array("L"))
    strata: "array[int]" = field(default_factory=lambda: array("L"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What the files of a benchmark hold.

    Attributes:
        split: The split to report on.
        questions: Its questions with a gold answer.
        without_gold: Its questions without one.
        bad: Bad rows, of all splits.
        first_bad: The first of them, without their values.
        splits: Split to its questions with a gold answer; all the files have.
        categories: Category to its questions, in the order of the files.
        scattered: A conversation whose turns don't follow each other; empty for none.
        units: What is sampled.
    """

    split: str
    questions: int
    without_gold: int
    bad: int
    first_bad: tuple[BadRow, ...]
    splits: Mapping[str, int]
    categories: Mapping[str, int]
    scattered: str
    units: Units


class _Tally:
    """What is counted of one split."""

    def __init__(self) -> None:
        self.units = Units()
        self.categories: dict[str, int] = {}
        self.without_gold = 0
        self.scattered = ""
        self._strata: dict[str, int] = {}  # numbered in the order of `categories`
        self._places: dict[int, int] = {}  # of conversations
        self._last = 0

    def add(self, benchmark: Benchmark, question: Question) -> None:
        if question.answer is None:
            self.without_gold += 1
            return
        category, conversation = benchmark.category(question), benchmark.conversation(question)
        self.categories[category] = self.categories.get(category, 0) + 1
        stratum = self._strata.setdefault(category, len(self._strata))
        key = digest(benchmark, question)
        if conversation is not None and (place := self._places.get(key)) is not None:
            self.units.sizes[place] += 1
            if key != self._last and not self.scattered:
                self.scattered = conversation
        else:
            if conversation is not None:
                self._places[key] = len(self.units.digests)
            self.units.digests.append(key)
            self.units.sizes.append(1)
            self.units.strata.append(stratum)
        self._last = key


def digest(benchmark: Benchmark, question: Question) -> int:
    """Return a number for the conversation of a question, or for the question without one."""
    name = benchmark.conversation(question) or question.id
    return int.from_bytes(blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).digest())


def survey(benchmark: Benchmark, source: Source, *, split: str | None = None) -> Survey:
    """Count what the files of a benchmark hold, and choose the split to report on.

    That is the benchmark's own where the files have questions with gold answers of it, else the
    only one that has some.

    Args:
        benchmark: The benchmark.
        source: Its files, or its name on the hub.
        split: The split asked for; None to choose it.

    Raises:
        DianjinError: A file can't be read, there is no question with a gold answer, or no such
            split, or several of which none is the benchmark's.
    """
    tallies: dict[str, _Tally] = {}
    bad = 0
    first_bad: list[BadRow] = []
    for row in every_row(benchmark, source):
        if isinstance(row, Question):
            tallies.setdefault(row.split, _Tally()).add(benchmark, row)
            continue
        bad += 1
        if len(first_bad) < SHOWN:
            first_bad.append(replace(row, value=None))
    splits = {name: sum(tally.units.sizes) for name, tally in tallies.items()}
    chosen = _split(benchmark, splits, split, first_bad)
    tally = tallies[chosen]
    return Survey(
        split=chosen,
        questions=splits[chosen],
        without_gold=tally.without_gold,
        bad=bad,
        first_bad=tuple(first_bad),
        splits=splits,
        categories=tally.categories,
        scattered=tally.scattered,
        units=tally.units,
    )


def _split(
    benchmark: Benchmark, splits: Mapping[str, int], asked: str | None, bad: list[BadRow]
) -> str:
    usable = [name for name, number in splits.items() if number]
    have = ", ".join(f"{name or 'rows of no split'} ({splits[name]})" for name in usable)
    if not usable:
        first = f"; the first bad row: {bad[0]}" if bad else ""
        none = "every question is without one" if splits else "none of its questions was found"
        raise DianjinError(
            f"{benchmark.name}: expected questions with a gold answer, but {none}{first}"
        )
    if asked is not None:
        if asked in usable:
            return asked
        what = "no gold answers" if asked in splits else "no questions"
        raise DianjinError(f"{benchmark.name}: the split {asked!r} has {what}; with some: {have}")
    if benchmark.split in usable:
        return benchmark.split
    if len(usable) == 1:
        return usable[0]
    raise DianjinError(
        f"{benchmark.name}: the files have no gold answers of the split {benchmark.split!r}, but "
        f"of {have}; choose one with --split, or name the files of one"
    )
