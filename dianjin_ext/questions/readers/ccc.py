"""Rows like those of DianJin-R1's CCC, which is not published: a dialogue and whether it complies.

    {"dialogue": …, "guideline": …, "answer": "合规" | "不合规" | "是" | "否", "steps": […]}

`dialogue` is a text, or a list of `{"role", "content"}`; `guideline`, `id` and `steps` may be
absent. `steps` are the outputs of a workflow's agents, texts or `{"agent", "output"}`, and become
the reasoning. DianJin-R1 (https://arxiv.org/abs/2504.15716), section 2, describes the data.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dianjin_ext.questions.language import language_of
from dianjin_ext.questions.question import Question
from dianjin_ext.questions.readers.base import BadFieldError, Reader, mapping, number_text, text

_PAIRS = (("合规", "不合规"), ("是", "否"), ("compliant", "non-compliant"), ("yes", "no"))


def parse(row: Any, file: Path) -> Iterator[Question]:
    """Yield the question of a row."""
    row = mapping(row)
    dialogue = _lines(row.get("dialogue"), "dialogue", "role", "content")
    zh = language_of(dialogue) == "zh"
    gold, labels = None, _PAIRS[0] if zh else _PAIRS[2]
    if row.get("answer") is not None:
        gold = text(row, "answer")
        found = [pair for pair in _PAIRS if gold.lower() in pair]
        if not found:
            known = ", ".join(label for pair in _PAIRS for label in pair)
            raise BadFieldError("answer", f"expected one of {known}, found {gold!r:.60}")
        gold, labels = gold.lower(), found[0]
    steps = row.get("steps")
    asked = "以上对话中的客服是否合规？请回答“{}”或“{}”。"
    if not zh:
        asked = "Does the agent in this dialogue comply? Answer {} or {}."
    yield Question(
        id=number_text(row["id"], "id") if row.get("id") is not None else "",
        data_source="ccc",
        question=f"{dialogue}\n\n{asked.format(*labels)}",
        kind="label",
        answer=gold,
        context=text(row, "guideline", blank=True),
        language="zh" if zh else "en",
        category="compliance",
        reasoning=_lines(steps, "steps", "agent", "output") if steps else None,
    )


def _lines(value: Any, field: str, who: str, what: str) -> str:
    if isinstance(value, str) and value.strip():
        return value.strip()
    if not isinstance(value, list) or not value:
        raise BadFieldError(field, f"expected a text or a list of {who} and {what}")
    lines = []
    for item in value:
        if isinstance(item, str):
            lines.append(item.strip())
        else:
            item = mapping(item)
            lines.append(f"{text(item, who)}: {text(item, what)}")
    return "\n".join(lines)


READER = Reader(
    name="ccc",
    about="dialogues of customer service, compliant or not (rows of your own)",
    url="https://arxiv.org/abs/2504.15716",
    files="JSON or JSON lines with dialogue, guideline, answer, steps",
    licence="yours",
    language=None,
    parse=parse,
)
