"""The mapping of a file of one's own: which column is what (`dianjin prepare own --map`)."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from dianjin_ext.errors import DianjinError
from dianjin_ext.questions.letters import LETTERS
from dianjin_ext.questions.question import Kind, Language
from dianjin_ext.questions.rows import FileOptions
from dianjin_ext.yaml_keys import UniqueTexts

DATA_SOURCES: Mapping[Kind, str] = {
    "choice": "choice",
    "number": "numeric",
    "label": "label",
    "open": "exact",
}
"""The reward of each kind of answer, where a mapping names none."""


class OwnMapping(BaseModel):
    """Which column is what, and what the file doesn't say.

    Attributes:
        question: Column of the question.
        answer: Column of the gold answer; None for questions without one.
        kind: `choice`, `number`, `label` or `open`.
        choices: Option letter to its column; or one column with all options, as letter to text or a
            list, in JSON.
        multiple: Whether several options may be right; `{column: 多选}` where that differs from row
            to row; None where it is open.
        labels: The closed set of answers; may be left out where they are words for yes and no,
            compliance or sentiment.
        answers: What stands in the file to the gold answer meant, such as `{"1": 是, "0": 否}`.
        scale: In what the numbers are meant, such as `万元`, or `{column: 单位}`.
        context: Column or columns of what the question is about, in this order.
        reasoning: Column of the way to the answer.
        id: Column of a name that each row has for itself.
        category: Column of the subject or task.
        split: Column that says `train`, `val` or `test`.
        language: Of the questions; None to tell it of each.
        data_source: Name of the reward; None for `DATA_SOURCES`.
        licence: Of the data.
        encoding: Of text files; empty for UTF-8, or for CSV that isn't, UTF-16 by its mark or
            GB18030.
        delimiter: Of CSV, one character or `tab`; empty for the one that the first line has most
            of.
        sheet: Of a spreadsheet; empty for the first that isn't hidden.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    question: str
    answer: str | None = None
    kind: Kind
    choices: dict[str, str] | str | None = None
    multiple: bool | dict[str, str] | None = None
    labels: tuple[str, ...] = ()
    answers: dict[str, str] = {}
    scale: str | dict[str, str] | None = None
    context: tuple[str, ...] = ()
    reasoning: str | None = None
    id: str | None = None
    category: str | None = None
    split: str | None = None
    language: Language | None = None
    data_source: str | None = None
    licence: str = ""
    encoding: str = ""
    delimiter: str = ""
    sheet: str = ""

    @field_validator("context", mode="before")
    @classmethod
    def _one_or_several(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value

    @field_validator("choices")
    @classmethod
    def _letters(cls, value: Any) -> Any:
        if isinstance(value, dict) and list(value) != list(LETTERS[: len(value)]):
            raise ValueError("expected the letters A, B, … in order")
        return value

    @field_validator("scale")
    @classmethod
    def _scale(cls, value: Any) -> Any:
        if isinstance(value, dict) and list(value) != ["column"]:
            raise ValueError("expected a scale such as 万元, or {column: 单位}")
        return value

    @field_validator("multiple")
    @classmethod
    def _multiple(cls, value: Any) -> Any:
        if isinstance(value, dict) and list(value) != ["column"]:
            raise ValueError("expected true or false, or {column: 多选}")
        return value

    @field_validator("delimiter")
    @classmethod
    def _one_character(cls, value: str) -> str:
        value = "\t" if value in ("tab", "\\t") else value
        if value and (len(value) > 1 or value in '\r\n"'):
            raise ValueError("expected one character such as ; or the word tab")
        return value

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, value: str) -> str:
        try:
            "".encode(value or "utf-8")
        except (LookupError, UnicodeError):
            raise ValueError("expected an encoding such as gb18030 or utf-16") from None
        return value

    @property
    def columns(self) -> dict[str, str]:
        """Each key of the mapping that names a column, with the column; `choices.A` for options."""
        named = {name: getattr(self, name) for name in _COLUMN_KEYS}
        named |= {f"context.{i}": column for i, column in enumerate(self.context)}
        if isinstance(self.choices, dict):
            named |= {f"choices.{letter}": column for letter, column in self.choices.items()}
        else:
            named["choices"] = self.choices
        for key in ("scale", "multiple"):
            if isinstance(value := getattr(self, key), dict):
                named[f"{key}.column"] = value["column"]
        return {key: column for key, column in named.items() if column is not None}

    @property
    def file_options(self) -> FileOptions:
        """What the files don't say themselves."""
        return FileOptions(self.encoding, self.delimiter, self.sheet)


_EXPECTED = {
    "string_type": "a text",
    "tuple_type": "a list such as [是, 否]",
    "dict_type": "keys with a value each, such as {A: 选项A, B: 选项B}",
    "bool_parsing": "true or false",
}
_COLUMN_KEYS = ("question", "answer", "reasoning", "id", "category", "split")


def load_mapping(path: Path) -> OwnMapping:
    """Read a mapping from YAML; every value is taken as text (`yes`, `1`, `TRUE` as they stand).

    Raises:
        DianjinError: The file can't be read, or a key or a value is not known.
    """
    try:
        content = yaml.load(path.read_text(encoding="utf-8-sig"), Loader=UniqueTexts)
    except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError) as error:
        why = " ".join(str(error).split())
        raise DianjinError(f"{path}: can't be read as YAML: {why}") from error
    if not isinstance(content, dict):
        raise DianjinError(
            f"{path}: expected keys such as `question: 题目`, found {type(content).__name__}; "
            "--guess writes such a file"
        )
    given = {key: value for key, value in content.items() if value not in ("", "null", "~")}
    try:
        mapping = OwnMapping(**given)
    except (ValidationError, TypeError) as error:
        raise DianjinError(f"{path}: {_told(error)}") from None
    if mapping.kind == "choice" and not mapping.choices:
        raise DianjinError(f"{path}: choices: expected the columns of the options, found none")
    return mapping


def _told(error: Exception) -> str:
    if not isinstance(error, ValidationError):
        return str(error)
    first = error.errors()[0]
    key = ".".join(
        str(part) for part in first["loc"] if part not in ("str", "bool", "dict[str,str]")
    )
    if first["type"] == "extra_forbidden":
        return f"{key!r} is no key; known: {', '.join(OwnMapping.model_fields)}"
    if first["type"] == "missing":
        return f"{key}: missing; expected the name of a column, or for kind one of its values"
    if (expected := _EXPECTED.get(first["type"])) is not None:
        return f"{key}: expected {expected}, found {first['input']!r:.80}"
    return f"{key}: {first['msg'].removeprefix('Value error, ')}, found {first['input']!r:.80}"
