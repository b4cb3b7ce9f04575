"""Fin-Eva (Ant Group): tasks of financial cognition, knowledge, logic, writing and compliance."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dianjin_ext.questions.question import Question
from dianjin_ext.questions.readers.base import Reader, mapping, text
from dianjin_ext.questions.readers.options import columns, gold

_ASKED = {
    "金融情绪识别": "这段文本的情绪是什么？",
    "金融意图理解": "用户这样说的意图是什么？",
    "保险意图理解": "用户这样说的意图是什么？",
    "金融槽位识别": "这段文本说的是哪个主体？",
    "保险槽位识别": "这段文本提到的险种或保险产品是哪一个？",
    "研判观点提取": "这段文本反映的市场走向是什么？",
    "文本总结归纳": "以下哪一项最恰当地概括了这段文本？",
    "资讯标题生成": "以下哪一项最适合作为这段文本的标题？",
    "投教话术生成": "以下哪一项最恰当地解释了这个词？",
    "营销文案生成": "以下哪一项最适合作为这个产品的营销文案？",
}
_YES_NO = {
    "金融合规性": "以上内容是否合规？",
    "信息安全合规": "以上内容是否合规？",
    "金融事实性": "以上说法是否符合事实？",
    "金融问题识别": "以上问题是否属于金融问题？",
}


def parse(row: Any, file: Path) -> Iterator[Question]:
    """Yield the question of a row; its category is `类/任务`, from the file's place.

    Some tasks have a text that is asked about, as a column of its own (`context`) or in place of
    the question, which then ends with that of the task. Some have three options, some five; those
    of safety have none: 是 or 否. Most rows have no published answer.
    """
    row = mapping(row)
    choices = columns(row)
    question, context = text(row, "question"), text(row, "context", blank=True)
    category = "/".join(file.stem.split("__")[-2:])
    if "__" not in file.stem and file.parent.name:
        category = f"{file.parent.name}/{file.stem}"
    task = category.rpartition("/")[2]
    if choices:
        if task in _ASKED:
            question = f"{question}\n\n{_ASKED[task]}"  # what tells two questions apart
        yield Question(
            data_source="fineva",
            question=question,
            kind="choice",
            answer=gold(row, choices, "answer"),
            context=context,
            choices=choices,
            multiple=False,
            category=category,
        )
        return
    answer = text(row, "answer", blank=True) or None
    yes_no = answer in ("是", "否") or (answer is None and task in _YES_NO)
    if yes_no:
        asked = _YES_NO.get(task, _YES_NO["金融合规性"])
        question = f"{question}\n\n{asked}请回答“是”或“否”。"
    yield Question(
        data_source="ccc" if yes_no else "exact",
        question=question,
        kind="label" if yes_no else "open",
        answer=answer,
        context=context,
        category=category,
    )


READER = Reader(
    name="fineva",
    about="tasks of cognition, knowledge, logic, writing and compliance",
    url="https://github.com/alipay/financial_evaluation_dataset",
    files="data/Ant/类/任务.csv",
    licence="CC BY 4.0",
    language="zh",
    parse=parse,
)
