"""Our words for names that stand in rows: uses, kinds, steps, reasons, criteria."""

from collections.abc import Mapping
from typing import Final

from dianjin_ext.data.card.blocks import Text, Words
from dianjin_ext.rewards.base import REASONS

USES: Final[Mapping[str, Words]] = {
    "sft": Words("SFT", "SFT"),
    "rl": Words("RL", "RL"),
    "val": Words("validation", "验证"),
    "standing": Words("kept, not in a training set", "保留，未进入训练集"),
    "dropped": Words("dropped", "已剔除"),
    "question": Words("questions", "题目"),
}
LANGUAGES: Final[Mapping[str, Words]] = {
    "zh": Words("Chinese", "中文"),
    "en": Words("English", "英文"),
}
KINDS: Final[Mapping[str, Words]] = {
    "choice": Words("letters of options", "选择题"),
    "number": Words("a number", "数值"),
    "label": Words("a label of a closed set", "标签"),
    "open": Words("free text", "开放作答"),
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
    "verify": Words("verify", "verify（核对答案）"),
    "select": Words("select", "select（筛选推理质量）"),
    "both": Words("verify, then select", "verify 后接 select"),
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
_REASONS_ZH: Final[Mapping[str, str]] = {
    "correct": "答案正确",
    "wrong": "读出了答案，但与标准答案不符",
    "no_think": "没有思考块",
    "empty_think": "思考块为空",
    "truncated": "思考块或答案块没有闭合",
    "repeated_tag": "标签重复出现",
    "order": "思考块与答案块的顺序不对",
    "outside_text": "标签之外有文字",
    "not_boxed": r"答案块中没有完整的 \boxed{}",
    "no_answer": "没有可读的答案",
    "ambiguous": "给出了相互矛盾的多个答案",
    "undecided": "规则与裁判模型都无法判定",
    "unjudged": "裁判模型无法访问，按中性分计",
    "skipped": "裁判模型无法访问，训练时略去",
    "gold_unusable": "标准答案本身无法读取（数据问题）",
    "error": "评分程序出错",
    "timeout": "评分超时",
}
REASON_WORDS: Final[Mapping[str, Words]] = {
    **{name: Words(text, _REASONS_ZH.get(name, text)) for name, text in REASONS.items()},
    "cut": Words("stopped at the limit of tokens", "达到长度上限被截断"),
    "content_filter": Words("stopped by the server's filter", "被服务端内容过滤拦下"),
    "refused": Words("the server refused the request", "服务端拒绝了请求"),
    "no_reasoning": Words("no reasoning came with the answer", "没有推理过程"),
    "contains_marks": Words("the text holds marks of the layout", "文本中含有格式标签"),
    "reasoning_broken": Words("the judge finds the reasoning broken", "裁判认为推理有误"),
    "reasoning_undecided": Words(
        "the judge doesn't say whether the reasoning holds", "裁判未能判定推理是否成立"
    ),
    "internal_consistency": Words(
        "reasoning and answer contradict each other", "推理与答案前后矛盾"
    ),
    "term_overlap": Words("terms of the question are missing", "缺少题目中的关键术语"),
    "reasoning_steps": Words("too few steps", "推理步骤不足"),
    "logical_consistency": Words("a step doesn't follow", "逻辑不连贯"),
    "content_diversity": Words("it repeats itself", "内容重复"),
    "task_relevance": Words("it strays from the question", "偏离题目"),
    "instruction_consistency": Words("it doesn't do as asked", "未按要求作答"),
    "steps": Words("fewer steps than asked for", "步骤数低于下限"),
    "overlap": Words("too few of the question's terms", "题目术语覆盖率低于下限"),
    "repetition": Words("more repetition than allowed", "重复率高于上限"),
    "language": Words("too little in the question's language", "与题目同语言的比例低于下限"),
}


def word(words: Mapping[str, Words], name: str) -> Text:
    """Return our words for a name; the name itself where there are none."""
    return words.get(name, name)


def reason(text: str) -> Text:
    """Return what a reason means; empty where nothing is known of it."""
    return REASON_WORDS.get(text, "")
