"""The components `length` and `overlong`: rewards for the length of a response, in tokens.

Both need `response_tokens` in the row's `extra_info`, and `max_response_tokens` where `max_tokens`
is not set. verl's reward manager `dianjin` gives both. Characters never stand in for tokens: one
token is four characters of English, and one or two of Chinese.
"""

import math
from typing import Any, Final, Self

from pydantic import Field, PositiveFloat, PositiveInt, model_validator

from dianjin_ext.errors import DianjinError
from dianjin_ext.rewards.base import Reason
from dianjin_ext.rewards.components import Sample, register_component
from dianjin_ext.rewards.policy import Model

_NOT_KNOWN: Final[frozenset[Reason]] = frozenset(
    {"undecided", "unjudged", "skipped", "gold_unusable", "error", "timeout"}
)
_DAPO_SHARE: Final = 4096 / 20480


class LengthSettings(Model):
    """The cosine's ends. The defaults but `exceeded` are those of open-r1.

    Attributes:
        correct_short: The value of a right answer of no length.
        correct_long: The value of a right answer just below the limit.
        wrong_short: The value of a wrong answer of no length.
        wrong_long: The value of a wrong answer just below the limit.
        exceeded: The value of any answer at the limit or beyond, so that rambling on until it is
            cut off is not the best that a wrong answer can do.
        max_tokens: The limit. None takes `max_response_tokens`.
    """

    correct_short: float = 1.0
    correct_long: float = 0.5
    wrong_short: float = -1.0
    wrong_long: float = -0.5
    exceeded: float = -1.0
    max_tokens: PositiveInt | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        low, high = self.wrong_short, self.correct_short
        if not (low <= self.wrong_long <= self.correct_long <= high):
            raise ValueError(
                "expected wrong_short <= wrong_long <= correct_long <= correct_short, "
                f"found {low}, {self.wrong_long}, {self.correct_long}, {high}"
            )
        if self.exceeded > self.wrong_long:
            raise ValueError(
                f"expected exceeded <= wrong_long, found {self.exceeded} and {self.wrong_long}"
            )
        return self


@register_component("length", LengthSettings)
def cosine_length(sample: Sample, settings: LengthSettings) -> float:
    """Return the cosine length reward: short is better if right, long is better if wrong.

    With L tokens, a limit of M and the ends s (short) and l (long) it is
    `l + (s - l) * (1 + cos(pi * L / M)) / 2`: Yeo et al. 2025, "Demystifying Long Chain-of-Thought
    Reasoning in LLMs", arXiv:2502.03373, appendix C.1. It is 0 where nobody knows whether the
    answer is right: the judge has not decided, or the gold answer can't be used.

    Raises:
        DianjinError: The row does not say how many tokens the response has.
    """
    length, limit = _tokens(sample, "length", settings.max_tokens)
    if sample.score.reason in _NOT_KNOWN:
        return 0.0
    if length >= limit:
        return settings.exceeded
    if sample.score.acc:
        short, long = settings.correct_short, settings.correct_long
    else:
        short, long = settings.wrong_short, settings.wrong_long
    return long + (short - long) * (1.0 + math.cos(math.pi * length / limit)) / 2.0


class OverlongSettings(Model):
    """Where the punishment begins, and how far it goes.

    Attributes:
        buffer_tokens: Tokens before the limit over which it grows. None takes a fifth of the limit,
            as DAPO does (4,096 of 20,480).
        factor: The punishment at the limit is minus this.
        max_tokens: The limit. None takes `max_response_tokens`.
    """

    buffer_tokens: PositiveInt | None = None
    factor: PositiveFloat = 1.0
    max_tokens: PositiveInt | None = Field(default=None)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.max_tokens and self.buffer_tokens and self.buffer_tokens > self.max_tokens:
            raise ValueError(
                f"expected buffer_tokens <= max_tokens, found {self.buffer_tokens} and "
                f"{self.max_tokens}"
            )
        return self


@register_component("overlong", OverlongSettings)
def soft_overlong(sample: Sample, settings: OverlongSettings) -> float:
    """Return DAPO's soft overlong punishment (arXiv:2503.14476, equation 13).

    0 up to the buffer, from there on a straight line down to `-factor` at the limit, and `-factor`
    beyond.

    Raises:
        DianjinError: The row does not say how many tokens the response has, or the buffer is longer
            than the limit.
    """
    length, limit = _tokens(sample, "overlong", settings.max_tokens)
    buffer = settings.buffer_tokens or limit * _DAPO_SHARE
    if buffer > limit:
        raise DianjinError(
            f"components.overlong.buffer_tokens is {buffer}, more than the {limit} tokens that a "
            "response may have; make it smaller, or leave it out for a fifth of them"
        )
    over = length - (limit - buffer)
    return -settings.factor * min(over / buffer, 1.0) if over > 0 else 0.0


def _tokens(sample: Sample, name: str, limit: int | None) -> tuple[int, int]:
    """Return the length of a response and its limit, in tokens."""
    length = _count(sample, name, "response_tokens", 0)
    return length, limit or _count(sample, name, "max_response_tokens", 1)


def _count(sample: Sample, name: str, key: str, least: int) -> int:
    given: Any = sample.extra_info.get(key)
    try:
        count = int(given)
        if count == given and count >= least:
            return count
    except (TypeError, ValueError, OverflowError):
        pass
    setting = f", or set components.{name}.max_tokens" if key == "max_response_tokens" else ""
    raise DianjinError(
        f"component {name!r}: extra_info[{key!r}] is {given!r}; expected a whole number of tokens, "
        f"at least {least}. In verl, reward.reward_manager.name=dianjin gives it; elsewhere, put "
        f"it into the row's extra_info{setting}"
    )
