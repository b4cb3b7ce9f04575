"""What each model answered, and how many of its answers to a question are right."""

from collections import Counter
from typing import Any, Final

from dianjin_ext.data.candidate import Candidate
from dianjin_ext.data.card.rates import rate

OUTCOMES: Final = ("right", "wrong", "cut", "no_answer", "open")
NO_ANSWER: Final = frozenset(
    {
        *("no_answer", "no_think", "empty_think", "truncated", "repeated_tag", "order"),
        *("outside_text", "not_boxed", "ambiguous", "contains_marks", "no_reasoning"),
        *("content_filter", "refused"),
    }
)
"""Reasons of the grader and of the steps for a reply that holds no answer in the layout."""


def outcome(candidate: Candidate) -> str:
    """Return what an answer is: one of `OUTCOMES`.

    `cut` is one that stopped at the limit of tokens and isn't right all the same; `open` is one
    that nothing decides, or that was not graded.
    """
    step_reason = candidate.dropped.partition(": ")[2]
    if candidate.acc == 1.0:
        return "right"
    if candidate.finish_reason == "length" or step_reason == "cut":
        return "cut"
    reason = candidate.reason or step_reason
    if reason in NO_ANSWER or not candidate.response:
        return "no_answer"
    return "wrong" if reason == "wrong" else "open"


class Answers:
    """Counts them by model, and by model and language."""

    def __init__(self) -> None:
        self._found: Counter[tuple[str, str, str]] = Counter()
        self._passed: dict[str, Counter[tuple[int, int]]] = {}
        self._met: set[int] = set()

    def add(self, candidate: Candidate) -> None:
        """Count a candidate."""
        model = candidate.model
        self._found[model, candidate.question.language, outcome(candidate)] += 1
        if candidate.right is None or not candidate.of:
            return
        name = hash((model, candidate.question.id))
        if name not in self._met:  # all candidates to a question say the same of it
            self._met.add(name)
            counts = self._passed.setdefault(model, Counter())
            counts[candidate.right, candidate.of] += 1

    def summary(self) -> list[dict[str, Any]]:
        """Return for each model its `outcomes`, `by_language` and `passed` (k right of n)."""
        models = dict.fromkeys(sorted(model for model, _, _ in self._found))
        return [self._model(model) for model in models]

    def _model(self, model: str) -> dict[str, Any]:
        languages = sorted({language for name, language, _ in self._found if name == model})
        return {
            "model": model,
            "outcomes": self._rates(model, languages),
            "by_language": {each: self._rates(model, [each]) for each in languages},
            "passed": [
                {"right": right, "of": of, "questions": number}
                for (right, of), number in sorted(
                    self._passed.get(model, Counter()).items(), key=lambda item: item[0][::-1]
                )
            ],
        }

    def _rates(self, model: str, languages: list[str]) -> dict[str, Any]:
        found = {
            name: sum(self._found[model, language, name] for language in languages)
            for name in OUTCOMES
        }
        n = sum(found.values())
        return {name: rate(number, n) for name, number in found.items()}
