"""Multiple choice to open question, as DianJin-R1 made CFLUE_OE of CFLUE.

The paper (https://arxiv.org/abs/2504.15716, section 2) has GPT-4o rewrite; its prompt is not
published. A new question is kept where rules find nothing wrong with its text and a judge says that
it can be answered without the options and that its answer is still the gold answer. The gold answer
is the text of the right options, never what a model wrote.
"""

import re
from dataclasses import replace
from typing import Final

from dianjin_ext.answers.text import key
from dianjin_ext.data import prompts
from dianjin_ext.data.asking import Asking, in_form
from dianjin_ext.data.steps.base import Removed, Result, RowStep
from dianjin_ext.data.steps.settings import Rewrite
from dianjin_ext.inference.request import Request
from dianjin_ext.questions.question import Question
from dianjin_ext.rewards.judge.cleaning import clean

_REPLY: Final = re.compile(r"\**(QUESTION|IMPOSSIBLE)\**\s*[:：]\s*(\S.*)")
_CHECK: Final = re.compile(
    r"\**SELF_CONTAINED\**\s*[:：]\s*(yes|no)\W*\s+\**SAME_ANSWER\**\s*[:：]\s*(yes|no)\W*", re.I
)
_REFERS: Final = re.compile(
    r"选项|下列|以下(?:哪|各|的?选)|以上|上述(?:哪|各)|哪一?[个项]选|(?-i:(?<![A-Za-z])[A-J][.、．)）])"
    r"|\b(?:options?|the following|the above|of these|choices?)\b|\b[A-D]\)",
    re.I,
)
_OTHER_OPTIONS: Final = re.compile(
    r"^(?:以上|上述|都|皆|均|全部|[A-J]\s*[和与、,，及]+\s*[A-J])|(?:以上|上述)[各两三四]?[项者]?(?:都|皆|均|全)"
    r"|\b(?:all|none|both|neither) of\b|^[A-J](?:\s*(?:,|and|&)\s*[A-J])+$",
    re.I,
)
_TRUTH_VALUES: Final = frozenset(
    {
        "正确",
        "错误",
        "对",
        "错",
        "是",
        "否",
        "√",
        "×",
        "true",
        "false",
        "yes",
        "no",
        "right",
        "wrong",
    }
)
_NUMBER: Final = re.compile(r"\d+(?:[.,]\d+)*")


async def work(question: Question, settings: Rewrite, asking: Asking) -> Result:
    """Return the open question made of a multiple-choice question, or why there is none."""
    answer = _answer(question)
    if isinstance(answer, Removed):
        return Result([], answer)
    text = prompts.load("rewrite")
    given = {
        "question": question.context + "\n\n" + question.question
        if question.context
        else question.question,
        "options": "\n".join(f"{letter}. {text}" for letter, text in question.choices.items()),
        "answer": answer,
    }
    request = Request(
        f"{question.id}/rewrite",
        text.messages(question.language, **given),
        options={"temperature": 0.0, "max_tokens": settings.max_tokens},
        notes={"step": "rewrite", "prompt": text.label},
    )
    said = await in_form(asking, "teacher", request, _read)
    if said is None:
        return _removed(question, "not_in_form")
    kind, rewritten = said
    if kind == "IMPOSSIBLE":
        return _removed(question, "impossible", rewritten)
    if why := problem(question, answer, rewritten):
        return _removed(question, why, rewritten)
    check = prompts.load("rewrite_check")
    request = Request(
        f"{question.id}/rewrite_check",
        check.messages(question.language, **given, rewritten=clean(rewritten)),
        options={"temperature": 0.0, "max_tokens": settings.max_tokens},
        notes={"step": "rewrite", "prompt": check.label},
    )
    verdict = await in_form(asking, "judge", request, read_check)
    if verdict != (True, True):
        why = "check_undecided" if verdict is None else "needs_options"
        why = "answer_changed" if verdict is not None and verdict[0] else why
        return _removed(question, why, rewritten)
    return Result([_opened(question, answer, rewritten)])


def _opened(question: Question, answer: str, rewritten: str) -> Question:
    source = "cflue_oe" if question.data_source == "cflue_mcq" else "exact"
    return replace(
        question,
        id=f"{question.id}/open",
        data_source=source,
        question=rewritten,
        kind="open",
        answer=answer,
        choices={},
        multiple=None,
        reasoning=None,
        reply=None,
    )


def _answer(question: Question) -> str | Removed:
    """Return the gold answer in words, or why the question can't be opened."""
    if question.kind != "choice" or not question.choices:
        return Removed(question.id, question.question, "not_multiple_choice")
    letters = question.answer or ""
    if not letters or not set(letters) <= set(question.choices):
        return Removed(question.id, question.question, "without_gold")
    texts = [question.choices[letter].strip() for letter in letters]
    for text in texts:
        if key(text) in _TRUTH_VALUES:
            return Removed(question.id, question.question, "true_or_false", text)
        if _OTHER_OPTIONS.search(text):
            return Removed(question.id, question.question, "answer_names_options", text)
    return ("；" if question.language == "zh" else "; ").join(texts)


def problem(question: Question, answer: str, rewritten: str) -> str:
    """Return what rules find wrong with a rewritten question; empty for nothing."""
    stem = question.question
    if _REFERS.search(rewritten):
        return "refers_to_options"
    said, original = key(rewritten), key(stem)
    if any(
        len(part) > 1 and part in said and part not in original
        for part in map(key, re.split("[；;]", answer))
    ):
        return "contains_answer"
    if set(_NUMBER.findall(stem)) - set(_NUMBER.findall(rewritten + question.context)):
        return "numbers_lost"
    return ""


def _read(reply: str) -> tuple[str, str] | None:
    match = _REPLY.fullmatch(reply.strip())
    return (match[1], match[2].strip()) if match else None


def read_check(reply: str) -> tuple[bool, bool] | None:
    """Return whether it is self-contained and has the same answer; None if not in the form."""
    match = _CHECK.fullmatch(reply.strip().strip("`").strip())
    return (match[1].lower() == "yes", match[2].lower() == "yes") if match else None


def _removed(question: Question, reason: str, detail: str = "") -> Result:
    return Result([], Removed(question.id, question.question, reason, detail))


STEP = RowStep(
    name="rewrite",
    version=1,
    takes="questions",
    gives="questions",
    roles=("teacher", "judge"),
    needs=("teacher", "judge"),
    prompts=("rewrite", "rewrite_check"),
    work=work,
)
