"""How far the judge agrees with rules, and what it says of each criterion."""

from collections import Counter
from typing import Any, Final

from dianjin_ext.data.candidate import Candidate
from dianjin_ext.data.card.rates import Tally, kappa
from dianjin_ext.data.steps.measures import AGREE

_SMALL_IS_GOOD: Final = frozenset({"repetition"})


class Judged:
    """Counts what `verify` and `select` noted."""

    def __init__(self) -> None:
        self._both: Counter[tuple[str, str]] = Counter()
        self._alone: Counter[str] = Counter()
        self._same = Tally()
        self._reasoning = {name: Tally() for name in ("sound", "broken", "undecided")}
        self._criteria: dict[str, Tally] = {}
        self._without = 0
        self._measures: dict[str, tuple[Counter[float], Counter[float]]] = {}

    def add(self, candidate: Candidate) -> None:
        """Count a candidate."""
        question = candidate.question.id
        verify = candidate.notes.get("verify", {})
        if (said := verify.get("judge")) is not None:
            if verify.get("rule") in ("correct", "wrong"):
                self._both[verify["rule"], said] += 1
                if said != "undecided":
                    self._same.add(question, said == verify["rule"])
            else:
                self._alone[said] += 1
        if (reasoning := verify.get("reasoning")) is not None:
            for name, tally in self._reasoning.items():
                tally.add(question, name == reasoning)
        select = candidate.notes.get("select", {})
        if "criteria" not in select:
            return
        criteria = select["criteria"]
        if criteria is None:
            self._without += 1
            return
        for name, holds in criteria.items():
            self._criteria.setdefault(name, Tally()).add(question, bool(holds))
        for measure, value in select.get("measures", {}).items():
            if (criterion := AGREE.get(measure)) in criteria:
                sides = self._measures.setdefault(measure, (Counter(), Counter()))
                sides[int(bool(criteria[criterion]))][value] += 1

    def summary(self) -> dict[str, Any]:
        """Return `agreement`, `alone`, `reasoning`, `criteria`, `undecided`, `measures`.

        Each is empty or None where nothing of it was noted.
        """
        return {
            "agreement": self._agreement(),
            "alone": dict(self._alone),
            "reasoning": {
                name: rate
                for name, tally in self._reasoning.items()
                if (rate := tally.rate()) is not None
            },
            "criteria": {name: tally.rate() for name, tally in self._criteria.items()},
            "undecided": self._without,
            "measures": [_measure(name, *sides) for name, sides in self._measures.items()],
        }

    def _agreement(self) -> dict[str, Any] | None:
        """Return how often rule and judge say the same where both decide."""
        if not self._both:
            return None
        cells = [
            self._both[rule, said] for rule in ("correct", "wrong") for said in ("correct", "wrong")
        ]
        both, rule_alone, judge_alone, neither = cells
        return {
            "both_right": both,
            "rule_alone": rule_alone,
            "judge_alone": judge_alone,
            "both_wrong": neither,
            "undecided": self._both.total() - sum(cells),
            "same": self._same.rate(),
            "kappa": kappa(both, rule_alone, judge_alone, neither),
        }


def _measure(name: str, failed: Counter[float], passed: Counter[float]) -> dict[str, Any]:
    return {
        "measure": name,
        "criterion": AGREE[name],
        "passed": passed.total(),
        "failed": failed.total(),
        "mean_passed": _mean(passed),
        "mean_failed": _mean(failed),
        "agreement": _ranked(failed, passed, name in _SMALL_IS_GOOD),
    }


def _mean(values: Counter[float]) -> float | None:
    n = values.total()
    return sum(value * number for value, number in values.items()) / n if n else None


def _ranked(failed: Counter[float], passed: Counter[float], small: bool) -> float | None:
    """Return how often a row that passed has the better value than one that failed.

    Of two equal values each counts half (the area under the ROC curve; Mann and Whitney 1947).
    """
    pairs = failed.total() * passed.total()
    if not pairs:
        return None
    below, won = 0, 0.0
    for value in sorted(failed.keys() | passed.keys(), reverse=small):
        won += passed[value] * (below + failed[value] / 2)
        below += failed[value]
    return won / pairs
