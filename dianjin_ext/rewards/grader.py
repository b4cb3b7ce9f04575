"""From a response to the row of numbers that training, data and evaluation use."""

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from dianjin_ext.answers.arrays import listed
from dianjin_ext.answers.options import EXPECTED, read_options
from dianjin_ext.answers.response import split
from dianjin_ext.errors import DianjinError
from dianjin_ext.rewards.base import Reason, Score, as_score
from dianjin_ext.rewards.components import Sample, get_component
from dianjin_ext.rewards.format import extract, parts_of
from dianjin_ext.rewards.policy import Policy
from dianjin_ext.rewards.registry import Reward, get_reward, has_reward
from dianjin_ext.rewards.settings import Settings, read_settings

Row = dict[str, float | str]
_HOST_ARGUMENTS = frozenset({"reward_router_address", "reward_model_tokenizer"})


class Grader:
    """Grades responses under fixed settings; may be used in verl in place of `compute_score`.

    Args:
        given: Settings as in `dianjin_ext.rewards.settings.Settings`, and `preset`.

    Raises:
        DianjinError: A setting is not known.
    """

    def __init__(self, given: Mapping[str, Any]) -> None:
        self.settings = read_settings(given)
        self._plans: dict[str, _Plan] = {}
        # verl wants the same keys on every row, also where data sources differ in their components.
        parts = [self.settings, *self.settings.sources.values()]
        names = {name for part in parts for name in part.weights or ()} - {"acc", "format"}
        self._no_components: Row = dict.fromkeys(sorted(names), 0.0)

    def __call__(
        self,
        data_source: str,
        solution_str: str,
        ground_truth: Any,
        extra_info: Mapping[str, Any] | None = None,
        **host: Any,
    ) -> Row:
        """Grade one response; see `dianjin_ext.rewards.compute_score`."""
        if not host.keys() <= _HOST_ARGUMENTS:
            unknown = min(host.keys() - _HOST_ARGUMENTS)
            raise DianjinError(f"{unknown!r} is not an argument of a grader; give it as a setting")
        sample = self.judge_by_rules(data_source, solution_str, ground_truth, extra_info)
        return self.compose(data_source, sample)

    def judge_by_rules(
        self,
        data_source: str,
        solution_str: str,
        ground_truth: Any,
        extra_info: Mapping[str, Any] | None = None,
    ) -> Sample:
        """Return what the reward function of the data source says, before anything is added."""
        plan = self._plan(data_source)
        if not isinstance(solution_str, str):
            raise DianjinError(
                f"{data_source}: solution_str is {type(solution_str).__name__}; "
                "expected the response as text"
            )
        extra_info = extra_info if extra_info is not None else {}
        if not isinstance(extra_info, Mapping):
            raise DianjinError(
                f"{data_source}: extra_info is {type(extra_info).__name__}; expected a mapping"
            )
        row = {"data_source": data_source, "extra_info": extra_info}
        score, judged = plan.grade(solution_str, ground_truth, row, plan.settings)
        if plan.layout is not None or not judged:
            format_, fault = plan.judge_layout(solution_str, ground_truth, row, score, judged)
            score = score._replace(format=format_)
            if plan.settings.gate and not format_:
                score = score._replace(score=0.0, acc=0.0, reason=fault)
        parts = parts_of(solution_str, plan.settings) if plan.components else _NOT_SPLIT
        return Sample(solution_str, parts, score, extra_info)

    def policy(self, data_source: str) -> Policy:
        """Return how responses of a data source are read."""
        return self._plan(data_source).settings

    def reward(self, data_source: str) -> Reward:
        """Return the reward function that grades a data source.

        Raises:
            DianjinError: It has none.
        """
        return self._plan(data_source).reward

    def gold_response(
        self, data_source: str, ground_truth: Any, extra_info: Mapping[str, Any] | None = None
    ) -> str:
        """Return a response in the strict layout that gives the gold answer, and is right.

        For data preparation: a gold answer that fails here would make its row unwinnable in
        training. Right is what the reward function gives 1.0; weights don't count.

        Raises:
            DianjinError: The gold answer can't be used; the message says what was expected.
        """
        gold = listed(ground_truth)
        text = "、".join(map(str, gold)) if isinstance(gold, list | tuple) else str(gold)
        tags = self.policy(data_source).tags
        for answer in (rf"\boxed{{{text}}}", text):
            response = tags.wrap(f"\n{data_source}\n", f"\n{answer}\n")
            sample = self.judge_by_rules(data_source, response, ground_truth, extra_info)
            if sample.score.score == 1.0:
                return response
        choices = (extra_info or {}).get("choices")
        if read_options(choices) is None:
            raise DianjinError(f"{data_source}: choices is {choices!r:.200}; {EXPECTED}")
        among = f"; its options are {choices}" if choices is not None else ""
        raise DianjinError(
            f"{data_source}: the gold answer {ground_truth!r} can't be used; "
            f"expected {self.reward(data_source).gold}{among}"
        )

    def compose(self, data_source: str, sample: Sample) -> Row:
        """Return the row of a sample: its score, and each component by name.

        A component that its data source doesn't have is 0.0.
        """
        plan = self._plan(data_source)
        score = sample.score
        row: Row = {**score._asdict(), **self._no_components}
        if plan.settings.weights is None:
            return row
        total = plan.acc * plan.settings.values.get(score.reason, score.score)
        total += plan.format * score.format
        for name, weight, component in plan.components:
            value = component(sample)
            if not math.isfinite(value):
                raise DianjinError(f"component {name!r} returned {value}; expected a finite number")
            row[name] = value
            total += weight * value
        row["score"] = total
        return row

    def _plan(self, data_source: str) -> "_Plan":
        if not isinstance(data_source, str):
            get_reward(data_source)  # raises
        plan = self._plans.get(data_source)
        if plan is None:
            plan = self._plans[data_source] = _make_plan(self.settings, data_source)
        return plan


