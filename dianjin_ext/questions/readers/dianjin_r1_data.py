r"""DianJin-R1-Data: instructions with DeepSeek-R1's responses, checked by its authors.

It has no column of gold answers; the answer that was checked is in the response's `\boxed{}`.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dianjin_ext.answers.boxed import last_box
from dianjin_ext.answers.numbers import read_number
from dianjin_ext.questions.language import language_of
from dianjin_ext.questions.letters import LETTERS
from dianjin_ext.questions.question import Kind, Question
from dianjin_ext.questions.readers.base import BadFieldError, Reader, mapping, text


def parse(row: Any, file: Path) -> Iterator[Question]:
    """Yield the question of a row; the file's name says which set it is of."""
    row = mapping(row)
    instruction, output = text(row, "instruction"), text(row, "output")
    reasoning, mark, reply = output.removeprefix("<think>").partition("</think>")
    reply = reply.strip().removeprefix("<answer>").removesuffix("</answer>").strip()
    if not mark or not reasoning.strip() or not reply:
        raise BadFieldError("output", "expected <think>…</think> and an answer after it")
    box = last_box(reply)
    if box is None or not box.content.strip():
        raise BadFieldError("output", "expected the answer in \\boxed{}, found none")
    answer = box.content.strip()
    kind, source = _kind(file.stem, answer)
    yield Question(
        data_source=source,
        question=instruction,
        kind=kind,
        answer=answer,
        language=language_of(instruction),
        category=file.stem,
        split="train",
        reasoning=reasoning.strip(),
        reply=reply,
    )


def _kind(name: str, answer: str) -> tuple[Kind, str]:
    if "mcq" in name or set(answer) <= set(LETTERS):
        return "choice", "cflue_mcq"
    if read_number(answer).value is not None:
        return "number", "finqa"
    return "open", "cflue_oe"


READER = Reader(
    name="dianjin_r1_data",
    about="DianJin-R1's training data: instructions with DeepSeek-R1's responses",
    url="https://huggingface.co/datasets/DianJin/DianJin-R1-Data",
    files="train/{cflue_mcq,cflue_oe,fin_qa}.json",
    licence="see its card; its questions are CFLUE's (CC BY-NC-SA 4.0) and FinQA's (MIT)",
    language=None,
    parse=parse,
    hub="DianJin/DianJin-R1-Data",
)
