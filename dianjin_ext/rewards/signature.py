"""How a reward function is called: `(response, ground_truth, **row)`, or as verl calls its own."""

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any

from dianjin_ext.errors import DianjinError

EXPECTED = (
    "def my_reward(response, ground_truth, **row), where row has data_source, extra_info and "
    "policy; or verl's def compute_score(data_source, solution_str, ground_truth, extra_info=None)"
)

_ROW = ("data_source", "extra_info", "policy")
_VERL = ("data_source", "solution_str", "ground_truth", "extra_info")


def callable_with_row(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return `function` so that it can be called as `(response, ground_truth, **row)`.

    Raises:
        DianjinError: It can be called neither so nor as verl calls a reward function.
    """
    name = getattr(function, "__name__", repr(function))
    if not callable(function) or inspect.isclass(function):
        raise DianjinError(f"{name} is no function; expected {EXPECTED}")
    if any(map(inspect.iscoroutinefunction, (function, type(function).__call__))):
        raise DianjinError(f"{name} is async, and a reward is called without awaiting; {EXPECTED}")
    try:
        signature = inspect.signature(function)
    except ValueError:  # of some built-in functions
        return function
    if "solution_str" in signature.parameters:
        keys = dict.fromkeys(_VERL)
        if not _binds(signature, (), keys):
            keys.pop("extra_info")
        if _binds(signature, (), keys):
            return _from_verl(function, with_extra_info="extra_info" in keys)
    elif _binds(signature, ("", None), dict.fromkeys(_ROW)):
        return function
    raise DianjinError(f"{name}{signature} can't be called; expected {EXPECTED}")


def _binds(signature: inspect.Signature, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    try:
        signature.bind(*args, **kwargs)
    except TypeError:
        return False
    return True


def _from_verl(function: Callable[..., Any], *, with_extra_info: bool) -> Callable[..., Any]:
    @wraps(function)
    def call(response: str, ground_truth: Any, **row: Any) -> Any:
        given = {"extra_info": row["extra_info"]} if with_extra_info else {}
        return function(
            data_source=row["data_source"],
            solution_str=response,
            ground_truth=ground_truth,
            **given,
        )

    return call
