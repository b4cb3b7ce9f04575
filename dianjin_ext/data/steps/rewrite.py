"""Multiple choice to open question, as DianJin-R1 made CFLUE_OE of CFLUE.

The paper (https://arxiv.org/abs/2504.15716, section 2) has GPT-4o rewrite; its prompt is not
published. A new question is kept where rules find nothing wrong with its text and a judge says that
it can be answered without the options and that its answer is still the gold answer. The gold answer
is the text of the right options, never what a model wrote.
"""

import re
import unicodedata
from dataclasses import replace
from typing import Final

from dianjin_ext.answers.text import key
from dianjin_ext.data import prompts
from dianjin_ext.data.steps.base import Removed, Result, RowStep
from dianjin_ext.data.steps.settings import Rewrite
from dianjin_ext.inference.asking import Asking, in_form
from dianjin_ext.inference.request import Request
from dianjin_ext.questions.question import Question
from dianjin_ext.rewards.judge.cleaning import clean

_REPLY: Final = re.compile(r"(QUESTION|IMPOSSIBLE)\s*[:：]\s*(\S.*)")
_BOLD: Final = re.compile(r"^\*\*(\w+)(?:\*\*([:：])|([:：])\*\*|([:：].*)\*\*$)", re.MULTILINE)
_CHECK: Final = re.compile(
    r"SELF_CONTAINED\s*[:：]\s*(yes|no)\W*\s+SAME_ANSWER\s*[:：]\s*(yes|no)\W*", re.I
)
# `5%以上`, `根据以上资料`, `a call option` and `the following year` refer to no options.
_REFERS: Final = re.compile(
    r"选项|下列|以下(?:哪|各|的?选)|哪一?[个项]选|(?:以上|上述)(?:[各哪选都皆均]|[两三四]项|说法|表述|答案)"
    r"|(?-i:(?<![A-Za-z])A\s*[.、．:：)）](?![A-J]).*(?<![A-Za-z])B\s*[.、．:：)）](?![A-J]))"
    r"|\b(?:which|what|any|all|none|one|each|either) (?:one )?of the (?:following|above)\b"
    r"|\bwhich (?:one )?of these\b"
    r"|\bthe (?:following|above) (?:options?|choices?|answers?|statements?|is|are)\b"
    r"|\b(?:which|correct|right|best|answer) (?:choices?\b"
    r"|options?\b(?! (?:strateg|contract|position|premium|pric|style|type|writ|hold)))"
    r"|\bthe (?:options|choices) (?:above|below|provided)\b",
    re.I | re.S,
)
_LETTERS: Final = r"(?-i:[A-J](?:\s*(?:[和与、,，及&]|and|or)+\s*[A-J])+)"
_HOLD: Final = r"\s*(?:项|选项)?\s*(?:都|皆|均|全|是|不|正确|错误|对|错|are|is|hold)"
_OTHER_OPTIONS: Final = re.compile(
    r"(?:^|[，,。；;：:])\s*(?:全部|所有)?(?:以上|上述)"
    rf"|^(?:both |neither |only )?{_LETTERS}(?:[两三四]?项)?$"
    rf"|^(?:(?-i:[A-J]{{2,}})|{_LETTERS}|(?-i:[A-J])(?:项|选项)){_HOLD}"
    r"|^(?:都|皆|均|全部?)(?:不?(?:是|对|选|可|可以|正确|成立|包括|属于)|错误?)?$"
    r"|^(?:all|none|both|neither)(?: of)?(?: (?:the|these|them|above|others?|options|choices|are"
    r"|is|correct|right|true))*$",
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
        "不是",
        "不对",
        "不正确",
        "是的",
        "真",
        "假",
        "对的",
        "错的",
        "正确的",
        "错误的",
        "说法正确",
        "说法错误",
        "t",
        "f",
        "√",
        "×",
        "✓",
        "✗",
        "x",
        "incorrect",
        "correct",
        "true",
        "false",
        "yes",
        "no",
        "right",
        "wrong",
    }
)
_NUMBER: Final = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?(?![\d,])|\d+(?:\.\d+)?")
# `1、`, `（2）` and `3.` before a part of a question number it.
_PART: Final = re.compile(r"(?:^|(?<=[\n。；;：:]))\s*(?:\(\d{1,2}\)|\d{1,2}\s*[、.)](?!\d))")


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
    check, checked = prompts.load("rewrite_check"), given | {"rewritten": rewritten}
    request = Request(
        f"{question.id}/rewrite_check",
        check.messages(question.language, **{name: clean(said) for name, said in checked.items()}),
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
    said, original = _bare(rewritten), _bare(stem)
    if any(
        len(part) > 1 and part in said and part not in original
        for part in map(_bare, re.split("[；;]", answer))
    ):
        return "contains_answer"
    if numbers(stem) - numbers(f"{rewritten}\n{question.context}"):
        return "numbers_lost"
    return ""


def _bare(text: str) -> str:
    return key(text).replace(",", "")


def numbers(text: str) -> set[str]:
    """Return the numbers of a text by their value, without those that number its parts."""
    found = _NUMBER.findall(_PART.sub("", unicodedata.normalize("NFKC", text)))
    values = (number.replace(",", "") for number in found)
    return {(v.rstrip("0").rstrip(".") if "." in v else v).lstrip("0") or "0" for v in values}


def _read(reply: str) -> tuple[str, str] | None:
    match = _REPLY.fullmatch(_plain(reply))
    return (match[1], match[2].strip()) if match else None


def _plain(reply: str) -> str:
    """Return a reply without a fence around it and bold type around its names or lines."""
    return _BOLD.sub(r"\1\2\3\4", reply.strip().strip("`").strip())


def read_check(reply: str) -> tuple[bool, bool] | None:
    """Return whether it is self-contained and has the same answer; None if not in the form."""
    match = _CHECK.fullmatch(_plain(reply))
    return (match[1].lower() == "yes", match[2].lower() == "yes") if match else None


def _removed(question: Question, reason: str, detail: str = "") -> Result:
    return Result([], Removed(question.id, question.question, reason, detail))


STEP = RowStep(
    name="rewrite",
    version=2,
    takes="questions",
    gives="questions",
    roles=("teacher", "judge"),
    needs=lambda _: ("teacher", "judge"),
    prompts=("rewrite", "rewrite_check"),
    work=work,
)
