"""The counts of one benchmark under one protocol, and what they add up to; no text is kept."""

from array import array
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from statistics import median
from typing import Any, Final

from dianjin_ext.evaluation.statistics import Estimate, cons_at_k, estimate, pass_at_k

__all__ = ["FACETS", "Results"]

FACETS: Final = ("category", "kind", "language")
"""By what accuracy is told apart."""

_BINS: Final = (64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768)


class Results:
    """Counts graded rows.

    Args:
        samples: Of each question.
    """

    def __init__(self, samples: int) -> None:
        self.samples = samples
        self._right = array("L")  # of each question
        self._cons = array("d")
        self._clusters = array("q")  # of each question its conversation, or itself
        self._conversations: dict[str, int] = {}
        self._groups: dict[str, dict[str, array[int]]] = {facet: {} for facet in FACETS}
        self._tokens = array("L")  # of each sample
        self._token_right = array("b")
        self._format = 0.0
        self._prompt_tokens = 0
        self._judged: Counter[str] = Counter()
        self.reasons: Counter[str] = Counter()
        self.outcomes: Counter[str] = Counter()
        self.errors: dict[str, str] = {}
        self.silent = 0

    @property
    def questions(self) -> int:
        """How many were counted."""
        return len(self._right)

    def add(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Count the graded rows of one question, one a sample."""
        right = [row["acc"] == 1.0 for row in rows]
        for facet in FACETS:
            group = self._groups[facet].setdefault(rows[0][facet], array("L"))
            group.append(self.questions)
        self._clusters.append(self._cluster(rows[0]["conversation"]))
        self._right.append(sum(right))
        self._cons.append(cons_at_k(list(map(_vote, rows)), right))
        for row, is_right in zip(rows, right, strict=True):
            self._tokens.append(row["completion_tokens"])
            self._token_right.append(is_right)
            self._format += row["format"]
            self._prompt_tokens += row["prompt_tokens"]
            self.reasons[row["reason"]] += 1
            self.outcomes[row["outcome"]] += 1
            self.errors.setdefault(row["outcome"], row.get("error", ""))
            self.silent += bool(row.get("silent"))
            if "judged" in row:
                self._judged[_said(row)] += 1

    def summary(self) -> dict[str, Any]:
        """Return the numbers of `summary.json`; shares are from 0 to 1."""
        k, n = self.samples, self.questions
        whole = self._estimate(range(n))
        sizes = [*(1 << i for i in range(k.bit_length())), k] if k > 1 else [1]
        return {
            "n": n,
            "samples": k,
            **_interval(whole, "accuracy"),
            "error": whole.error,
            "format_rate": self._format / (n * k),
            "pass_at_k": {str(size): self._pass_at(size) for size in dict.fromkeys(sizes)},
            "cons_at_k": {"k": k, **_interval(self._whole(self._cons), "value")} if k > 1 else None,
            "by": {facet: self._by(facet) for facet in FACETS},
            "reasons": dict(self.reasons.most_common()),
            "outcomes": dict(self.outcomes.most_common()),
            "truncated": self.outcomes["cut"] / (n * k),
            "tokens": self._token_counts(),
            "lengths": self._lengths(),
            "judge": self._agreement(),
        }

    def _cluster(self, conversation: str | None) -> int:
        if conversation is None:
            return self.questions
        return self._conversations.setdefault(conversation, -1 - len(self._conversations))

    def _estimate(self, places: Sequence[int]) -> Estimate:
        values = [[self._right[place] / self.samples] for place in places]
        return estimate(values, clusters=[self._clusters[place] for place in places])

    def _pass_at(self, size: int) -> dict[str, float]:
        if size == 1:
            return _interval(self._estimate(range(self.questions)), "value")
        known = [pass_at_k(right, self.samples, size) for right in range(self.samples + 1)]
        return _interval(self._whole([known[right] for right in self._right]), "value")

    def _whole(self, values: Sequence[float]) -> Estimate:
        return estimate([[value] for value in values], clusters=self._clusters)

    def _by(self, facet: str) -> dict[str, Any]:
        found = {}
        for name, places in sorted(self._groups[facet].items()):
            found[name] = {"n": len(places), **_interval(self._estimate(places), "accuracy", "")}
        return found

    def _token_counts(self) -> dict[str, Any]:
        ordered = sorted(self._tokens)
        return {
            "prompt": self._prompt_tokens,
            "completion": sum(ordered),
            "mean": sum(ordered) / len(ordered),
            "median": median(ordered),
            "p90": ordered[-(-9 * len(ordered) // 10) - 1],
            "max": ordered[-1],
        }

    def _lengths(self) -> list[dict[str, int]]:
        n, right = Counter[int](), Counter[int]()
        for tokens, is_right in zip(self._tokens, self._token_right, strict=True):
            end = next((end for end in _BINS if tokens <= end), _BINS[-1])
            n[end] += 1
            right[end] += is_right
        return [{"to": end, "n": n[end], "right": right[end]} for end in sorted(n)]

    def _agreement(self) -> dict[str, Any] | None:
        if not self._judged:
            return None
        both = self._judged["both_right"] + self._judged["both_wrong"]
        decided = both + self._judged["only_judge"] + self._judged["only_rule"]
        names = ("both_right", "both_wrong", "only_judge", "only_rule", "undecided")
        return {
            "n": self._judged.total(),
            "agreement": both / decided if decided else None,
            **{name: self._judged[name] for name in names},
        }


def _vote(row: Mapping[str, Any]) -> str:
    """Return what a sample votes for; a judge may tell answers apart that are written alike."""
    pred: str = row["pred"]
    return f"{pred} {row['acc']}" if pred and row.get("judged") else pred


def _said(row: Mapping[str, Any]) -> str:
    if not row["judged"]:
        return "undecided"
    judge, rule = row["acc"] == 1.0, row["rule_acc"] == 1.0
    if judge == rule:
        return "both_right" if judge else "both_wrong"
    return "only_judge" if judge else "only_rule"


def _interval(found: Estimate, name: str, prefix: str | None = None) -> dict[str, float]:
    """Return an estimate as `NAME`, `NAME_low` and `NAME_high`; `value` has `low` and `high`."""
    prefix = ("" if name == "value" else f"{name}_") if prefix is None else prefix
    given = asdict(found)
    return {name: given["value"], f"{prefix}low": given["low"], f"{prefix}high": given["high"]}
