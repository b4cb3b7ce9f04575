"""How good `verify`, `select` and `search` are, by rows whose truth is known."""

from collections import Counter
from typing import Any, Final

from dianjin_ext.data.candidate import Candidate
from dianjin_ext.data.card.labels import Label, Labels, Name
from dianjin_ext.data.card.rates import Tally, f1
from dianjin_ext.errors import DianjinError

FILTERS: Final = ("verify", "select", "both", "search")
"""What is measured; `both` is `verify`, then `select`, against all rows that came to `verify`.

`search` keeps a question's path, or gives it up with its last thought; it looks at the answer
alone, and is measured by that and by the reasoning too.
"""
_VERDICTS: Final = ("", "search: not_found", "search: answer_changed")
"""What a search says of an answer: it stands, or is wrong."""
ALL: Final = "all"


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
        labels: See `dianjin_ext.data.card.labels`.
    """

    def __init__(self, labels: Labels) -> None:
        self._labels = labels
        self._met: set[Name] = set()
        self._used: dict[Name, str] = {}
        self._came: Counter[tuple[str, bool]] = Counter()  # filter, kept
        # filter, whether reasoning counts, language or all
        self._measured: dict[tuple[str, bool, str], Measured] = {}
        # what verify or search says of the answer alone, by who says it
        self._decided = {"rules": Measured(), "judge": Measured()}
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
            if label is not None:
                judged = notes["verify"].get("rule") == "undecided" and "judge" in notes["verify"]
                self._decided["judge" if judged else "rules"].add(
                    candidate.question.id, kept=candidate.acc == 1.0, good=label.right
                )
            kept = "select" in notes and standing["select"]
            self._count("both", candidate, label, kept)
        if "select" in notes:
            self._count("select", candidate, label, standing["select"])
        if "search" in notes:
            self._searched(candidate, label)

    def _searched(self, candidate: Candidate, label: Label | None) -> None:
        kept = not candidate.dropped.startswith("search: ")
        self._count("search", candidate, label, kept, reasoned=(False, True))
        last = (candidate.notes["search"]["rounds"] or [{}])[-1]
        decided = last.get("verdict", "not_in_form") != "not_in_form"
        if label is not None and decided and (kept or candidate.dropped in _VERDICTS):
            decider = self._decided["judge" if "judge" in last else "rules"]
            decider.add(candidate.question.id, kept=kept, good=label.right)

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
        """Return `labels`, how many of them a row has (`met`), and the measured `filters`.

        `decided` is what `verify` or `search` says of the answer alone, by whether rules or the
        judge say it.
        """
        came = {name for name, _ in self._came}
        names = [name for name in FILTERS if name in came]
        if not {"verify", "select"} <= came:
            names = [name for name in names if name != "both"]
        return {
            "labels": len(self._labels),
            "met": len(self._met),
            "filters": [
                self._filter(name, reasoned) for name in names for reasoned in self._ways(name)
            ],
            "decided": {name: found.summary() for name, found in self._decided.items()},
        }

    def _ways(self, name: str) -> tuple[bool, ...]:
        """Return whether reasoning counts for a filter, or both ways."""
        if name == "search":
            return False, True
        return (name != "verify" or self._reasoned,)

    def _filter(self, name: str, reasoned: bool) -> dict[str, Any]:
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
