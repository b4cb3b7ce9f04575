"""ConvFinQA: conversations of calculations on a page of an annual report, a question for each turn.

Three forms are read: the published one (a conversation a row, or in `*_turn.json` a turn a row;
https://github.com/czyssrs/ConvFinQA); a circulating cleaned one with `doc` and `dialogue`, whose
table lost the signs of some cells; and Program-of-Thoughts' flattened one, which has the gold
answer of the last turn alone (https://github.com/wenhuchen/Program-of-Thoughts). Gold answers are
those of the programs.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from dianjin_ext.questions.question import Question, Turn
from dianjin_ext.questions.readers.base import (
    BadFieldError,
    Reader,
    cells,
    mapping,
    string_list,
    text,
)
from dianjin_ext.questions.readers.finqa import gold, page
from dianjin_ext.questions.tables import to_markdown


def parse(row: Any, file: Path) -> Iterator[Question]:
    """Yield the turns of a row; the earlier turns of each are its `turns`.

    In the flattened form and in test sets the earlier turns have no answers.
    """
    row = mapping(row)
    name = text(row, "id")
    if "dialogue" in row:
        yield from _cleaned(row, name)
    elif "questions" in row:
        yield _flattened(row, name)
    else:
        yield from _published(row, name)


def _published(row: Mapping[str, Any], name: str) -> Iterator[Question]:
    annotation = row.get("annotation")
    if not isinstance(annotation, Mapping):
        raise BadFieldError("annotation", f"expected an object, found {annotation!r:.60}")
    context = page(
        row, cells(row["table_ori"] if "table_ori" in row else row.get("table"), "table")
    )
    golds = annotation.get("exe_ans_list")
    if "cur_dial" in annotation:  # a row of *_turn.json
        asked = string_list(annotation["cur_dial"], "annotation.cur_dial")
        if golds is not None and not isinstance(golds, list):
            raise BadFieldError("exe_ans_list", f"expected a list of answers, found {golds!r:.60}")
        if "exe_ans" in annotation:
            earlier = golds[: len(asked) - 1] if isinstance(golds, list) else []
            golds = [*earlier, annotation["exe_ans"]]
        name = name.removesuffix(f"_{len(asked) - 1}")  # `…page_134.pdf-1_0` is turn 0 of the rest
        yield from list(_turns(name, context, asked, golds))[-1:]
        return
    asked = string_list(annotation.get("dialogue_break"), "annotation.dialogue_break")
    yield from _turns(name, context, asked, golds)


def _cleaned(row: Mapping[str, Any], name: str) -> Iterator[Question]:
    doc, dialogue = mapping(row.get("doc")), mapping(row["dialogue"])
    columns = mapping(doc.get("table"))
    names = list(dict.fromkeys(name for column in columns.values() for name in mapping(column)))
    table = [["", *columns]]
    table += [[name, *(_cell(column.get(name)) for column in columns.values())] for name in names]
    before, after = (text(doc, name, blank=True) for name in ("pre_text", "post_text"))
    parts = (before, to_markdown(table), after)
    context = "\n\n".join(part for part in parts if part.strip(" ."))
    asked = string_list(dialogue.get("conv_questions"), "dialogue.conv_questions")
    yield from _turns(name, context, asked, dialogue.get("executed_answers"))


def _flattened(row: Mapping[str, Any], name: str) -> Question:
    asked = string_list(row["questions"], "questions")
    table = [line.split(" | ") for line in text(row, "table", blank=True).splitlines() if line]
    if table and table[0][0] == "-":
        table[0][0] = ""  # the corner, which a line can't begin with otherwise
    parts = (text(row, "text", blank=True), to_markdown(table))
    *earlier, last = asked or [""]
    if not last.strip():
        raise BadFieldError("questions", "expected at least one question, found none")
    return Question(
        id=name,
        data_source="convfinqa",
        question=last,
        kind="number",
        answer=gold(row["answer"], None) if "answer" in row else None,
        context="\n\n".join(part for part in parts if part),
        turns=tuple(Turn(question, "") for question in earlier),
    )


def _turns(name: str, context: str, asked: list[str], golds: Any) -> Iterator[Question]:
    if golds is not None and (not isinstance(golds, list) or len(golds) != len(asked)):
        raise BadFieldError("exe_ans_list", f"expected an answer for each of {len(asked)} turns")
    answers = [None] * len(asked) if golds is None else [gold(value, None) for value in golds]
    for number, question in enumerate(asked):
        if not question.strip():
            raise BadFieldError("questions", f"expected text for turn {number}, found nothing")
        yield Question(
            id=f"{name}/{number}",
            data_source="convfinqa",
            question=question.strip(),
            kind="number",
            answer=answers[number],
            context=context,
            turns=tuple(
                Turn(earlier.strip(), answer or "")
                for earlier, answer in zip(asked[:number], answers, strict=False)
            ),
        )


def _cell(value: Any) -> str:
    return "" if value is None else str(value)


READER = Reader(
    name="convfinqa",
    about="conversations of calculations on a page of an annual report",
    url="https://github.com/czyssrs/ConvFinQA",
    files="train.json, dev.json, test.json, *_turn.json",
    licence="MIT",
    language="en",
    parse=parse,
)
