"""The names of data sources and the reward function of each."""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from dianjin_ext.errors import DianjinError

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
    reward = _REWARDS.get(name) if isinstance(name, str) else None
    if reward is None:
        raise DianjinError(
            f"data_source {name!r} has no reward; known: {', '.join(reward_names())}. "
            "Register your own with dianjin_ext.register_reward."
        )
    return reward


def reward_names() -> list[str]:
    """Return the registered data sources, sorted."""
    return sorted(_REWARDS)
