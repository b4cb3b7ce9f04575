"""The names of data sources and the reward function of each."""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from dianjin_ext.errors import DianjinError
from dianjin_ext.rewards.plugins import load_plugins

RewardFunction = Callable[..., Any]
F = TypeVar("F", bound=RewardFunction)


class Reward(NamedTuple):
    """A registered reward function, and what its gold answers look like, in words."""

    function: RewardFunction
    gold: str


_REWARDS: dict[str, Reward] = {}


def register_reward(*names: str, gold: str = "a gold answer that it can read") -> Callable[[F], F]:
    """Register a reward function under one or more values of verl's `data_source`.

    The function is called as `function(response, ground_truth, **row)`, where `response` is the
    text of the model, and `row` has `data_source`, `extra_info` (a dict, empty when the row has
    none) and `policy` (a `Policy`). It returns a `Score`, or a finite number as a short cut. It
    must be thread-safe, and quick: training waits for it.

        @register_reward("my/desk_notes")
        def desk_notes(response, ground_truth, **row):
            return float(ground_truth in response)

    Args:
        names: The data sources, for example `my/desk_notes`.
        gold: What the gold answers look like; completes messages that begin with "expected".

    Raises:
        DianjinError: No name was given, or one is taken already.
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
        _REWARDS.update(dict.fromkeys(names, Reward(function, gold)))
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
            "Register your own with dianjin_ext.register_reward, or name one as `default`." + failed
        )
    return _REWARDS[name]


def has_reward(name: str) -> bool:
    """Return whether a data source has a reward function."""
    if not isinstance(name, str):
        return False
    if name not in _REWARDS:
        load_plugins()
    return name in _REWARDS


def reward_names() -> list[str]:
    """Return the registered data sources, sorted."""
    load_plugins()
    return sorted(_REWARDS)
