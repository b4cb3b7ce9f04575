r"""The texts that ask a model for reasoning, then for a boxed answer, and the canonical reply.

The protocol is DianJin-R1's (https://arxiv.org/abs/2504.15716): reasoning in `<think>`, the answer
in `<answer>`, option letters in `\boxed{}`; other layouts are those of
`dianjin_ext.answers.tags`. The words are our own; Chinese questions are asked in
Chinese, English ones in English, so that the reasoning follows the language of the question.
"""

from collections.abc import Mapping

from dianjin_ext.answers.tags import DIANJIN_R1, Tags
from dianjin_ext.errors import DianjinError
from dianjin_ext.questions.question import Language, Question

LONG_ANSWER = 200
"""Characters of a gold answer from which on it is prose, such as a summary, and asked for without
a box."""

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
_PROSE: dict[Language, tuple[str, str]] = {
    "zh": ("再在 {} 与 {} 之间作答。", "再作答。"),
    "en": ("reply between {} and {}.", "reply."),
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


# Five decimals are what the rewards of numbers compare, after FinQA's own evaluator.
_NUMBER: dict[Language, tuple[str, str]] = {
    "zh": (
        "答案是一个数值（或“是”“否”），如有百分号或单位请写上，例如 \\boxed{12.5%}；"
        "除不尽时保留五位小数（百分数保留三位）。",
        "答案是以{}为单位的一个数值，例如 \\boxed{{12.5}}；除不尽时保留五位小数。",
    ),
    "en": (
        "The answer is one number, with its percent sign or scale if it has one, for example "
        "\\boxed{12.5%}, or yes or no; round it to no fewer than five decimals, three of a "
        "percentage.",
        "The answer is one number in {}, for example \\boxed{{12.5}}; round it to no fewer than "
        "five decimals.",
    ),
}
_LABEL: dict[Language, tuple[str, str]] = {
    "zh": ("请只填写一个标签。", "请从以下标签中选择一个：{}。"),
    "en": ("Give one label only.", "Give one of these labels only: {}."),
}
_MATH: dict[Language, str] = {
    "zh": "答案是一个数值或数学表达式，请写成最简形式，例如 \\boxed{\\frac{3}{4}}。",
    "en": "The answer is a value or an expression in its simplest form, for example "
    "\\boxed{\\frac{3}{4}}.",
}
_SEVERAL: dict[Language, str] = {
    "zh": "答案请尽量简短；有多个时写在同一个框内，用分号隔开。",
    "en": "Keep the answer short; if there are several, put them into one box, separated by "
    "semicolons.",
}
_EARLIER: dict[Language, tuple[str, str, str]] = {
    "zh": ("此前的问答：", "问：", "答："),
    "en": ("Earlier in this conversation:", "Q: ", "A: "),
}


def prompt(question: Question, tags: Tags = DIANJIN_R1) -> str:
    """Return the user turn that asks a question: the instruction, then all that belongs to it.

    Earlier turns of a conversation stand in it, so that SFT trains on no response without
    reasoning and rollouts see what SFT showed.
    """
    boxed = not is_long(question)
    layout = output_format(question.language, tags, boxed=boxed)
    return f"{layout}\n{task(question)}" if boxed else f"{layout}\n\n{task(question)}"


def task(question: Question) -> str:
    """Return what is asked, without how the reply is to be laid out.

    That is the kind of answer, the text about which is asked, earlier turns, question and options.
    """
    parts = [_kind(question), question.context, _earlier(question)]
    return "\n\n".join(filter(None, [*parts, with_options(question)]))


def with_options(question: Question) -> str:
    """Return the question, and below it its options."""
    options = "".join(f"\n{letter}. {text}" for letter, text in question.choices.items())
    return question.question + options


def gold_text(question: Question) -> str:
    """Return the gold answer as people read it: of a choice with the texts of its options."""
    answer = question.answer or ""
    if question.kind == "choice" and question.choices and set(answer) <= set(question.choices):
        return "\n".join(f"{letter}. {question.choices[letter]}" for letter in answer)
    return answer


def response(question: Question, tags: Tags = DIANJIN_R1) -> str:
    """Return the response that a question's own reasoning, reply and gold answer make.

    Raises:
        DianjinError: The question has no reasoning, neither reply nor answer, or a part contains a
            mark of `tags`.
    """
    reasoning, reply = question.reasoning or "", question.reply
    if reply is None:
        if is_long(question):
            return format_response(reasoning, question.answer or "", tags, boxed=False)
        return format_response(reasoning, question.answer or "", tags)
    if question.answer is not None and "\\boxed" not in reply and not is_long(question):
        reply = f"{reply.rstrip()}\n\n\\boxed{{{question.answer}}}"
    return format_response(reasoning, reply, tags, boxed=False)


def is_long(question: Question) -> bool:
    """Return whether the answer is prose, which no box holds."""
    return question.kind == "open" and len(question.answer or "") >= LONG_ANSWER


def _kind(question: Question) -> str:
    """Return what kind of answer is asked for; empty for prose."""
    language = question.language
    if is_long(question):
        return ""
    if question.kind == "choice":
        return _SELECTION[language][question.multiple]
    if question.kind == "number":
        plain, scaled = _NUMBER[language]
        return scaled.format(question.scale) if question.scale else plain
    if question.kind == "math":
        return _MATH[language]
    if question.kind == "label":
        plain, listed = _LABEL[language]
        given = ("、" if language == "zh" else ", ").join(question.labels)
        return listed.format(given) if given else plain
    return _SEVERAL[language]


def _earlier(question: Question) -> str:
    if not question.turns:
        return ""
    head, asked, answered = _EARLIER[question.language]
    lines = [head]
    for turn in question.turns:
        lines.append(asked + turn.question)
        if turn.answer:
            lines.append(answered + turn.answer)
    return "\n".join(lines)


def output_format(language: Language, tags: Tags = DIANJIN_R1, *, boxed: bool = True) -> str:
    """Return the sentence that asks for the output format which the strict rewards check.

    Marks that are tokens of the model's own template (`<|channel|>…`) are not named. Prose is asked
    for without a box.
    """
    reply = _REPLY[language] if boxed else _PROSE[language]
    named = not tags.think[0].startswith("<|")
    think = _REASON[language][0].format(*tags.think) if named else _REASON[language][1]
    if tags.answer is None or not named:
        return think + reply[1].format()
    return think + reply[0].format(*tags.answer)


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


def format_response(think: str, answer: str, tags: Tags = DIANJIN_R1, *, boxed: bool = True) -> str:
    """Return the canonical response: the form in which a right answer scores 1.0 under `strict`.

    Without `boxed`, `answer` is prose, or has its box already.

    Raises:
        DianjinError: One part is empty or contains a mark of `tags`.
    """
    think, answer = think.strip(), answer.strip()
    for name, text in (("think", think), ("answer", answer)):
        if not text:
            raise DianjinError(f"the {name} part of a response is empty; give some text")
        if found := [tag for tag in tags.marks if tag in text]:
            raise DianjinError(f"the {name} part of a response contains {found[0]}; remove it")
    return tags.wrap(think, f"\\boxed{{{answer}}}" if boxed else answer)
