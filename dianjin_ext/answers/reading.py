"""What a reader found: a value, or the reason why there is none."""

from typing import Final, Generic, Literal, NamedTuple, TypeVar

T = TypeVar("T")

Fault = Literal["", "no_answer", "ambiguous"]

MAX_LENGTH: Final = 2000
"""Characters; a longer text is not read as letters, a number or a label."""


class Reading(NamedTuple, Generic[T]):
    """The result of a reader.

    Attributes:
        value: What was read; None when nothing was.
        fault: Empty when `value` was read; `ambiguous` when the text gives several answers that
            contradict each other; `no_answer` for everything else that can't be read.
    """

    value: T | None
    fault: Fault = ""
