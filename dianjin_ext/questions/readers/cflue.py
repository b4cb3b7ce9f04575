"""CFLUE's knowledge questions: exams of the financial trades, with explanations."""

import ast
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from dianjin_ext.questions.letters import LETTERS
from dianjin_ext.questions.question import Question
from dianjin_ext.questions.readers.base import BadFieldError, Reader, mapping, text

_KINDS = {"单项选择题": "single", "多项选择题": "multiple", "判断题": "true_false"}
_PLACEHOLDERS = {"", "略", "无", "暂无", "暂无解析"}  # "omitted", "none": no explanation
_MAX_LITERAL = 20_000  # the longest published one has under 1,000 characters


def parse(row: Any, file: Path) -> Iterator[Question]:
    """Yield the question of a row; its category is `single`, `multiple` or `true_false`."""
    row = mapping(row)
    task = text(row, "task")
    if task not in _KINDS:
        raise BadFieldError("task", f"expected one of {', '.join(_KINDS)}, found {task!r}")
    kind = _KINDS[task]
    choices = _choices(row.get("choices"))
    analysis = row.get("analysis")
    if analysis is not None and not isinstance(analysis, str):
        raise BadFieldError("analysis", f"expected text or null, found {type(analysis).__name__}")
    yield Question(
        data_source="cflue_mcq",
        question=text(row, "question"),
        kind="choice",
        answer=_answer(text(row, "answer"), choices, kind),
        choices=choices,
        multiple=kind == "multiple",
        category=kind,
        reasoning=explanation(analysis),
    )


def explanation(analysis: str | None) -> str | None:
    """Return an explanation; None for one that only says that there is none (略)."""
    given = (analysis or "").strip()
    return None if given.strip("。.，, ") in _PLACEHOLDERS else given


def _choices(value: Any) -> dict[str, str]:
    """Read the options, which CFLUE publishes as the text of a Python dictionary."""
    if isinstance(value, str) and len(value) <= _MAX_LITERAL:
        # What is no literal is told below, together with other types.
        with suppress(ValueError, SyntaxError, MemoryError, RecursionError):
            value = ast.literal_eval(value.strip())
    if not isinstance(value, dict):
        raise BadFieldError(
            "choices", f"expected {{'A': '…', 'B': '…'}} as text, found {str(value)[:60]!r}"
        )
    if not 2 <= len(value) <= len(LETTERS) or list(value) != list(LETTERS[: len(value)]):
        raise BadFieldError(
            "choices", f"expected the letters A, B, … in order, found {list(value)}"
        )
    for letter, option in value.items():
        if not isinstance(option, str) or not option.strip():
            raise BadFieldError("choices", f"expected text for option {letter}, found {option!r}")
    return {letter: option.strip() for letter, option in value.items()}


def _answer(answer: str, choices: Mapping[str, str], kind: str) -> str:
    letters = set(answer)
    if not letters <= set(choices) or len(letters) != len(answer):
        raise BadFieldError(
            "answer", f"expected different letters of {''.join(choices)}, found {answer!r}"
        )
    if kind != "multiple" and len(answer) > 1:
        raise BadFieldError("answer", f"expected one letter for this task, found {answer!r}")
    return "".join(sorted(letters))


READER = Reader(
    name="cflue",
    about="exam questions of the financial trades, with explanations",
    url="https://github.com/aliyun/cflue",
    files="data/knowledge/knowledge.json",
    licence="CC BY-NC-SA 4.0",
    language="zh",
    parse=parse,
)
