"""Reward functions for TRL's GRPOTrainer and the trainers that share its protocol.

    from dianjin_ext.hosts.trl import reward

    trainer = GRPOTrainer(model, reward_funcs=reward(preset="dianjin_r1"), train_dataset=rows)

The data set has the columns `data_source`, `ground_truth` and, where a reward needs it,
`extra_info`; verl parquet as `dianjin prepare` writes it (`reward_model.ground_truth`) does as it
is, with its conversational `prompt`. TRL itself is not imported.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dianjin_ext.errors import DianjinError
from dianjin_ext.hosts.grading import HostGrader, Response

__all__ = ["reward"]

Completion = str | Sequence[Mapping[str, Any]]
RewardFunction = Callable[..., list[float | None]]

_COLUMNS = {name: name for name in ("data_source", "ground_truth", "extra_info")}


def reward(
    *,
    data_source: str | None = None,
    columns: Mapping[str, str] | None = None,
    max_response_tokens: int | None = None,
    name: str = "dianjin",
    **settings: Any,
) -> RewardFunction:
    """Return a reward function: `f(prompts, completions, **columns) -> list[float | None]`.

    A completion is a text, or a list of messages of which the last one's `content` counts. None,
    which TRL leaves out of the sum, stands for a response that could not be graded: the judge was
    not reached (reason `skipped`), or the reward raised, which is logged. In `extra_info` a reward
    finds `response_tokens` too, where TRL gives `completion_ids`.

    Args:
        data_source: The reward of every row; None reads the column.
        columns: What the data set calls `data_source`, `ground_truth` or `extra_info`, as
            `{"ground_truth": "answer"}`.
        max_response_tokens: TRL's `max_completion_length`, for rewards that look at the length.
        name: TRL logs `rewards/NAME/mean`.
        settings: As for `dianjin_ext.rewards.compute_score`, and `judge`.

    Raises:
        DianjinError: A setting or a key of `columns` is not known. The function raises it when a
            column is missing or a data source has no reward.
    """
    if unknown := sorted((columns or {}).keys() - _COLUMNS):
        raise DianjinError(f"columns: {unknown[0]!r} is not one of {', '.join(_COLUMNS)}")
    names = _COLUMNS | dict(columns or {})
    grader = HostGrader(settings, can_skip=True)
    length = {} if max_response_tokens is None else {"max_response_tokens": max_response_tokens}

    def function(
        prompts: Sequence[Any], completions: Sequence[Completion], **given: Any
    ) -> list[float | None]:
        n = len(completions)
        sources = [data_source] * n if data_source else _column(given, names["data_source"])
        golds = _golds(given, names["ground_truth"])
        extras = given.get(names["extra_info"]) or [None] * n
        tokens = given.get("completion_ids") or [None] * n
        responses = []
        for source, completion, gold, extra, ids in zip(
            sources, completions, golds, extras, tokens, strict=True
        ):
            counted = {} if ids is None else {"response_tokens": len(ids)}
            extra_info = {**(extra or {}), **counted, **length}
            responses.append(Response(source, _text(completion), gold, extra_info))
        return [
            None if row is None or row["reason"] == "skipped" else float(row["score"])
            for row in grader(responses)
        ]

    function.__name__ = name
    return function


def _text(completion: Completion) -> str:
    if isinstance(completion, str):
        return completion
    text = completion[-1].get("content") if completion else ""
    if not isinstance(text, str):
        raise DianjinError(
            f"a completion's last message has the content {text!r:.80}; expected text"
        )
    return text


def _golds(given: Mapping[str, Any], name: str) -> Sequence[Any]:
    if name == "ground_truth" and name not in given and "reward_model" in given:  # verl's layout
        return [row["ground_truth"] for row in given["reward_model"]]
    return _column(given, name)


def _column(given: Mapping[str, Any], name: str) -> Sequence[Any]:
    if name not in given:
        raise DianjinError(
            f"the data set has no column {name!r}; it has {', '.join(sorted(given))}. Name it with "
            "`columns`, or give `data_source` if all rows have the same"
        )
    column: Sequence[Any] = given[name]
    return column
