r"""The texts that ask a model for reasoning, then for a boxed answer, and the canonical reply.

The protocol is DianJin-R1's (https://arxiv.org/abs/2504.15716): reasoning in `<think>`, the answer
in `<answer>`, option letters in `\boxed{}`; other layouts are those of
`dianjin_ext.answers.tags`. The words are our own; Chinese questions are asked in
Chinese, English ones in English, so that the reasoning follows the language of the question.
"""

from collections.abc import Mapping
from typing import Literal

from dianjin_ext.answers.tags import DIANJIN_R1, Tags
from dianjin_ext.errors import DianjinError

Language = Literal["zh", "en"]

_REASON: dict[Language, tuple[str, str]] = {
    "zh": ("请先在 {} 与 {} 之间写出推理过程，", "请先逐步推理，"),
    "en": ("Reason between {} and {} first, then ", "Reason step by step first, then "),
}
_REPLY: dict[Language, tuple[str, str]] = {
    "zh": (
        "再在 {} 与 {} 之间作答，最终答案写入 \\boxed{{}}。",
        "再作答，最终答案写入 \\boxed{{}}。",
    ),
    "en": (
        "reply between {} and {} with the final answer in \\boxed{{}}.",
        "reply with the final answer in \\boxed{{}}.",
    ),
}

_SELECTION: dict[Language, dict[bool | None, str]] = {
    "zh": {
        False: "以下单选题只有一个正确选项，请只填写该选项的字母，例如 \\boxed{A}。",
        True: "以下多选题可能有多个正确选项，请填写全部正确选项的字母，例如 \\boxed{AC}。",
        None: "以下选择题有一个或多个正确选项，请填写全部正确选项的字母。",
    },
    "en": {
        False: "Exactly one option is correct; give only its letter, for example \\boxed{A}.",
        True: "Several options may be correct; give the letters of all of them, "
        "for example \\boxed{AC}.",
        None: "One or more options are correct; give the letters of all of them.",
    },
}


def output_format(language: Language, tags: Tags = DIANJIN_R1) -> str:
    """Return the sentence that asks for the output format which the strict rewards check.

    Marks that are tokens of the model's own template (`<|channel|>…`) are not named.
    """
    named = not tags.think[0].startswith("<|")
    think = _REASON[language][0].format(*tags.think) if named else _REASON[language][1]
    if tags.answer is None or not named:
        return think + _REPLY[language][1].format()
    return think + _REPLY[language][0].format(*tags.answer)


def multiple_choice_prompt(
    question: str,
    choices: Mapping[str, str],
    *,
    language: Language = "zh",
    multiple: bool | None = None,
    tags: Tags = DIANJIN_R1,
) -> str:
    """Return the user turn for a multiple-choice question.

    Args:
        question: The question without its options.
        choices: Option letter to option text, in the order shown.
        language: Language of the instructions; use that of the question.
        multiple: Whether several options may be right; None leaves it to the model.
        tags: The layout to ask for.
    """
    options = "\n".join(f"{letter}. {text}" for letter, text in choices.items())
    instruction = f"{output_format(language, tags)}\n{_SELECTION[language][multiple]}"
    return f"{instruction}\n\n{question}\n{options}"


def format_response(think: str, answer: str, tags: Tags = DIANJIN_R1) -> str:
    """Return the canonical response: the form in which a right answer scores 1.0 under `strict`.

    Raises:
        DianjinError: One part is empty or contains a mark of `tags`.
    """
    think, answer = think.strip(), answer.strip()
    for name, text in (("think", think), ("answer", answer)):
        if not text:
            raise DianjinError(f"the {name} part of a response is empty; give some text")
        if found := [tag for tag in tags.marks if tag in text]:
            raise DianjinError(f"the {name} part of a response contains {found[0]}; remove it")
    return tags.wrap(think, f"\\boxed{{{answer}}}")
