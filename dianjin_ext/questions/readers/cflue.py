"""CFLUE's knowledge questions (https://github.com/aliyun/cflue, data/knowledge/knowledge.json)."""

import ast
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from dianjin_ext.questions.letters import LETTERS
from dianjin_ext.questions.readers.base import BadRow, MultipleChoice, load_json_rows

_KINDS = {"单项选择题": "single", "多项选择题": "multiple", "判断题": "true_false"}
_PLACEHOLDERS = {"", "略", "无", "暂无", "暂无解析"}  # "omitted", "none": no explanation
_MAX_LITERAL = 20_000  # the longest published one has under 1,000 characters


class _BadFieldError(ValueError):
    def __init__(self, field: str, expected: str) -> None:
        super().__init__(field, expected)
        self.field, self.expected = field, expected


def read(path: Path) -> tuple[list[MultipleChoice], list[BadRow]]:
    """Read every row of the file.

    Returns:
        The good rows and the bad ones, each in the order of the file.

    Raises:
        DianjinError: The file as a whole cannot be read.
    """
    questions: list[MultipleChoice] = []
    bad: list[BadRow] = []
    for index, row in enumerate(load_json_rows(path)):
        try:
            questions.append(_question(index, row))
        except _BadFieldError as error:
            bad.append(BadRow(index, error.field, error.expected))
    return questions, bad


def _question(index: int, row: Any) -> MultipleChoice:
    if not isinstance(row, Mapping):
        raise _BadFieldError("row", f"expected an object, found {type(row).__name__}")
    task = _text(row, "task")
    if task not in _KINDS:
        raise _BadFieldError("task", f"expected one of {', '.join(_KINDS)}, found {task!r}")
    choices = _choices(row.get("choices"))
    analysis = row.get("analysis")
    if analysis is not None and not isinstance(analysis, str):
        raise _BadFieldError("analysis", f"expected text or null, found {type(analysis).__name__}")
    return MultipleChoice(
        index=index,
        question=_text(row, "question"),
        choices=choices,
        answer=_answer(_text(row, "answer"), choices, _KINDS[task]),
        kind=_KINDS[task],
        reasoning=_reasoning(analysis),
    )


def _text(row: Mapping[str, Any], field: str) -> str:
    value = row.get(field)
    if not isinstance(value, str) or not value.strip():
        found = "nothing" if value is None or value == "" else repr(value)[:60]
        raise _BadFieldError(field, f"expected text, found {found}")
    return value.strip()


def _choices(value: Any) -> dict[str, str]:
    """Read the options, which CFLUE publishes as the text of a Python dictionary."""
    if isinstance(value, str) and len(value) <= _MAX_LITERAL:
        # What is no literal is told below, together with other types.
        with suppress(ValueError, SyntaxError, MemoryError, RecursionError):
            value = ast.literal_eval(value.strip())
    if not isinstance(value, dict):
        raise _BadFieldError(
            "choices", f"expected {{'A': '…', 'B': '…'}} as text, found {str(value)[:60]!r}"
        )
    if not 2 <= len(value) <= len(LETTERS) or list(value) != list(LETTERS[: len(value)]):
        raise _BadFieldError(
            "choices", f"expected the letters A, B, … in order, found {list(value)}"
        )
    for letter, text in value.items():
        if not isinstance(text, str) or not text.strip():
            raise _BadFieldError("choices", f"expected text for option {letter}, found {text!r}")
    return {letter: text.strip() for letter, text in value.items()}


def _answer(answer: str, choices: Mapping[str, str], kind: str) -> str:
    letters = set(answer)
    if not letters <= set(choices) or len(letters) != len(answer):
        raise _BadFieldError(
            "answer", f"expected different letters of {''.join(choices)}, found {answer!r}"
        )
    if kind != "multiple" and len(answer) > 1:
        raise _BadFieldError("answer", f"expected one letter for this task, found {answer!r}")
    return "".join(sorted(letters))


def _reasoning(analysis: str | None) -> str | None:
    text = (analysis or "").strip()
    return None if text.strip("。.，, ") in _PLACEHOLDERS else text
