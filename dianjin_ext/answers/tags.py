"""Which marks a model's layout has: the pairs around its reasoning and around its answer."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

Pair = tuple[str, str]


class Tags(NamedTuple):
    """The marks of one layout.

    Attributes:
        think: What opens and closes the reasoning.
        answer: What opens and closes the answer; None where the answer is what follows the
            reasoning. A closing mark that is empty: the answer ends with the response.
    """

    think: Pair
    answer: Pair | None

    @property
    def marks(self) -> tuple[str, ...]:
        """All of them."""
        return tuple(filter(None, (*self.think, *(self.answer or ()))))

    def wrap(self, think: str, answer: str) -> str:
        """Return a response in this layout."""
        opening, closing = self.answer or ("", "")
        return f"{self.think[0]}{think}{self.think[1]}\n{opening}{answer}{closing}"


DIANJIN_R1: Final = Tags(("<think>", "</think>"), ("<answer>", "</answer>"))

TAGS: Final[Mapping[str, Tags]] = MappingProxyType(
    {
        # DianJin-R1, Fin-R1, DeepSeek-R1-Zero: both blocks.
        "dianjin_r1": DIANJIN_R1,
        # Qwen3, QwQ, DeepSeek-R1, GLM: the answer follows the reasoning.
        "think_only": Tags(("<think>", "</think>"), None),
        # gpt-oss (https://github.com/openai/harmony).
        "channels": Tags(
            ("<|channel|>analysis<|message|>", "<|end|>"),
            ("<|start|>assistant<|channel|>final<|message|>", ""),
        ),
    }
)
"""The layouts that have a name."""


def read_tags(value: Any) -> Tags:
    """Return the layout that a setting names or spells out: `{think: [a, b], answer: [c, d]}`.

    Raises:
        ValueError: It is none; the message says what was expected.
    """
    if isinstance(value, Tags):
        return value
    if isinstance(value, str):
        if value not in TAGS:
            raise ValueError(f"layout {value!r} is not known; known: {', '.join(TAGS)}")
        return TAGS[value]
    if isinstance(value, list | tuple) and len(value) == 2:  # as a setting is handed on
        value = dict(zip(("think", "answer"), value, strict=True))
    if not isinstance(value, Mapping) or not value.keys() <= {"think", "answer"}:
        raise ValueError(
            f"expected one of {', '.join(TAGS)}, or think: [opening, closing] and answer: "
            "[opening, closing] or null"
        )
    think, answer = value.get("think"), value.get("answer")
    tags = Tags(_pair(think, "think"), None if answer is None else _pair(answer, "answer"))
    for index, mark in enumerate(tags.marks):
        if any(mark in other for i, other in enumerate(tags.marks) if i != index):
            raise ValueError(f"{mark!r} is part of another mark; marks must differ")
    return tags


def _pair(value: Any, name: str) -> Pair:
    if (
        not isinstance(value, list | tuple)
        or len(value) != 2
        or not all(isinstance(mark, str) and mark.strip() for mark in value)
    ):
        raise ValueError(f"{name} is {value!r}; expected [opening mark, closing mark]")
    return value[0], value[1]
