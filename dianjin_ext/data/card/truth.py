"""How good `verify` and `select` are, by rows whose truth is known."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from dianjin_ext.data.candidate import Candidate
from dianjin_ext.data.card.rates import Tally, f1
from dianjin_ext.errors import DianjinError
from dianjin_ext.jsonl import BadRowError, Lines, kind, parse, take

FILTERS: Final = ("verify", "select", "both")
"""What is measured; `both` is `verify`, then `select`, against all rows that came to `verify`."""
ALL: Final = "all"


class Name(NamedTuple):
    """Which response a label is of.

    Attributes:
        id: Of the question.
        sample: Which of the responses to it.
        model: Who wrote it; None for the only one of that number.
    """

    id: str
    sample: int = 0
    model: str | None = None


class Label(NamedTuple):
    """The truth about one response.

    Attributes:
        right: Whether its answer is right.
        sound: Whether its reasoning is; None where nobody looked.
    """

    right: bool
    sound: bool | None = None

    def good(self, *, reasoned: bool) -> bool | None:
        """Return whether it should be kept, by its reasoning too; None where that is not known."""
        if not self.right or not reasoned:
            return self.right
        return self.sound


Labels = Mapping[Name, Label]


def read_labels(path: Path) -> dict[Name, Label]:
    """Return the labels of a file of JSON lines.

    Each line has `id`, `right`, and where known `sound`; `sample` is 0 where it is missing, and
    `model` is for sets in which several wrote a response of that number.

    Raises:
        DianjinError: The file can't be read, a line is no label, or two disagree.
    """
    found: dict[Name, Label] = {}
    for number, line in enumerate(Lines(path), 1):
        if not line.strip():
            continue
        try:
            name, label = _label(parse(line))
        except BadRowError as error:
            raise DianjinError(f"{path}, line {number}, {error}") from None
        if found.setdefault(name, label) != label:
            raise DianjinError(
                f"{path}, line {number}: {name.id!r}, sample {name.sample} has another label "
                "above; keep one"
            )
    return found


def _label(row: dict[str, Any]) -> tuple[Name, Label]:
    sample = row.get("sample", 0)
    if isinstance(sample, bool) or not isinstance(sample, int):
        raise BadRowError("sample", f"expected a whole number, found {kind(sample)}")
    sound = row.get("sound")
    if sound is not None and not isinstance(sound, bool):
        raise BadRowError("sound", f"expected true, false or null, found {kind(sound)}")
    model = row.get("model")
    if model is not None and not isinstance(model, str):
        raise BadRowError("model", f"expected the name of a model, found {kind(model)}")
    name = take(row, "id", str, "the id of a question")
    return Name(name, sample, model), Label(take(row, "right", bool, "true or false"), sound)


class Measured:
    """Kept and dropped rows, good and bad ones."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[bool, bool]] = Counter()  # kept, good
        self._precision, self._recall, self._hits, self._good = (Tally() for _ in range(4))

    def add(self, question: str, *, kept: bool, good: bool) -> None:
        """Count a labelled row."""
        self._counts[kept, good] += 1
        self._good.add(question, good)
        if kept:
            self._precision.add(question, good)
        if good:
            self._recall.add(question, kept)
        if kept or good:
            self._hits.add(question, kept and good)

    def summary(self) -> dict[str, Any]:
        """Return precision, recall and F1 of the good rows, and the same of keeping all.

        Recall and F1 are None where no dropped row is labelled: nobody looked at what was lost.
        """
        counts = self._counts
        looked = counts[False, True] + counts[False, False] > 0
        return {
            "labelled": counts.total(),
            "good_kept": counts[True, True],
            "bad_kept": counts[True, False],
            "good_dropped": counts[False, True],
            "bad_dropped": counts[False, False],
            "precision": self._precision.rate(),
            "recall": self._recall.rate() if looked else None,
            "f1": f1(self._hits) if looked else None,
            "keep_all": {"precision": self._good.rate(), "f1": f1(self._good)},
        }


class Quality:
    """Counts kept and dropped rows against their labels.

    Args:
        labels: See `read_labels`.
    """

    def __init__(self, labels: Labels) -> None:
        self._labels = labels
        self._met: set[Name] = set()
        self._used: dict[Name, str] = {}
        self._came: Counter[tuple[str, bool]] = Counter()  # filter, kept
        # filter, whether reasoning counts, language or all
        self._measured: dict[tuple[str, bool, str], Measured] = {}
        self._reasoned = False

    def add(self, candidate: Candidate) -> None:
        """Count a candidate.

        Raises:
            DianjinError: Its label names another model's response too.
        """
        label = self._label(candidate)
        notes = candidate.notes
        self._reasoned |= "reasoning" in notes.get("verify", {})
        standing = {
            step: not candidate.dropped.startswith(f"{step}: ") for step in ("verify", "select")
        }
        if "verify" in notes:
            self._count("verify", candidate, label, standing["verify"], reasoned=(False, True))
            kept = "select" in notes and standing["select"]
            self._count("both", candidate, label, kept)
        if "select" in notes:
            self._count("select", candidate, label, standing["select"])

    def _label(self, candidate: Candidate) -> Label | None:
        name = Name(candidate.question.id, candidate.sample, candidate.model)
        if name not in self._labels:
            name = name._replace(model=None)
        if (label := self._labels.get(name)) is None:
            return None
        if name.model is None and self._used.setdefault(name, candidate.model) != candidate.model:
            raise DianjinError(
                f"the label of {name.id!r}, sample {name.sample} is for responses of "
                f"{self._used[name]!r} and {candidate.model!r}; add the key model to it"
            )
        self._met.add(name)
        return label

    def _count(
        self,
        name: str,
        candidate: Candidate,
        label: Label | None,
        kept: bool,
        reasoned: tuple[bool, ...] = (True,),
    ) -> None:
        self._came[name, kept] += 1
        if label is None:
            return
        question = candidate.question
        for each in reasoned:
            if (good := label.good(reasoned=each)) is not None:
                for group in (ALL, question.language):
                    found = self._measured.setdefault((name, each, group), Measured())
                    found.add(question.id, kept=kept, good=good)

    def summary(self) -> dict[str, Any]:
        """Return `labels`, `met` (how many of them a row has) and the measured `filters`."""
        came = {name for name, _ in self._came}
        names = [name for name in FILTERS if name in came]
        if not {"verify", "select"} <= came:
            names = [name for name in names if name != "both"]
        return {
            "labels": len(self._labels),
            "met": len(self._met),
            "filters": [self._filter(name) for name in names],
        }

    def _filter(self, name: str) -> dict[str, Any]:
        reasoned = name != "verify" or self._reasoned
        found = {
            group: measured.summary()
            for (filter_, each, group), measured in sorted(self._measured.items())
            if (filter_, each) == (name, reasoned)
        }
        return {
            "filter": name,
            "positive": "right and sound" if reasoned else "right",
            "kept": self._came[name, True],
            "dropped": self._came[name, False],
            "overall": found.pop(ALL, None) or Measured().summary(),
            "by_language": found,
        }
