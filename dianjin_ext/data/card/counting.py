"""What is counted while the rows go by, once, whatever their number."""

import hashlib
import heapq
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from math import ceil
from typing import Any, Final

from dianjin_ext.data.candidate import Candidate
from dianjin_ext.data.prompt_length import estimated_tokens
from dianjin_ext.questions.prompts import prompt
from dianjin_ext.questions.question import Question

BINS: Final = (64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384)
"""Where the bins of lengths end; the last one is open."""

TRAINED: Final = ("sft", "rl", "val")
"""The uses of rows in training sets."""

SHOWN: Final = {"sft": 3, "rl": 2, "val": 1, "standing": 3, "question": 4}
_DROPPED: Final = 2
_SET: Final = re.compile("[a-z][a-z0-9_]*")
_SEED: Final = "card/1"


class Lengths:
    """Token lengths, by what they are of."""

    def __init__(self) -> None:
        self._found: dict[str, Counter[int]] = {}

    def add(self, what: str, tokens: int) -> None:
        """Count one."""
        self._found.setdefault(what, Counter())[tokens] += 1

    def summary(self) -> dict[str, Any]:
        """Return `n`, `median`, `p90`, `max`, `sum` and the `bins` of each."""
        return {what: _lengths(found) for what, found in self._found.items()}


def _lengths(found: Counter[int]) -> dict[str, Any]:
    ordered = sorted(found.items())
    n = found.total()
    bins = [0] * (len(BINS) + 1)
    for tokens, number in ordered:
        bins[next((i for i, end in enumerate(BINS) if tokens < end), len(BINS))] += number
    return {
        "n": n,
        "median": _quantile(ordered, n, 0.5),
        "p90": _quantile(ordered, n, 0.9),
        "max": ordered[-1][0],
        "sum": sum(tokens * number for tokens, number in ordered),
        "bins": bins,
    }


def _quantile(ordered: list[tuple[int, int]], n: int, share: float) -> int:
    """Return the smallest length that at least a share of all don't exceed."""
    left = ceil(share * n)
    for tokens, number in ordered:
        left -= number
        if left <= 0:
            return tokens
    return ordered[-1][0]


class Samples:
    """A few rows of each group, drawn by the hash of their names: the same in any order."""

    def __init__(self) -> None:
        self._kept: dict[str, list[tuple[int, int, Any]]] = {}
        self.seen: Counter[str] = Counter()

    def offer(self, group: str, name: str, item: Any) -> None:
        """Take a row into account."""
        self.seen[group] += 1
        drawn = hashlib.sha256(f"{_SEED}:{name}".encode()).digest()[:8]
        entry = (-int.from_bytes(drawn), -self.seen[group], item)
        kept = self._kept.setdefault(group, [])
        if len(kept) < SHOWN.get(group, _DROPPED):
            heapq.heappush(kept, entry)
        else:
            heapq.heappushpop(kept, entry)

    def of(self, group: str) -> list[Any]:
        """Return those drawn of a group."""
        return [item for _, _, item in sorted(self._kept.get(group, ()), reverse=True)]


@dataclass
class Counts:
    """Rows by their use (see `dianjin_ext.data.card.rows.Counted`), and by what they are.

    Attributes:
        responses: How many there are.
        used: Rows by use.
        by: The same for each value of `set`, `source`, `language`, `kind`, `category`.
        licences: The same by the set that rows are from and what it states.
        lengths: By use and what they are of; of rows that are dropped none.
        told: Rows whose model was told the gold answer, by use.
        without_gold: Rows whose question has no gold answer.
    """

    responses: int = 0
    used: Counter[str] = field(default_factory=Counter)
    by: dict[str, dict[str, Counter[str]]] = field(default_factory=dict)
    licences: dict[tuple[str, str], Counter[str]] = field(default_factory=dict)
    lengths: dict[str, Lengths] = field(default_factory=dict)
    told: Counter[str] = field(default_factory=Counter)
    without_gold: int = 0
    _asked: set[int] = field(default_factory=set)

    @property
    def questions(self) -> int:
        """How many questions the rows have, each counted once."""
        return len(self._asked)

    def add(self, item: Question | Candidate, use: str) -> None:
        """Count a row."""
        question = item.question if isinstance(item, Candidate) else item
        self.responses += isinstance(item, Candidate)
        self.used[use] += 1
        self._asked.add(hash(question.id))
        self.without_gold += question.answer is None
        source = set_of(question)
        self.licences.setdefault((source, question.licence), Counter())[use] += 1
        for facet, value in (
            ("set", source),
            ("source", question.data_source),
            ("language", question.language),
            ("kind", question.kind),
            ("category", question.category),
        ):
            self.by.setdefault(facet, {}).setdefault(value, Counter())[use] += 1
        if use != "dropped":
            self._measure(item, question, self.lengths.setdefault(use, Lengths()).add)
        if isinstance(item, Candidate) and item.told_gold:
            self.told[use] += 1

    def trained(self) -> list[str]:
        """Return the uses that make up the set: those of training, or before that what stands."""
        found = [use for use in TRAINED if self.used[use]]
        return found or [use for use in ("standing", "question") if self.used[use]]

    def _measure(
        self, item: Question | Candidate, question: Question, add: Callable[[str, int], None]
    ) -> None:
        lengths = [estimated_tokens(prompt(question))]
        add("prompt", lengths[0])
        reasoning, response = question.reasoning, question.reply
        if isinstance(item, Candidate):
            reasoning, response = item.reasoning, item.response
            if item.prompt_tokens is not None:
                add("prompt_counted", item.prompt_tokens)
            if item.completion_tokens is not None:
                add("completion_counted", item.completion_tokens)
        for what, text in (("reasoning", reasoning), ("response", response)):
            if text is not None:
                lengths.append(estimated_tokens(text))
                add(what, lengths[-1])
        if len(lengths) > 1:
            add("whole", sum(lengths))


def set_of(question: Question) -> str:
    """Return the data set that a question is from: its id starts with the name."""
    name, slash, _ = question.id.partition("/")
    return name if slash and _SET.fullmatch(name) else question.data_source
