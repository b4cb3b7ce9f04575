"""Answers that look right and are refused by the reward."""

import re
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final

from dianjin_ext.questions.question import Question
from dianjin_ext.quickstart.teacher.phrases import plain
from dianjin_ext.rewards import compute_score

_MOST: Final = 4
_NUMBER: Final = re.compile(r"-?\d+(?:,\d{3})*(?:\.\d+)?")
_OPPOSITE: Final = {"yes": "no", "no": "yes", "是": "否", "否": "是"}
_LAST: Final = {"zh": ("没有变化", "无法确定"), "en": ("unchanged", "none of them")}


def wrong_answers(question: Question, others: Sequence[str], gold: str) -> tuple[str, ...]:
    """Return a few wrong answers of the kind that is asked for, at least one.

    Args:
        question: Has a gold answer.
        others: Gold answers of other questions, which may be the same.
        gold: The right answer.
    """
    found = (each for each in _candidates(question, others, gold) if _refused(question, each, gold))
    return tuple(islice(found, _MOST)) or (_LAST[question.language][0],)


def _candidates(question: Question, others: Sequence[str], gold: str) -> Iterator[str]:
    if question.kind == "choice":
        letters = list(question.choices) or list("ABCD")
        if len(gold) > 1:
            yield from ("".join(x for x in letters if (x in gold) != (x == y)) for y in letters)
        else:
            yield from (letter for letter in letters if letter != gold)
        return
    if question.kind == "label":
        yield from question.labels
    if (opposite := _OPPOSITE.get(gold.strip().lower())) is not None:
        yield opposite
    if question.kind != "label" and (match := _NUMBER.search(gold)) is not None:
        value = float(match[0].replace(",", ""))
        places = len(match[0].partition(".")[2])
        for other in (value * 1.1 + 1, value * 0.8 - 1, value * 2 + 3, -value - 1):
            yield gold[: match.start()] + f"{other:.{places}f}" + gold[match.end() :]
    yield from others
    yield from _LAST[question.language]


def _refused(question: Question, answer: str, gold: str) -> bool:
    if not answer.strip() or plain(answer) == plain(gold):
        return False
    text = f"<think>-</think>\n<answer>\\boxed{{{answer}}}</answer>"
    score = compute_score(question.data_source, text, question.answer, question.extra_info)
    return score["acc"] == 0.0 and score["reason"] in ("wrong", "undecided")
