"""`compute_score`, the one grader of training, data and evaluation, and the check of gold."""

from collections.abc import Mapping
from typing import Any

from dianjin_ext.errors import DianjinError
from dianjin_ext.rewards.base import as_score, make_policy
from dianjin_ext.rewards.registry import get_reward

_HOST_ARGUMENTS = frozenset({"reward_router_address", "reward_model_tokenizer"})


def compute_score(
    data_source: str,
    solution_str: str,
    ground_truth: Any,
    extra_info: Mapping[str, Any] | None = None,
    *,
    strictness: str = "strict",
    think: str | bool = "auto",
    **kwargs: Any,
) -> dict[str, float | str]:
    """Grade one response; the signature is that of verl's custom reward functions.

    Thread-safe, linear in the length of the response, and without network, signals or randomness.
    No text of a model makes it raise.

    Args:
        data_source: Name of a registered reward; see `reward_names()`.
        solution_str: The response as the model wrote it, without the prompt.
        ground_truth: The gold answer.
        extra_info: The row's `extra_info`; multiple choice looks for `choices` in it.
        strictness: `strict`, `lenient` or `dianjin`; see `dianjin_ext.rewards.format`.
        think: Whether the prompt ended with `<think>`: `auto`, `true` or `false`; see
            `dianjin_ext.answers.split`.
        kwargs: What verl adds to a call, `reward_router_address` and `reward_model_tokenizer`; not
            used. Anything else is refused.

    Returns:
        The fields of `Score`: `score`, `acc` and `format` (finite floats), `pred` and `reason`
        (short strings). The same keys on every row.

    Raises:
        DianjinError: An unknown data source, policy or keyword, or a response that is not text.
    """
    unknown = kwargs.keys() - _HOST_ARGUMENTS
    if unknown:
        raise DianjinError(
            f"compute_score got the unknown key {min(unknown)!r}; "
            "known: strictness, think (see reward.custom_reward_function.reward_kwargs)"
        )
    policy = make_policy(strictness, think)
    reward = get_reward(data_source)
    if not isinstance(solution_str, str):
        raise DianjinError(
            f"{data_source}: solution_str is {type(solution_str).__name__}; "
            "expected the response as text"
        )
    value = reward.function(
        solution_str,
        ground_truth,
        data_source=data_source,
        extra_info=extra_info if extra_info is not None else {},
        policy=policy,
    )
    return as_score(value, data_source)._asdict()


def gold_response(
    data_source: str, ground_truth: Any, extra_info: Mapping[str, Any] | None = None
) -> str:
    """Return a response that gives the gold answer in the strict layout, and scores 1.0.

    For data preparation: a gold answer that fails here would make its row unwinnable in training.

    Raises:
        DianjinError: The gold answer can't be used; the message says what was expected.
    """
    gold = ground_truth.tolist() if hasattr(ground_truth, "tolist") else ground_truth
    text = "、".join(map(str, gold)) if isinstance(gold, list | tuple) else str(gold)
    for answer in (rf"\boxed{{{text}}}", text):
        response = f"<think>\n{data_source}\n</think>\n<answer>\n{answer}\n</answer>"
        if compute_score(data_source, response, ground_truth, extra_info)["score"] == 1.0:
            return response
    choices = (extra_info or {}).get("choices")
    among = f"; its options are {choices}" if choices else ""
    raise DianjinError(
        f"{data_source}: the gold answer {ground_truth!r} can't be used; "
        f"expected {get_reward(data_source).gold}{among}"
    )
