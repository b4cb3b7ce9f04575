"""What a reward is put together from, next to whether the answer is right: its components."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeVar

from dianjin_ext.answers.response import Response
from dianjin_ext.errors import DianjinError
from dianjin_ext.rewards.base import Score
from dianjin_ext.rewards.plugins import load_plugins
from dianjin_ext.rewards.policy import Model


class Sample(NamedTuple):
    """One graded response, as a component sees it.

    Attributes:
        text: The response as the model wrote it.
        parts: Its reasoning and its answer.
        score: What the reward function of its data source said.
        extra_info: The row's `extra_info`; under verl's reward manager `dianjin` also
            `response_tokens`, `max_response_tokens` and `truncated`.
    """

    text: str
    parts: Response
    score: Score
    extra_info: Mapping[str, Any]


class NoSettings(Model):
    """For a component that has none."""


ComponentFunction = Callable[[Sample, Any], float]
F = TypeVar("F", bound=ComponentFunction)


class Component(NamedTuple):
    """A registered component and the class of its settings."""

    function: ComponentFunction
    settings: type[Model]


_COMPONENTS: dict[str, Component] = {}
_RESERVED = frozenset({"score", "acc", "format", "pred", "reason", "reward"})


def register_component(name: str, settings: type[Model] = NoSettings) -> Callable[[F], F]:
    """Register a component, so that `weights` and `components` may name it.

    The function is called as `function(sample, settings)` and returns a finite number. It must be
    thread-safe and quick, and must take any text.

    Args:
        name: The name of its weight, and of its key in every result.
        settings: What may stand under `components.NAME`; every field has a default.

    Raises:
        DianjinError: The name is taken.
    """

    def register(function: F) -> F:
        if name in _RESERVED or name in _COMPONENTS:
            raise DianjinError(
                f"component {name!r} is taken; choose another name than "
                f"{', '.join(sorted(_RESERVED | _COMPONENTS.keys()))}"
            )
        _COMPONENTS[name] = Component(function, settings)
        return function

    return register


def get_component(name: str) -> Component:
    """Return a registered component.

    Raises:
        DianjinError: The name is not registered; the message lists those that are.
    """
    if name not in _COMPONENTS and name not in component_names():
        raise DianjinError(
            f"component {name!r} is not known; known: {', '.join(component_names())}"
        )
    return _COMPONENTS[name]


def component_names() -> list[str]:
    """Return the names that `weights` may use next to `acc` and `format`, sorted."""
    load_plugins()
    return sorted(_COMPONENTS)
