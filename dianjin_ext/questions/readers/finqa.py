"""FinQA: one question about a page of an annual report, answered by a calculation.

The gold answer is `exe_ans`, what the annotated program gives, since `answer` may be missing,
rounded, or in per cent without saying so (https://github.com/czyssrs/FinQA). Where the two are the
same per cent, the gold answer says so: `13.953%` for 0.13953 and `14%`. The table is `table_ori`,
as printed; `table` is lower-cased and writes a dash as `2014`.

The flattened form (PIXIU's, https://github.com/The-FinAI/PIXIU) is a conversation whose first turn
holds the page, the table as `|a|b|` lines and the question, and whose second is `exe_ans`.
"""

import re
from collections.abc import Iterator, Mapping
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path
from typing import Any

from dianjin_ext.answers.numbers import read_number
from dianjin_ext.questions.question import Question
from dianjin_ext.questions.readers.base import (
    BadFieldError,
    Reader,
    cells,
    mapping,
    number_text,
    string_list,
    text,
)
from dianjin_ext.questions.tables import to_markdown

_FLAT = re.compile(
    r".*?\bContext:\s*(?P<context>.*)\nQuestion:\s*(?P<question>.*?)\s*\nAnswer:\s*",
    re.DOTALL,
)
_FLAT_ROW = re.compile(r"\|.*\|")


def parse(row: Any, file: Path) -> Iterator[Question]:
    """Yield the question of a row, of the published form or of the flattened one."""
    row = mapping(row)
    if "conversations" in row:
        yield _flattened(row)
        return
    qa = row.get("qa")
    if not isinstance(qa, Mapping):
        raise BadFieldError("qa", f"expected an object, found {type(qa).__name__}")
    table = row["table_ori"] if "table_ori" in row else row.get("table")
    yield Question(
        id=text(row, "id"),
        data_source="finqa",
        question=text(qa, "question"),
        kind="number",
        answer=gold(qa.get("exe_ans"), qa.get("answer")) if "exe_ans" in qa else None,
        context=page(row, cells(table, "table_ori")),
    )


def page(row: Mapping[str, Any], table: list[list[str]]) -> str:
    """Return the text before the table, the table as Markdown, and the text after it."""
    before = " ".join(string_list(row.get("pre_text"), "pre_text"))
    after = " ".join(string_list(row.get("post_text"), "post_text"))
    parts = (before, to_markdown(table), after)
    return "\n\n".join(part.strip() for part in parts if part.strip(" ."))


def gold(exe_ans: Any, answer: Any) -> str:
    """Return the gold answer: `exe_ans`, in per cent where `answer` says that it is that.

    Raises:
        BadFieldError: `exe_ans` is no number and neither yes nor no.
    """
    value = number_text(exe_ans, "exe_ans")
    if value.lower() in ("yes", "no"):
        return value.lower()
    read = read_number(value).value
    if read is None:
        raise BadFieldError("exe_ans", f"expected a number, yes or no, found {value!r:.60}")
    percent = Decimal(value) * 100 if _is_decimal(value) else None
    if percent is not None and isinstance(answer, str) and answer.strip().endswith("%"):
        said = answer.strip(" %").replace(",", "")
        if _is_decimal(said) and _rounds_to(percent, Decimal(said)):
            return f"{_plain(percent)}%"
    return value


def _is_decimal(value: str) -> bool:
    return re.fullmatch(r"-?[0-9]*\.?[0-9]+", value) is not None


def _rounds_to(value: Decimal, said: Decimal) -> bool:
    """Return whether `said` is `value` to its digits, give or take one of the last."""
    step = Decimal(1).scaleb(int(said.as_tuple().exponent))
    return abs(value.quantize(step, ROUND_HALF_EVEN) - said) <= step


def _plain(value: Decimal) -> str:
    written = format(value, "f")
    return written.rstrip("0").rstrip(".") if "." in written else written


def split_flattened(asked: str) -> tuple[str, str] | None:
    """Return context and question of a flattened prompt; None for any other text."""
    found = _FLAT.fullmatch(asked)
    return None if found is None else (_with_table(found["context"]), found["question"])


def _flattened(row: Mapping[str, Any]) -> Question:
    try:
        asked, answer = (str(mapping(turn)["value"]) for turn in row["conversations"])
    except (TypeError, ValueError, KeyError):
        raise BadFieldError("conversations", "expected two turns with a value each") from None
    parts = split_flattened(asked)
    if parts is None:
        raise BadFieldError("conversations", "expected Context: …, Question: …, Answer: in turn 1")
    context, question = parts
    return Question(
        id=text(row, "id"),
        data_source="finqa",
        question=question,
        kind="number",
        answer=gold(answer, None),
        context=context,
    )


def _with_table(context: str) -> str:
    """Return a context with its run of `|a|b|` lines as a Markdown table."""
    parts: list[str] = []
    table: list[list[str]] = []
    for line in [*context.split("\n"), ""]:
        if _FLAT_ROW.fullmatch(line.strip()):
            table.append(line.strip()[1:-1].split("|"))
            continue
        if table:
            parts.append(to_markdown(table))
            table = []
        if line.strip(" ."):
            parts.append(line.strip())
    return "\n\n".join(parts)


READER = Reader(
    name="finqa",
    about="calculations on a page of an annual report",
    url="https://github.com/czyssrs/FinQA",
    files="dataset/{train,dev,test}.json, or PIXIU's flattened rows",
    licence="MIT",
    language="en",
    parse=parse,
)
