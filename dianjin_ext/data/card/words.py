"""Our words for names that stand in rows of a set: uses, outcomes, what licences allow."""

from collections.abc import Mapping
from typing import Final

from dianjin_ext.pages.blocks import Words

USES: Final[Mapping[str, Words]] = {
    "sft": Words("SFT", "SFT"),
    "rl": Words("RL", "RL"),
    "val": Words("validation", "验证"),
    "standing": Words("stands, not trained on", "保留但未用于训练"),
    "dropped": Words("dropped", "已剔除"),
    "question": Words("questions", "题目"),
}
FACETS: Final[Mapping[str, Words]] = {
    "set": Words("From the data set", "来源数据集"),
    "source": Words("Graded as", "评分方式（data_source）"),
    "language": Words("Language", "语言"),
    "kind": Words("Kind of answer", "答案类型"),
    "category": Words("Category", "类别"),
}
OUTCOMES: Final[Mapping[str, Words]] = {
    "right": Words("right", "正确"),
    "wrong": Words("wrong", "错误"),
    "cut": Words("cut at the limit of tokens", "达到长度上限被截断"),
    "no_answer": Words("no answer in the layout asked for", "没有按要求给出答案"),
    "open": Words("undecided or not graded", "未判定"),
}
LENGTHS: Final[Mapping[str, Words]] = {
    "prompt": Words("prompt", "提问"),
    "reasoning": Words("reasoning", "推理"),
    "response": Words("response after the reasoning", "推理之后的回答"),
    "whole": Words("all three together", "三者合计"),
    "prompt_counted": Words("request, counted by the server", "请求（服务端计数）"),
    "completion_counted": Words(
        "reasoning and response, counted by the server", "推理与回答（服务端计数）"
    ),
}
FILTERS: Final[Mapping[str, Words]] = {
    "verify": Words("verify", "verify"),
    "select": Words("select", "select"),
    "both": Words("verify, then select", "verify 后接 select"),
    "search": Words("search", "search"),
}
ALLOWED: Final[Mapping[str, Words]] = {
    "yes": Words("yes", "可以"),
    "no": Words("no", "不可以"),
    "same": Words("under the same licence", "以相同许可证"),
    "ask": Words("not known: ask", "未知，请先征询"),
}
NAMED: Final[Mapping[str, Words]] = {
    "yes": Words("required", "需要"),
    "no": Words("not required", "不需要"),
    "ask": Words("not known: ask", "未知，请先征询"),
}
