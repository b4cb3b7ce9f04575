"""The names of data sources and the reward function of each."""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from dianjin_ext.errors import DianjinError
from dianjin_ext.rewards.plugins import load_plugins
from dianjin_ext.rewards.signature import callable_with_row

RewardFunction = Callable[..., Any]
F = TypeVar("F", bound=RewardFunction)


class Reward(NamedTuple):
    """A registered reward function.

    Attributes:
        function: As it is called, `function(response, ground_truth, **row)`.
        gold: What its gold answers look like, in words.
        judges_layout: Whether the format of its scores is its own verdict; else the layout is
            judged for it.
    """

    function: RewardFunction
    gold: str
    judges_layout: bool = False


_REWARDS: dict[str, Reward] = {}


def register_reward(
    *names: str, gold: str = "a gold answer that it can read", judges_layout: bool = False
) -> Callable[[F], F]:
    """Register a reward function under one or more values of verl's `data_source`.

    The function is called as `function(response, ground_truth, **row)`, where `response` is the
    text of the model, and `row` has `data_source`, `extra_info` (a dict, empty when the row has
    none) and `policy` (a `Policy`); one with verl's own arguments, `data_source`, `solution_str`,
    `ground_truth` and `extra_info`, is called with these. It returns a `Score`, or as a short cut a
    finite number, or a mapping with `score` as verl's functions may. It must be thread-safe, and
    quick: training waits for it.

        @register_reward("my/desk_notes")
        def desk_notes(response, ground_truth, **row):
            return float(ground_truth in response)

    Args:
        names: The data sources, for example `my/desk_notes`.
        gold: What the gold answers look like; completes messages that begin with "expected".
        judges_layout: The function returns a `Score` whose format is its own verdict on the layout,
            such as that of `dianjin_ext.rewards.format.extract`. Without it the layout is judged
            for it, as for an open answer: no box is needed.

    Raises:
        DianjinError: No name was given, one is taken already, or the function can't be called.
    """
    if not names or not all(isinstance(name, str) and name for name in names):
        raise DianjinError(
            'register_reward needs the data sources it is for: @register_reward("my/desk_notes")'
        )

    def register(function: F) -> F:
        taken = [name for name in names if name in _REWARDS]
        if taken:
            raise DianjinError(
                f"reward {taken[0]!r} is registered already; choose another name than "
                f"{', '.join(reward_names())}"
            )
        called = callable_with_row(function)
        _REWARDS.update(dict.fromkeys(names, Reward(called, gold, judges_layout)))
        return function

    return register


def get_reward(name: str) -> Reward:
    """Return the reward function of a data source.

    Raises:
        DianjinError: The name is not registered; the message lists those that are.
    """
    if not has_reward(name):
        failed = "".join(
            f" The plug-in {plugin!r} failed: {why}." for plugin, why in load_plugins().items()
        )
        raise DianjinError(
            f"data_source {name!r} has no reward; known: {', '.join(reward_names())}. "
            "Register your own with dianjin_ext.register_reward in a file and name it "
            "(--rewards FILE.py, reward_kwargs.rewards), or name one of these as `default`."
            + failed
        )
    return _REWARDS[name]


def has_reward(name: str) -> bool:
    """Return whether a data source has a reward function."""
    if not isinstance(name, str):
        return False
    if name not in _REWARDS:
        load_plugins()
    return name in _REWARDS


def snapshot() -> dict[str, Reward]:
    """Return what is registered now."""
    return dict(_REWARDS)


def restore(rewards: dict[str, Reward]) -> None:
    """Make `rewards` what is registered: undoes a file that failed half-way."""
    _REWARDS.clear()
    _REWARDS.update(rewards)


def reward_names() -> list[str]:
    """Return the registered data sources, sorted."""
    load_plugins()
    return sorted(_REWARDS)
