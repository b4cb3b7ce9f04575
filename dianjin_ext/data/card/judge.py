"""How far the judge agrees with rules, and what it says of each criterion."""

from collections import Counter
from typing import Any, Final

from dianjin_ext.data.candidate import Candidate
from dianjin_ext.data.card.rates import kappa, rate
from dianjin_ext.data.steps.measures import AGREE

_SMALL_IS_GOOD: Final = frozenset({"repetition"})


class Judged:
    """Counts what `verify` and `select` noted."""

    def __init__(self) -> None:
        self._both: Counter[tuple[str, str]] = Counter()
        self._alone: Counter[str] = Counter()
        self._reasoning: Counter[str] = Counter()
        self._criteria: Counter[tuple[str, int]] = Counter()
        self._without = 0
        self._measures: dict[str, tuple[Counter[float], Counter[float]]] = {}

    def add(self, candidate: Candidate) -> None:
        """Count a candidate."""
        verify = candidate.notes.get("verify", {})
        if (said := verify.get("judge")) is not None:
            if verify.get("rule") in ("correct", "wrong"):
                self._both[verify["rule"], said] += 1
            else:
                self._alone[said] += 1
        if (reasoning := verify.get("reasoning")) is not None:
            self._reasoning[reasoning] += 1
        select = candidate.notes.get("select", {})
        if "criteria" not in select:
            return
        criteria = select["criteria"]
        if criteria is None:
            self._without += 1
            return
        for name, holds in criteria.items():
            self._criteria[name, int(bool(holds))] += 1
        for measure, value in select.get("measures", {}).items():
            if (criterion := AGREE.get(measure)) in criteria:
                sides = self._measures.setdefault(measure, (Counter(), Counter()))
                sides[int(bool(criteria[criterion]))][value] += 1

    def summary(self) -> dict[str, Any]:
        """Return `agreement`, `alone`, `reasoning`, `criteria`, `undecided`, `measures`.

        Each is empty or None where nothing of it was noted.
        """
        reasoning = self._reasoning.total()
        names = list(dict.fromkeys(name for name, _ in self._criteria))
        passed = {
            name: rate(self._criteria[name, 1], self._criteria[name, 0] + self._criteria[name, 1])
            for name in names
        }
        return {
            "agreement": self._agreement(),
            "alone": dict(self._alone),
            "reasoning": {
                name: rate(number, reasoning) for name, number in sorted(self._reasoning.items())
            },
            "criteria": passed,
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
            "same": rate(both + neither, sum(cells)),
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
