"""`compute_score_with_judge`: rules first, and a judge for what they leave open.

Under verl:

    reward:
      custom_reward_function:
        path: pkg://dianjin_ext.rewards.judged
        name: compute_score_with_judge
        reward_kwargs:
          judge: {model: qwen-plus, base_url: …}
"""

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dianjin_ext.errors import DianjinError
from dianjin_ext.inference.faults import Outage
from dianjin_ext.rewards.base import Score, verdict, zero
from dianjin_ext.rewards.components import Sample
from dianjin_ext.rewards.format import extract
from dianjin_ext.rewards.judge.cleaning import says_nothing
from dianjin_ext.rewards.judge.prompt import gold_as_asked
from dianjin_ext.rewards.judge.settings import JudgeSettings, read_judge
from dianjin_ext.rewards.policy import Policy
from dianjin_ext.rewards.score import grader_for

if TYPE_CHECKING:
    from dianjin_ext.rewards.judge.judge import Judge

__all__ = ["compute_score_with_judge", "require_judge"]

# A client's connections belong to an event loop.
_judges: dict[asyncio.AbstractEventLoop, dict[Any, "Judge"]] = {}


async def compute_score_with_judge(
    data_source: str,
    solution_str: str,
    ground_truth: Any,
    extra_info: Mapping[str, Any] | None = None,
    *,
    judge: Mapping[str, Any],
    reward_router_address: str | None = None,
    reward_model_tokenizer: Any = None,
    **settings: Any,
) -> dict[str, float | str]:
    """Grade one response as `compute_score` does, and have a judge decide what it leaves open.

    The judge sees the question, the gold answer and the answer that was extracted, never the
    reasoning. It is asked only where the rules say `undecided`, which they do for open answers.

    Args:
        data_source: Name of a registered reward.
        solution_str: The response as the model wrote it, without the prompt.
        ground_truth: The gold answer.
        extra_info: The row's `extra_info`; `question` is the question.
        judge: The fields of `dianjin_ext.rewards.judge.JudgeSettings`.
        reward_router_address: `HOST:PORT` of verl's reward-model router; given by verl.
        reward_model_tokenizer: Given by verl, not used.
        settings: As for `compute_score`.

    Returns:
        The row of `compute_score` and `judged`: 1.0 where the judge decided, else 0.0.

    Raises:
        DianjinError: An unknown data source or setting, a row without a question that is to be
            judged, an endpoint that refuses every request, or an outage under
            `on_outage: raise`. No text of a model makes it raise.
    """
    grader = grader_for(settings)
    judge_settings, its_judge = _judge_for(judge, reward_router_address)
    sample = grader.judge_by_rules(data_source, solution_str, ground_truth, extra_info)
    judged = 0.0
    if sample.score.reason == "undecided":
        policy = grader.policy(data_source)
        score = await _decided(sample, ground_truth, policy, judge_settings, its_judge)
        judged = float(score.reason in ("correct", "wrong"))
        sample = sample._replace(score=score)
    return {**grader.compose(data_source, sample), "judged": judged}


async def close_judges() -> None:
    """Close the connections of the judges that were asked in this event loop."""
    for judge in _judges.pop(asyncio.get_running_loop(), {}).values():
        await judge.close()


def require_judge(judge: Mapping[str, Any]) -> None:
    """Check that a judge could be asked, before there is anything to ask; asks nothing.

    Args:
        judge: As for `compute_score_with_judge`.

    Raises:
        DianjinError: A setting is wrong, the address or the key is missing, its folder can't be
            used, or the extra `judge` is not installed.
    """
    _new_judge(read_judge(judge), None)


async def _decided(
    sample: Sample, ground_truth: Any, policy: Policy, settings: JudgeSettings, judge: "Judge"
) -> Score:
    open_score = sample.score
    answer = extract(sample.text, policy, needs_box=False).text
    if len(answer) > settings.max_answer_chars:
        return open_score
    if says_nothing(answer):
        return zero("no_answer", layout=open_score.format)
    question = sample.extra_info.get("question")
    if not isinstance(question, str) or not question.strip():
        raise DianjinError(
            "the judge needs the question: extra_info has no 'question' that is a text "
            "(dianjin prepare writes it)"
        )
    try:
        said = await judge.decide(question, gold_as_asked(ground_truth), answer)
    except Outage as error:
        if settings.on_outage == "raise":
            raise DianjinError(f"the judge could not be asked: {error}") from error
        if settings.neutral is not None:
            return open_score._replace(score=settings.neutral, acc=0.0, reason="unjudged")
        return zero("skipped", layout=open_score.format, pred=open_score.pred)
    if said not in ("correct", "wrong"):
        return open_score
    return verdict(said == "correct", open_score.pred, layout=open_score.format)


def _judge_for(given: Mapping[str, Any], router: str | None) -> tuple[JudgeSettings, "Judge"]:
    settings = read_judge(given)
    judges = _judges.setdefault(asyncio.get_running_loop(), {})
    judge = judges.get((settings, router))
    if judge is None:
        for loop in list(_judges):
            if loop.is_closed():
                _judges.pop(loop, None)
        judge = judges[settings, router] = _new_judge(settings, router)
    return settings, judge


def _new_judge(settings: JudgeSettings, router: str | None) -> "Judge":
    try:
        from dianjin_ext.rewards.judge.judge import Judge
    except ModuleNotFoundError as error:
        raise DianjinError(
            f"the judge needs {error.name}; pip install 'dianjin-ext[judge]'"
        ) from error
    return Judge(settings, router)
