"""CFLUE's application tasks: 25 tasks of text work, each with an instruction of its own."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dianjin_ext.questions.question import Question
from dianjin_ext.questions.readers.base import BadFieldError, Reader, mapping, text

_CLASSIFICATION = "金融文本分类"
_LISTED = re.compile(
    r"[类分]别[^\n]{0,12}?[:：]\s*(\[[^\]]*\]|[^\n。]+)|下面哪一个[:：]\s*(\[[^\]]*\])"
)
_QUOTED = re.compile(r"['‘’\"]([^'‘’\"\n]+)['‘’\"]")
_SENTIMENT = ("正向", "中性", "负向")
_OWN_LABELS = {  # sets that the reward knows, with other words for the same
    "ESG情感分类": _SENTIMENT,  # the instruction says 正面, the gold answers are 正向 and 中立
    "合规政策审核": ("是", "否"),
}
_SAME = {"中立": "中性", "正面": "正向", "负面": "负向"}


def parse(row: Any, file: Path) -> Iterator[Question]:
    """Yield the task of a row; its category is `task/sub_task`."""
    row = mapping(row)
    task, sub_task = text(row, "task"), text(row, "sub_task")
    instruction = text(row, "instruction").lstrip("'")
    if extra := text(row, "input", blank=True):
        instruction = f"{instruction}\n{extra}"
    output = row.get("output")
    if isinstance(output, list | dict) and output:
        output = json.dumps(output, ensure_ascii=False)
    if not isinstance(output, str) or not output.strip():
        raise BadFieldError("output", f"expected text or a list, found {output!r:.60}")
    labels = _labels(instruction, sub_task) if task == _CLASSIFICATION else ()
    answer = output.strip()
    if labels and sub_task == "ESG情感分类":
        answer = _SAME.get(answer, answer)
    if labels and answer not in labels:
        raise BadFieldError("output", f"expected one of {', '.join(labels)}, found {answer!r:.60}")
    yield Question(
        data_source="label" if labels else "cflue_oe",
        question=instruction,
        kind="label" if labels else "open",
        answer=answer,
        labels=() if sub_task in _OWN_LABELS else labels,
        category=f"{task}/{sub_task}",
    )


def _labels(instruction: str, sub_task: str) -> tuple[str, ...]:
    """Return the closed set of answers that an instruction names."""
    if sub_task in _OWN_LABELS:
        return _OWN_LABELS[sub_task]
    if sub_task == "财报要点审核":
        return ("是", "否", "未提及")
    found = _LISTED.search(instruction)
    if found is None:
        return ()
    listed = found[1] or found[2]
    names = _QUOTED.findall(listed) or re.split(r"[,，、]", listed)
    return tuple(dict.fromkeys(name.strip() for name in names if name.strip()))


READER = Reader(
    name="cflue_application",
    about="25 tasks of text work: classification, extraction, advice, writing, translation",
    url="https://github.com/aliyun/cflue",
    files="data/application/application.json",
    licence="CC BY-NC-SA 4.0",
    language="zh",
    parse=parse,
)
