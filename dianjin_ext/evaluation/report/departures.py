"""Departures from a protocol in Chinese; summary.json has them in English."""

import re
from collections.abc import Sequence
from typing import Final

from dianjin_ext.pages.blocks import Words

__all__ = ["departures"]

_JUDGE: Final = {
    "judges every answer": "逐题判分",
    "takes out the final answer": "抽取最终答案",
    "an answer taken out": "抽取答案",
    "a verdict": "判定",
    "refused": "被服务拒绝",
    "content_filter": "被内容过滤",
}
_SAID: Final = tuple(
    (re.compile(pattern, re.DOTALL), chinese)
    for pattern, chinese in (
        (r"(\w+) is (\S+), not (\S+)", "{0} 为 {1}，而非 {2}"),
        (r"the split is (.+), not (.+)", "数据划分为 {0}，而非 {1}"),
        (r"the files have (\S+) of (\S+) published questions", "文件只含已公布 {1} 题中的 {0} 题"),
        (r"(\S+) of (\S+) questions", "只问了 {1} 题中的 {0} 题"),
        (r"(\S+) bad rows were left out", "略去 {0} 个无法读取的行"),
        (r"the requests have the option (.+)", "请求带有选项 {0}"),
        (
            "the protocol has a model that (.+); there was none",
            "协议由另一模型{0}，而这次没有该模型",
        ),
        (
            r"(\S+) open answers were not decided and count as wrong",
            "{0} 个开放式回答未能判定，按错误计",
        ),
        (
            r"(\S+) answers have a gold that can't be read and count as wrong",
            "{0} 个回答的标准答案无法读取，按错误计",
        ),
        (
            r"(\S+) answers got no readable reply where (.+) was asked for; the rules decided them",
            "{0} 个回答请求{1}时没有得到可读的回复，改由规则判分",
        ),
        (
            r"(\S+) requests ended with (\w+) and count as wrong; the first: (.+)",
            "{0} 个请求{1}，按错误计；第一个：{2}",
        ),
        (r"(\S+) requests ended with (\w+) and count as wrong", "{0} 个请求{1}，按错误计"),
    )
)


def departures(said: Sequence[str]) -> Words:
    """Return the departures of a result in one line."""
    return Words("; ".join(said), "；".join(map(_chinese, said)))


def _chinese(said: str) -> str:
    for pattern, chinese in _SAID:
        if found := pattern.fullmatch(said):
            return chinese.format(*(_JUDGE.get(part, part) for part in found.groups()))
    return said
