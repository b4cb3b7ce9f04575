"""What each model answered, and how many of its answers to a question are right."""

from collections import Counter
from typing import Any, Final

from dianjin_ext.data.candidate import Candidate
from dianjin_ext.data.card.rates import Tally
from dianjin_ext.data.card.source import without_home

ALL: Final = "all"
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


def name_of(candidate: Candidate) -> str:
    """Return who answered, and how where that makes it another matter."""
    how = [name for name in ("search",) if name in candidate.notes]
    how += ["told the gold answer"] if candidate.told_gold else []
    return without_home(candidate.model) + (f" ({', '.join(how)})" if how else "")


class Answers:
    """Counts them by model, and by model and language."""

    def __init__(self) -> None:
        self._found: dict[str, dict[str, dict[str, Tally]]] = {}
        self._writers: dict[str, str] = {}
        self._told: set[str] = set()  # models that the grader says something of
        self._said: dict[tuple[str, int], tuple[int, int]] = {}
        self._counted: dict[tuple[str, int], list[int]] = {}

    def add(self, candidate: Candidate) -> None:
        """Count a candidate."""
        question, model = candidate.question, name_of(candidate)
        self._writers[model] = without_home(candidate.model)
        groups = self._found.setdefault(model, {})
        answered = outcome(candidate)
        if candidate.acc is not None or candidate.of:
            self._told.add(model)
        for group in (ALL, question.language):
            tallies = groups.setdefault(group, {name: Tally() for name in OUTCOMES})
            for name, tally in tallies.items():
                tally.add(question.id, name == answered)
        key = model, hash(question.id)
        if candidate.right is not None and candidate.of:
            self._said[key] = candidate.right, candidate.of
        elif answered != "open":
            counted = self._counted.setdefault(key, [0, 0])
            counted[0] += answered == "right"
            counted[1] += 1

    def summary(self) -> list[dict[str, Any]]:
        """Return for each model its bare name (`writer`), `outcomes`, `by_language` and `passed`.

        `passed` is how many questions have k right responses of n: as a step counted them, and
        where none did, as they are counted here. It is empty for one response a question, and where
        none of a model's responses was graded.
        """
        passed: dict[str, Counter[tuple[int, int]]] = {}
        counted = {key: (right, of) for key, (right, of) in self._counted.items()} | self._said
        for (model, _), (right, of) in counted.items():
            passed.setdefault(model, Counter())[of, right] += 1
        return [self._model(model, passed.get(model, Counter())) for model in sorted(self._found)]

    def _model(self, model: str, passed: Counter[tuple[int, int]]) -> dict[str, Any]:
        rates = {
            group: {name: tally.rate() for name, tally in tallies.items()}
            for group, tallies in sorted(self._found[model].items())
        }
        several = any(of > 1 for of, _ in passed) and model in self._told
        return {
            "model": model,
            "writer": self._writers[model],
            "outcomes": rates.pop(ALL),
            "by_language": rates,
            "passed": [
                {"right": right, "of": of, "questions": number}
                for (of, right), number in (sorted(passed.items()) if several else ())
            ],
        }
