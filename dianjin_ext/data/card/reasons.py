"""What the reasons mean for which steps drop rows."""

from collections.abc import Mapping
from typing import Final

from dianjin_ext.pages.blocks import Text, Words
from dianjin_ext.pages.words import REASONS

WORDS: Final[Mapping[str, Words]] = {
    **REASONS,
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
    # read
    "bad_row": Words("the row can't be used", "该行无法使用"),
    "repeated_option": Words("two options have the same text", "有两个选项文字相同"),
    "duplicate": Words("the question comes twice", "题目重复"),
    "contradictory": Words("its gold answers contradict each other", "标准答案相互矛盾"),
    # rewrite
    "not_multiple_choice": Words("it has no options", "没有选项"),
    "without_gold": Words("it has no gold answer", "没有标准答案"),
    "true_or_false": Words("the answer is true or false", "答案为对或错"),
    "answer_names_options": Words("the answer speaks of other options", "答案涉及其他选项"),
    "impossible": Words("the model says that it can't be opened", "模型认为无法改写"),
    "refers_to_options": Words("it still speaks of options", "改写后仍提到选项"),
    "contains_answer": Words("it gives the answer away", "改写后泄露了答案"),
    "numbers_lost": Words("numbers of the question are lost", "改写后丢失了题中数字"),
    "needs_options": Words("it can't be answered without the options", "没有选项就无法作答"),
    "check_undecided": Words("the check gave no verdict", "检查未给出结论"),
    "answer_changed": Words("its answer is no longer the gold one", "答案与标准答案不再一致"),
    "not_in_form": Words("the reply is not in the form asked for", "回复不符合要求的格式"),
    # search, merge-agents, sample, bands, decontaminate
    "not_found": Words("no attempt found the answer", "所有尝试都没有得到答案"),
    "without_steps": Words("there are no agents' steps to merge", "没有可合并的智能体步骤"),
    "code_block": Words("the reasoning holds a code block", "推理中含有代码块"),
    "long_paragraph": Words("a paragraph is too long to read", "段落过长"),
    "mixed_language": Words("languages are mixed", "语言混杂"),
    "too_hard": Words("too few of its responses are right", "答对比例过低"),
    "too_easy": Words("too many of its responses are right", "答对比例过高"),
    "not_graded": Words("none of its responses is graded", "没有已评分的回答"),
    "asked_for_evaluation": Words("an evaluation set asks it too", "评测集中有相同或相近的题目"),
}
"""What each reason of a step or of the grader means."""


def reason(name: str) -> Text:
    """Return what a reason means; empty where nothing is known of it."""
    return WORDS.get(name, "")
