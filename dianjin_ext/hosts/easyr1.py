"""The batch reward function of EasyR1 (https://github.com/hiyouga/EasyR1).

EasyR1 loads a file by its path, so give it this one, which

    python -c "import dianjin_ext.hosts.easyr1 as m; print(m.__file__)"

prints, with the name of the function behind a colon:

    worker:
      reward:
        reward_function: /path/to/dianjin_ext/hosts/easyr1.py:compute_score
        reward_function_kwargs: {data_source: cflue_mcq, preset: dianjin_r1}

EasyR1 passes on nothing of a row but its answer column (`data.answer_key`). Where rows have several
data sources, or the reward needs `extra_info`, that column holds all three as an object or as the
text of one: `{"data_source": …, "ground_truth": …, "extra_info": {…}}`; leave `data_source` out of
the settings then.
"""

import json
from collections.abc import Mapping
from typing import Any

from dianjin_ext.errors import DianjinError
from dianjin_ext.hosts.grading import HostGrader, Response

__all__ = ["REWARD_NAME", "REWARD_TYPE", "compute_score"]

REWARD_NAME = "dianjin"
REWARD_TYPE = "batch"

_NAMES = {"score": "overall", "acc": "accuracy"}
_graders: dict[str, HostGrader] = {}


def compute_score(
    reward_inputs: list[dict[str, Any]],
    *,
    data_source: str | None = None,
    max_response_tokens: int | None = None,
    **settings: Any,
) -> list[dict[str, float]]:
    """Grade a batch.

    Args:
        reward_inputs: Dicts with `response` (text), `response_length` (tokens) and `ground_truth`.
        data_source: The reward of every row; None reads it from `ground_truth`.
        max_response_tokens: EasyR1's `data.max_response_length`, for rewards that look at it.
        settings: As for `dianjin_ext.rewards.compute_score`, and `judge`.

    Returns:
        For each row `overall` (the score), `accuracy`, `format` and the components that `weights`
        names, all finite floats and the same keys on every row: EasyR1 takes their means. A row
        whose reward raised, which is logged, has zeros.

    Raises:
        DianjinError: An unknown setting or data source, or a `ground_truth` without one.
    """
    grader = _grader(repr(sorted(settings.items())), settings)
    responses = []
    for given in reward_inputs:
        source, gold, extra_info = _row(given["ground_truth"], data_source)
        extra_info["response_tokens"] = given["response_length"]
        if max_response_tokens is not None:
            extra_info["max_response_tokens"] = max_response_tokens
        responses.append(Response(source, given["response"], gold, extra_info))
    graded = [
        {_NAMES.get(k, k): v for k, v in (row or {}).items() if not isinstance(v, str)}
        for row in grader(responses)
    ]
    names = {"overall": 0.0, "accuracy": 0.0, "format": 0.0}
    for scores in graded:
        names |= dict.fromkeys(scores, 0.0)
    return [names | scores for scores in graded]


def _grader(key: str, settings: Mapping[str, Any]) -> HostGrader:
    if key not in _graders:
        _graders[key] = HostGrader(settings, can_skip=False)
    return _graders[key]


def _row(gold: Any, data_source: str | None) -> tuple[str, Any, dict[str, Any]]:
    if data_source is not None:
        return data_source, gold, {}
    row = gold
    if isinstance(gold, str):
        try:
            row = json.loads(gold)
        except ValueError:
            row = None
    if not isinstance(row, Mapping) or not {"data_source", "ground_truth"} <= row.keys():
        raise DianjinError(
            f"ground_truth is {gold!r:.80}; expected an object with data_source and ground_truth, "
            "or data_source among the reward_function_kwargs"
        )
    return row["data_source"], row["ground_truth"], dict(row.get("extra_info") or {})
