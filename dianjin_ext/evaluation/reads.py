"""How the grader reads a text: for finding out what it has read, and where."""

from collections.abc import Mapping
from typing import Any, Final

from dianjin_ext.answers.tags import DIANJIN_R1
from dianjin_ext.rewards.grader import Grader
from dianjin_ext.rewards.score import grader_for

_ROUGHLY: Final = {"decimals": None, "rel_tol": 0.01, "percent": "either", "unit": "gold_hint"}


class Reads:
    """The readers of one row.

    Args:
        settings: Of `compute_score`, as the row is graded.
        data_source: Names the reward function.
        ground_truth: The gold answer; decides among which labels an answer is looked for.
        extra_info: The row's, such as its `choices`.
        kind: Kind of the answer: `choice`, `number`, `label`, `math`, `open`, …

    Attributes:
        policy: How responses of the row are read.
        kind: As given.
        extra_info: As given.

    Raises:
        DianjinError: A setting or the data source is not known.
    """

    def __init__(
        self,
        settings: Mapping[str, Any],
        *,
        data_source: str,
        ground_truth: Any,
        extra_info: Mapping[str, Any],
        kind: str,
    ) -> None:
        self.grader = grader_for(settings)
        self.policy = self.grader.policy(data_source)
        self.kind, self.extra_info = kind, extra_info
        self._source, self._gold = data_source, ground_truth
        # Prose is read in one layout, whatever layout the row was asked for.
        own: Any = self.policy
        self._numbers = own.numbers.model_dump(exclude_unset=True)
        self._lenient: dict[str, Any] = {
            "strictness": "lenient",
            "reward": own.reward,
            "default": self.grader.settings.default,
        }

    def response(self, text: str) -> str:
        """Return the answer that is read in a response, in its canonical form; empty if none."""
        return self._pred(self.grader, text)

    def answer(self, text: str) -> str:
        """Return what is read where a text is the whole answer; empty if it is none."""
        return self.prose(f"\\boxed{{{text}}}")

    def prose(self, text: str) -> str:
        """Return what is read in the text of an answer; empty if it states none."""
        grader = grader_for({**self._lenient, "numbers": self._numbers})
        return self._pred(grader, DIANJIN_R1.wrap("…", text))

    def same(self, one: str, other: str) -> bool:
        """Return whether two answers are the same but for rounding, scale and per cent."""
        return self._right(one, other) or self._right(other, one)

    def _pred(self, grader: Grader, text: str) -> str:
        return grader.judge_by_rules(self._source, text, self._gold, self.extra_info).score.pred

    def _right(self, answer: str, gold: str) -> bool:
        grader = grader_for({**self._lenient, "numbers": _ROUGHLY})
        response = DIANJIN_R1.wrap("…", f"\\boxed{{{answer}}}")
        return bool(grader.judge_by_rules(self._source, response, gold, self.extra_info).score.acc)
