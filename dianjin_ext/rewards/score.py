"""`compute_score`, the one grader of training, data and evaluation."""

from collections.abc import Mapping
from typing import Any

from dianjin_ext.rewards.grader import Grader

_SCALARS = frozenset({str, bool, int, float, type(None)})
_HOST_ARGUMENTS = ("reward_router_address", "reward_model_tokenizer")
_graders: dict[Any, tuple[Grader, Any]] = {}


def compute_score(
    data_source: str,
    solution_str: str,
    ground_truth: Any,
    extra_info: Mapping[str, Any] | None = None,
    **settings: Any,
) -> dict[str, float | str]:
    """Grade one response; the signature is that of verl's custom reward functions.

    Thread-safe, linear in the length of the response, and without network, signals or randomness.
    No text of a model makes it raise.

    Args:
        data_source: Name of a registered reward; see `reward_names()`.
        solution_str: The response as the model wrote it, without the prompt.
        ground_truth: The gold answer.
        extra_info: The row's `extra_info`; multiple choice looks for `choices` in it.
        settings: `preset`, or the fields of `dianjin_ext.rewards.settings.Settings`, such as
            `strictness` and `think`. What verl adds to a call is not used.

    Returns:
        The fields of `Score`: `score`, `acc` and `format` (finite floats), `pred` and `reason`
        (short strings), and the components that `weights` names (finite floats). The same keys on
        every row, whatever its data source.

    Raises:
        DianjinError: An unknown data source or setting, or a response that is not text.
    """
    for name in _HOST_ARGUMENTS:
        settings.pop(name, None)
    grader = grader_for(settings)
    return grader(data_source, solution_str, ground_truth, extra_info)


def grader_for(settings: Mapping[str, Any]) -> Grader:
    """Return the grader with these settings, made once and kept."""
    key = _key(settings)
    kept = _graders.get(key)
    if kept is None:
        # Settings that can't be compared by value are known by their identity, so they are kept.
        kept = _graders[key] = (Grader(settings), list(settings.values()))
    return kept[0]


def _key(value: Any) -> Any:
    if type(value) in _SCALARS:
        return value if type(value) is not bool else ("bool", value)
    if type(value) is dict:
        return tuple((name, _key(item)) for name, item in value.items())
    if type(value) in (list, tuple):
        return ("list", *map(_key, value))
    return ("id", id(value))


def gold_response(
    data_source: str, ground_truth: Any, extra_info: Mapping[str, Any] | None = None
) -> str:
    """Return a response that gives the gold answer; see `Grader.gold_response`."""
    return grader_for({}).gold_response(data_source, ground_truth, extra_info)