class _Plan(NamedTuple):
    """How one data source is graded."""

    name: str
    reward: Reward
    settings: Settings
    layout: Policy | None
    acc: float
    format: float
    components: list[tuple[str, float, Callable[[Sample], float]]]

    def judge_layout(
        self, text: str, gold: Any, row: dict[str, Any], score: Score, judged: bool
    ) -> tuple[float, Reason]:
        """Return the format of a response, and what is wrong with its layout."""
        policy = self.layout or self.settings
        if judged:
            kept, _ = self.grade(text, gold, row, policy)
            return kept.format, kept.reason
        found = extract(text, policy, needs_box=False)
        if found.format and not score.format:  # it demands more than the layout
            return 0.0, score.reason if score.reason != "correct" else "not_boxed"
        return found.format, found.fault

    def grade(
        self, text: str, gold: Any, row: dict[str, Any], policy: Policy
    ) -> tuple[Score, bool]:
        """Return the score, and whether its format is the reward's own verdict on the layout."""
        value = self.reward.function(text, gold, **row, policy=policy)
        return as_score(value, self.name), self.reward.judges_layout and isinstance(value, Score)


_NOT_SPLIT = split("")


def _make_plan(settings: Settings, data_source: str) -> _Plan:
    own = settings.sources.get(data_source, settings)
    name = own.reward or data_source
    if settings.default is not None and not has_reward(name):
        name = settings.default
    layout = None
    if own.layout not in (None, own.strictness):
        layout = own.model_copy(update={"strictness": own.layout})
    weights = dict(own.weights or {})
    acc, format_ = weights.pop("acc", 0.0), weights.pop("format", 0.0)
    components = [(n, weight, _bound(n, own)) for n, weight in sorted(weights.items())]
    return _Plan(data_source, get_reward(name), own, layout, acc, format_, components)


def _bound(name: str, settings: Settings) -> Callable[[Sample], float]:
    component = get_component(name)
    own = settings.components.get(name) or component.settings()
    return lambda sample: float(component.function(sample, own))
