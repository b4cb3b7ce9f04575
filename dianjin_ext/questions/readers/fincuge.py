"""FinCUGE (BBT): nine tasks on Chinese financial text, each row a list of values.

https://github.com/ssymmetry/BBT-FinCUGE-Applications. `problem_list.json` has no gold answers. The
44 relations of FinRE are those of https://github.com/thunlp/Chinese_NRE.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from dianjin_ext.questions.question import Kind, Question
from dianjin_ext.questions.readers.base import BadFieldError, Reader

_RELATION_NAMES: Final = (
    "unknown 注资 拥有 纠纷 自己 增持 重组 买资 签约 持股 交易 入股 转让 成立 分析 合作 帮助 发行 "
    "商讨 合并 竞争 订单 减持 合资 收购 借壳 欠款 被发行 被转让 被成立 被注资 被持股 被拥有 被收购 "
    "被帮助 被借壳 被买资 被欠款 被增持 拟收购 被减持 被分析 被入股 被拟收购"
)
_RELATIONS: Final = tuple(_RELATION_NAMES.split())
_SENTIMENTS: Final = ("消极", "中性", "积极")
_NONE: Final = "无"
_HEADER: Final = ["trainingSourceData", "Sentiment"]  # stands among the rows of finne


class _Asked(NamedTuple):
    """What a row of a task asks; `answer` is None for a row without a gold answer."""

    question: str
    answer: str | None
    kind: Kind = "open"
    labels: tuple[str, ...] = ()
    spans: bool = False
    part: str = ""


def _sentiment(scores: Sequence[str]) -> Callable[[list[str], str | None], Iterator[_Asked]]:
    names = dict(zip(scores, _SENTIMENTS, strict=True))

    def asked(given: list[str], gold: str | None) -> Iterator[_Asked]:
        if gold is not None and gold not in names:
            raise BadFieldError("label", f"expected one of {', '.join(names)}, found {gold!r:.60}")
        answer = None if gold is None else names[gold]
        asked = "这段文本的情绪是消极、中性还是积极？"
        yield _Asked(f"{given[0]}\n\n{asked}", answer, kind="label")

    return asked


def _labels_of_news(given: list[str], gold: str | None) -> Iterator[_Asked]:
    asked = "这条新闻属于哪些类别？（如中国、外国、国际、公司、行业、大盘、经济、政策等）"
    yield _Asked(
        f"{given[0]}\n\n{asked}", None if gold is None else _listed(gold.split()), spans=True
    )


def _relation(given: list[str], gold: str | None) -> Iterator[_Asked]:
    if gold is not None and gold not in _RELATIONS:
        raise BadFieldError("relation", f"expected one of FinRE's 44 relations, found {gold!r:.60}")
    head, tail, sentence = given
    asked = f"句中“{head}”与“{tail}”是什么关系？"
    yield _Asked(f"{sentence}\n\n{asked}", gold, kind="label", labels=_RELATIONS)


def _negative_news(given: list[str], gold: str | None) -> Iterator[_Asked]:
    title, body, entities = given
    body = body if title.strip(" ?") in body else f"{title}\n{body}"
    negative, _, subjects = (None, "", "") if gold is None else gold.partition("\n")
    if negative not in (None, "0", "1"):
        raise BadFieldError("negative", f"expected 0 or 1, found {negative!r:.60}")
    answer = None if negative is None else "是" if negative == "1" else "否"
    about = f"{body.strip()}\n\n涉及的实体：{entities}"
    asked = "这条新闻是否为负面新闻？请回答“是”或“否”。"
    yield _Asked(f"{about}\n\n{asked}", answer, kind="label", part="negative")
    if negative != "0":
        found = None if negative is None else _listed(filter(None, subjects.split(";")))
        yield _Asked(f"{about}\n\n负面信息的主体是哪些实体？", found, spans=True, part="subjects")


def _event_subject(given: list[str], gold: str | None) -> Iterator[_Asked]:
    sentence, kind = given
    answer = _NONE if gold in ("NaN", "nan", "") else gold
    question = f"{sentence}\n\n“{kind}”事件的主体是什么？没有则回答“{_NONE}”。"
    yield _Asked(question, answer)


def _written(none: str) -> Callable[[list[str], str | None], Iterator[_Asked]]:
    def asked(given: list[str], gold: str | None) -> Iterator[_Asked]:
        text = given[0].strip()
        yield _Asked(f"{text}\n\n没有则回答“{none}”。" if text else "", gold)

    return asked


def _headline(given: list[str], gold: str | None) -> Iterator[_Asked]:
    yield _Asked(f"{given[0]}\n\n请为以上新闻拟一个标题。", gold)


class _Task(NamedTuple):
    """Where the values of a row are: those of the input, and those of the gold answer."""

    given: tuple[int, ...]
    gold: tuple[int, ...]
    asked: Callable[[list[str], str | None], Iterator[_Asked]]
    width: int


_TASKS: Final = {
    "finfe": _Task((0,), (1,), _sentiment(("0", "1", "2")), 2),
    "finne": _Task((0,), (1,), _sentiment(("0.0", "0.5", "1.0")), 2),
    "finnl": _Task((0,), (1,), _labels_of_news, 2),
    "finre": _Task((0, 1, 3), (2,), _relation, 4),
    "finnsp": _Task((1, 2, 3), (4, 5), _negative_news, 6),
    "finese": _Task((1, 2), (3,), _event_subject, 4),
    "finqa": _Task((0,), (1,), _written("无相应参数"), 2),
    "fincqa": _Task((0,), (1,), _written("无参数"), 2),
    "finna": _Task((1,), (0,), _headline, 2),  # the headline comes first
}


def parse(row: Any, file: Path) -> Iterator[Question]:
    """Yield the questions of a row; its category is the task that the file or its folder names."""
    name = _task(file)
    task = _TASKS[name]
    if row == _HEADER:
        return
    given, gold = _values(row, task)
    for asked in task.asked(given, gold):
        yield Question(
            data_source=("label" if asked.kind == "label" else "spans" if asked.spans else "exact"),
            question=asked.question,
            kind=asked.kind,
            answer=asked.answer,
            labels=asked.labels,
            category=name + (f"/{asked.part}" if asked.part else ""),
        )


def _task(file: Path) -> str:
    for name in (file.stem.partition("_")[0], file.parent.name):
        if name in _TASKS:
            return name
    raise BadFieldError(
        "file",
        f"expected {{task}}/train_list.json or {{task}}_train_list.json: {', '.join(_TASKS)}",
    )


def _values(row: Any, task: _Task) -> tuple[list[str], str | None]:
    if isinstance(row, dict) and "input" in row:  # of a problem_list.json
        values = row["input"] if isinstance(row["input"], list) else [row["input"]]
        if len(values) != len(task.given) or not all(isinstance(v, str) for v in values):
            raise BadFieldError("input", f"expected {len(task.given)} texts, found {values!r:.60}")
        return values, None
    if not isinstance(row, list) or len(row) != task.width:
        raise BadFieldError("row", f"expected a list of {task.width} values, found {row!r:.60}")
    texts = ["" if value is None else str(value) for value in row]
    return [texts[i] for i in task.given], "\n".join(texts[i] for i in task.gold)


def _listed(spans: Any) -> str:
    given = list(dict.fromkeys(spans))
    if not given:
        return _NONE
    return given[0] if len(given) == 1 else json.dumps(given, ensure_ascii=False)


READER = Reader(
    name="fincuge",
    about="nine tasks on Chinese financial text",
    url="https://github.com/ssymmetry/BBT-FinCUGE-Applications",
    files="FinCUGE_Publish/{task}/{train,eval,problem}_list.json",
    licence="none stated",
    language="zh",
    parse=parse,
)
