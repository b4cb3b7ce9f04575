"""Our words for names that stand in graded rows: kinds of answers, languages, reasons."""

from collections.abc import Mapping
from typing import Final

from dianjin_ext.pages.blocks import Text, Words
from dianjin_ext.rewards.base import REASONS as IN_ENGLISH

LANGUAGES: Final[Mapping[str, Words]] = {
    "zh": Words("Chinese", "中文"),
    "en": Words("English", "英文"),
}
KINDS: Final[Mapping[str, Words]] = {
    "choice": Words("letters of options", "选择题"),
    "number": Words("a number", "数值"),
    "label": Words("a label of a closed set", "标签"),
    "math": Words("mathematics", "数学"),
    "open": Words("free text", "开放作答"),
}
_IN_CHINESE: Final[Mapping[str, str]] = {
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
REASONS: Final[Mapping[str, Words]] = {
    **{name: Words(text, _IN_CHINESE.get(name, text)) for name, text in IN_ENGLISH.items()},
    "cut": Words("stopped at the limit of tokens", "达到长度上限被截断"),
    "content_filter": Words("stopped by the server's filter", "被服务端内容过滤拦下"),
    "refused": Words("the server refused the request", "服务端拒绝了请求"),
}
"""What each reason of the grader means, and of a reply that was not graded."""


def word(words: Mapping[str, Words], name: str) -> Text:
    """Return our words for a name; the name itself where there are none."""
    return words.get(name, name)
