"""How good `verify` and `select` are, by rows whose truth is known."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from dianjin_ext.data.candidate import Candidate
from dianjin_ext.data.card.rates import Rate, f1, rate
from dianjin_ext.errors import DianjinError
from dianjin_ext.jsonl import BadRowError, Lines, kind, parse, take

FILTERS: Final = ("verify", "select", "both")
"""What is measured; `both` is `verify`, then `select`, against all rows that came to `verify`."""


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


def read_labels(path: Path) -> dict[tuple[str, int], Label]:
    """Return the labels of a file of JSON lines, by the question's id and the sample.

    Each line has `id`, `right`, and where known `sound`; `sample` is 0 where it is missing.

    Raises:
        DianjinError: The file can't be read, a line is no label, or two disagree.
    """
    found: dict[tuple[str, int], Label] = {}
    for number, line in enumerate(Lines(path), 1):
        if not line.strip():
            continue
        try:
            name, label = _label(parse(line))
        except BadRowError as error:
            raise DianjinError(f"{path}, line {number}, {error}") from None
        if found.setdefault(name, label) != label:
            raise DianjinError(
                f"{path}, line {number}: {name[0]!r}, sample {name[1]} has another label above; "
                "keep one"
            )
    return found


def _label(row: dict[str, Any]) -> tuple[tuple[str, int], Label]:
    sample = row.get("sample", 0)
    if isinstance(sample, bool) or not isinstance(sample, int):
        raise BadRowError("sample", f"expected a whole number, found {kind(sample)}")
    sound = row.get("sound")
    if sound is not None and not isinstance(sound, bool):
        raise BadRowError("sound", f"expected true, false or null, found {kind(sound)}")
    name = take(row, "id", str, "the id of a question")
    return (name, sample), Label(take(row, "right", bool, "true or false"), sound)


class Quality:
    """Counts kept and dropped rows against their labels.

    Args:
        labels: See `read_labels`.
    """

    def __init__(self, labels: Mapping[tuple[str, int], Label]) -> None:
        self._labels = labels
        self._met: set[tuple[str, int]] = set()
        self._came: Counter[tuple[str, bool]] = Counter()  # filter, kept
        # filter, whether reasoning counts, language, kept, good
        self._cells: Counter[tuple[str, bool, str, bool, bool]] = Counter()
        self._reasoned = False

    def add(self, candidate: Candidate) -> None:
        """Count a candidate."""
        name = candidate.question.id, candidate.sample
        if (label := self._labels.get(name)) is not None:
            self._met.add(name)
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

    def _count(
        self,
        name: str,
        candidate: Candidate,
        label: Label | None,
        kept: bool,
        reasoned: tuple[bool, ...] = (True,),
    ) -> None:
        self._came[name, kept] += 1
        for each in reasoned if label is not None else ():
            if label is not None and (good := label.good(reasoned=each)) is not None:
                self._cells[name, each, candidate.question.language, kept, good] += 1

    def summary(self) -> dict[str, Any]:
        """Return `labels`, `met` (how many of them a row has) and the measured `filters`."""
        came = {name for name, _ in self._came}
        both = {"verify", "select"} <= came
        names = [name for name in FILTERS if name in came and (name != "both" or both)]
        return {
            "labels": len(self._labels),
            "met": len(self._met),
            "filters": [self._filter(name) for name in names],
        }

    def _filter(self, name: str) -> dict[str, Any]:
        reasoned = name != "verify" or self._reasoned
        languages = sorted(
            {cell[2] for cell in self._cells if cell[0] == name and cell[1] == reasoned}
        )
        measured = {each: self._measured(name, reasoned, [each]) for each in languages}
        return {
            "filter": name,
            "positive": "right and sound" if reasoned else "right",
            "kept": self._came[name, True],
            "dropped": self._came[name, False],
            "overall": self._measured(name, reasoned, languages),
            "by_language": measured,
        }

    def _measured(self, name: str, reasoned: bool, languages: list[str]) -> dict[str, Any]:
        hits, false, missed, spared = (
            sum(self._cells[name, reasoned, language, kept, good] for language in languages)
            for kept, good in ((True, True), (True, False), (False, True), (False, False))
        )
        return measures(hits, false, missed, spared)


def measures(hits: int, false: int, missed: int, spared: int) -> dict[str, Any]:
    """Return precision, recall and F1, and the same of keeping all.

    Precision, recall and F1 are those of the good rows. Recall is None where no dropped row is
    labelled: then nobody looked at what was lost.

    Args:
        hits: Good rows that were kept.
        false: Bad rows that were kept.
        missed: Good rows that were dropped.
        spared: Bad rows that were dropped.
    """
    known = missed + spared > 0
    n = hits + false + missed + spared
    recall: Rate | None = rate(hits, hits + missed) if known else None
    return {
        "labelled": n,
        "good_kept": hits,
        "bad_kept": false,
        "good_dropped": missed,
        "bad_dropped": spared,
        "precision": rate(hits, hits + false),
        "recall": recall,
        "f1": f1(hits, false + missed) if known else None,
        "keep_all": {
            "precision": rate(hits + missed, n),
            "recall": rate(hits + missed, hits + missed),
            "f1": f1(hits + missed, false + spared),
        },
    }
