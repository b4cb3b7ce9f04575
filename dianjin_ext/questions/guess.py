"""A mapping guessed from the columns of a file, for a person to look at."""

import re
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import yaml

from dianjin_ext.answers.numbers import read_number
from dianjin_ext.errors import DianjinError
from dianjin_ext.questions.letters import LETTERS, gold_letters
from dianjin_ext.questions.mapping import OwnMapping
from dianjin_ext.questions.own import split_value
from dianjin_ext.questions.question import Kind
from dianjin_ext.questions.rows import FileOptions, load_rows

_LOOKED_AT = 1000
_MOST_LABELS = 20
_END = "\n..."  # with which YAML ends a single value
_NAMES = {
    "question": "题目|问题|题干|提问|问句|question|query|prompt|problem|instruction|text|内容",
    "answer": "正确答案|标准答案|参考答案|答案|答复|结论|结果|标签|answer|gold|label|output|"
    "response|target",
    "context": "材料|背景|上下文|原文|表格|context|passage|document|table|input",
    "reasoning": "解析|解释|推理|分析|analysis|explanation|rationale|reasoning|solution",
    "id": "编号|序号|题号|id|no|index",
    "category": "类别|科目|题型|分类|学科|category|subject|topic|task|type",
    "split": "split|划分|数据集",
    "scale": "单位|unit|scale",
    "choices": "选项|choices|options",
}
_LETTER = re.compile(
    r"(?:选项|option|choice)?[\s_-]*([A-Ja-j])(?:[\s_-]*(?:选项|项))?", re.IGNORECASE
)
_NUMBERED = re.compile(r"(?:选项|option|choice)[\s_-]*([1-9])", re.IGNORECASE)
_UNIT = re.compile(r"[(（]\s*(?:单位[:：]?\s*)?([^()（）]{1,8})\s*[)）]")


def guess(files: Sequence[Path]) -> str:
    """Return a mapping as YAML, with the columns and a value of each as comments.

    Raises:
        DianjinError: A file can't be read, or its rows have no columns.
    """
    rows = [
        row.value
        for path in files
        for row in islice(load_rows(path, FileOptions()), _LOOKED_AT)
        if isinstance(row.value, Mapping) and not row.problem
    ]
    if not rows:
        raise DianjinError(f"{files[0]}: expected rows with named columns, found none")
    columns = list(dict.fromkeys(str(name) for row in rows for name in row))
    values = {name: [str(row[name]) for row in rows if _given(row.get(name))] for name in columns}
    return _written(files, columns, values, _mapping(rows, columns, values))


def _mapping(rows: list[Any], columns: list[str], values: dict[str, list[str]]) -> dict[str, Any]:
    letters = _options(columns)
    left = [c for c in columns if c not in letters.values()]
    found: dict[str, Any] = {}
    for key, names in _NAMES.items():
        if (column := _named(names, left)) is not None:
            found[key] = column
            left.remove(column)
    if "question" not in found:
        longest = max(left, key=lambda c: _average(values[c]), default=None)
        found["question"] = longest or columns[0]
        left = [c for c in left if c != longest]
    if "answer" not in found and left and values[left[-1]]:
        found["answer"] = left.pop()
    choices: Any = letters if list(letters) == list(LETTERS[: len(letters)]) else {}
    choices = choices or found.get("choices")
    answers = values.get(found.get("answer", ""), [])
    kind = _kind(rows, answers, choices, found.get("answer"))
    guessed: dict[str, Any] = {"question": found["question"], "answer": found.get("answer")}
    guessed["kind"] = kind
    if kind == "choice":
        guessed["choices"] = choices
        if numbered := _numbered(answers):
            guessed["answers"] = numbered
        guessed["multiple"] = any(len(_letters_only(answer)) > 1 for answer in answers)
    if kind == "label":
        guessed["labels"] = sorted(set(map(str.strip, answers)))
    if kind == "number":
        unit = _UNIT.search(found.get("answer", ""))
        named = unit[1].strip() if unit and read_number(f"1{unit[1].strip()}").value else None
        guessed["scale"] = {"column": found["scale"]} if "scale" in found else named
    if not all(map(split_value, values.get(found.get("split", ""), []))):
        del found["split"]
    for key in ("context", "reasoning", "id", "category", "split"):
        if key in found:
            guessed[key] = [found[key]] if key == "context" else found[key]
    return {key: value for key, value in guessed.items() if value is not None}


def _options(columns: list[str]) -> dict[str, str]:
    """Return option letter to column, of columns such as `选项A`, `b` or `option_1`."""
    found = {mark[1].upper(): c for c in columns if (mark := _LETTER.fullmatch(c.strip()))}
    if not found:
        marks = {c: _NUMBERED.fullmatch(c.strip()) for c in columns}
        found = {LETTERS[int(mark[1]) - 1]: c for c, mark in marks.items() if mark}
    return dict(sorted(found.items()))


def _numbered(answers: list[str]) -> dict[str, str]:
    """Return number to letter where answers are numbers of options, from 0 or from 1."""
    numbers = {answer.strip() for answer in answers}
    if not numbers or not all(re.fullmatch("[0-9]", number) for number in numbers):
        return {}
    first = 0 if "0" in numbers else 1
    last = max(map(int, numbers))
    return {str(n): LETTERS[n - first] for n in range(first, last + 1)}


def _kind(rows: list[Any], answers: list[str], choices: Any, column: str | None) -> Kind:
    if choices and column:
        return "choice"
    if not answers:
        return "open"
    distinct = set(map(str.strip, answers))
    numbers = sum(read_number(answer).value is not None for answer in answers)
    if numbers >= 0.9 * len(answers) and len(distinct) > 3:
        return "number"
    if len(distinct) <= min(_MOST_LABELS, max(3, len(answers) // 5)):
        return "label"
    return "number" if numbers >= 0.9 * len(answers) else "open"


def _letters_only(answer: str) -> str:
    return gold_letters(answer, dict.fromkeys(LETTERS, "")) or ""


def _named(names: str, columns: list[str]) -> str | None:
    """Return the column with one of some names: as its whole name first, then in it."""
    plain = {c: re.sub(r"[\s_（(].*|[\s_]", "", c).lower() for c in columns}
    for name in names.split("|"):
        if exact := [c for c in columns if plain[c] == name or c.strip().lower() == name]:
            return exact[0]
    long = [name for name in names.split("|") if len(name) > 3 or not name.isascii()]
    return next((c for c in columns for name in long if name in c.lower()), None)


def _average(values: list[str]) -> float:
    return sum(map(len, values)) / len(values) if values else 0.0


def _given(value: Any) -> bool:
    return value is not None and str(value).strip() != ""


def _written(
    files: Sequence[Path],
    columns: list[str],
    values: dict[str, list[str]],
    guessed: Mapping[str, Any],
) -> str:
    lines = [f"# Guessed from {', '.join(path.name for path in files)}; look at every line.", "#"]
    for column in columns:
        sample = " ".join(values[column][0].split())[:60] if values[column] else "(empty)"
        lines.append(f"#   {column}: {sample}")
    lines.append("")
    for key, value in guessed.items():
        dumped = yaml.safe_dump(value, allow_unicode=True, default_flow_style=True, width=10**6)
        lines.append(f"{key}: {dumped.partition(_END)[0].rstrip()}")
    other = [key for key in OwnMapping.model_fields if key not in guessed]
    lines += ["", f"# More keys: {', '.join(other)} (docs/data.md)."]
    return "\n".join(lines) + "\n"
