"""Questions with a long way to the answer: HuatuoGPT-o1's layout, Fino1's paths, FinCoT.

The three share their columns but for the names: a question, a gold answer, the reasoning
(`Complex_CoT`, `Reasoning_process`) and the reply (`Response`, `Final_response`). Where a question
is FinQA's flattened one, its context and table are taken apart.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from dianjin_ext.answers.numbers import read_number
from dianjin_ext.questions.language import language_of
from dianjin_ext.questions.question import Question
from dianjin_ext.questions.readers.base import BadFieldError, Reader, mapping, number_text, text
from dianjin_ext.questions.readers.finqa import split_flattened

_QUESTIONS = ("Open-ended Verifiable Question", "Question", "question")
_GOLDS = ("Ground-True Answer", "Ground_truth", "Answer", "answer")
_REASONING = ("Complex_CoT", "Reasoning_process")
_REPLIES = ("Response", "Final_response")


def parse(row: Any, file: Path) -> Iterator[Question]:
    """Yield the question of a row; its multiple-choice form, where it has one, is left out.

    Rows without a gold answer, such as FinCoT's and those of a plain SFT set, have `answer` None.
    """
    row = mapping(row)
    asked = next((row[name] for name in _QUESTIONS if isinstance(row.get(name), str)), None)
    if not asked or not asked.strip():
        raise BadFieldError("Question", f"expected text in one of {', '.join(_QUESTIONS)}")
    gold = next((row[name] for name in _GOLDS if row.get(name) not in (None, "")), None)
    answer = None if gold is None else number_text(gold, "Ground-True Answer")
    numeric = answer is not None and read_number(answer).value is not None
    question = Question(
        data_source="finqa" if numeric else "exact",
        question=asked.strip(),
        kind="number" if numeric else "open",
        answer=answer,
        language=language_of(asked),
        reasoning=_first(row, _REASONING),
        reply=_first(row, _REPLIES),
    )
    if (parts := split_flattened(asked)) is not None:
        question = replace(question, context=parts[0], question=parts[1])
    yield question


def _first(row: Any, names: tuple[str, ...]) -> str | None:
    given = next((name for name in names if row.get(name)), None)
    return None if given is None else text(row, given)


HUATUO = Reader(
    name="huatuo",
    about="HuatuoGPT-o1's layout: verifiable questions with long reasoning (medical)",
    url="https://github.com/FreedomIntelligence/HuatuoGPT-o1",
    files="rows with Open-ended Verifiable Question, Ground-True Answer, Complex_CoT, Response",
    licence="Apache-2.0",
    language=None,
    parse=parse,
    hub="FreedomIntelligence/medical-o1-verifiable-problem",
)
FINO1 = Reader(
    name="fino1",
    about="Fino1's reasoning paths on FinQA",
    url="https://huggingface.co/datasets/TheFinAI/Fino1_Reasoning_Path_FinQA",
    files="rows with Open-ended Verifiable Question, Ground-True Answer, Complex_CoT, Response",
    licence="see its card; its questions are FinQA's (MIT)",
    language=None,
    parse=parse,
    hub="TheFinAI/Fino1_Reasoning_Path_FinQA",
)
FINCOT = Reader(
    name="fincot",
    about="FinCoT: the second set of Fino1's authors",
    url="https://huggingface.co/datasets/TheFinAI/FinCoT",
    files="rows with Question, Reasoning_process, Final_response",
    licence="CC BY-NC-SA 4.0 (gated)",
    language=None,
    parse=parse,
    hub="TheFinAI/FinCoT",
)
