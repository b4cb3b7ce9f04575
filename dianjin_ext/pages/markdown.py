"""A document as Markdown, as GitHub and Hugging Face's hub show it.

Nothing in a row can break out of where it stands: marks of Markdown and HTML are escaped, and a
fence is longer than any run of its mark inside.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

import yaml

from dianjin_ext.pages.blocks import (
    Bars,
    Block,
    Cell,
    Chart,
    Charts,
    Code,
    Example,
    Figures,
    Folded,
    Listing,
    Mind,
    Page,
    Prose,
    Share,
    Table,
    Text,
    Words,
    say,
)  # fmt: skip
from dianjin_ext.pages.cells import percent
from dianjin_ext.questions.question import Language
from dianjin_ext.visible import visible

_MARKS: Final = re.compile(r"([\\`*_\[\]<>|~$#])")
_FIRST: Final = re.compile(r"^([-+=]|\d+(?=[.)]))")
_TICKS: Final = re.compile("`+")
_FULL, _EMPTY, _WIDTH = "█", "░", 10


def markdown(
    page: Page, language: Language, *, other: str, head: dict[str, Any] | None = None
) -> str:
    """Return a document in one language.

    Args:
        page: What it says.
        language: The language.
        other: Name of the file with the document in the other language.
        head: What Hugging Face's hub reads first; becomes the front matter.
    """
    link = "English" if language == "zh" else "中文"
    lines = [
        *_front(head),
        f"# {escape(say(page.title, language))}",
        f"{escape(say(page.about, language))} · [{link}](<{other}>)",
    ]
    for section in page.sections:
        lines.append(f"## {escape(say(section.title, language))}")
        for block in section.blocks:
            lines += _block(block, language)
    return "\n\n".join(lines) + "\n"


def escape(text: str) -> str:
    """Return a text that Markdown shows as it is, in one line."""
    one_line = " ".join(visible(text).split())
    safe = _MARKS.sub(r"\\\1", one_line.replace("&", "&amp;"))
    return _FIRST.sub(r"\\\1", safe) if not safe[:1].isdigit() else _number_first(safe)


def _number_first(text: str) -> str:
    """Return a text that begins with `1.` so that it begins no list."""
    return re.sub(r"^(\d+)([.)])(?=\s|$)", r"\1\\\2", text)


def fenced(text: str) -> str:
    """Return a text as a block that shows it as it is."""
    longest = max((len(run) for run in _TICKS.findall(text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{visible(text)}\n{fence}"


def coded(text: str) -> str:
    """Return a text as code within a line, also of a table."""
    one_line = " ".join(visible(text).split()) or " "
    if "\\|" in one_line:  # code has no way to say this within a table
        return escape(one_line)
    longest = max((len(run) for run in _TICKS.findall(one_line)), default=0)
    ticks = "`" * (longest + 1)
    space = " " if longest else ""
    return f"{ticks}{space}{one_line}{space}{ticks}".replace("|", "\\|")


def _front(head: dict[str, Any] | None) -> list[str]:
    if head is None:
        return []
    return [f"---\n{yaml.safe_dump(head, allow_unicode=True, sort_keys=False)}---"]


def _block(block: Block, language: Language) -> Iterator[str]:
    match block:
        case Table():
            yield _table(block, language)
        case Folded():
            yield f"**{_text(block.title, language)}**"
            yield _table(block.table, language)
        case Figures():
            yield "\n".join(
                f"- **{_text(name, language)}**: {_cell(value, language)}"
                for name, value in block.of
            )
        case Mind():
            head = "请注意" if language == "zh" else "Mind"
            points = "".join(f"\n> - {_text(point, language)}" for point in block.points)
            yield f"> **{head}**\n>{points}"
        case Prose():
            yield _text(block.text, language)
        case Bars():
            yield _table(_of_bars(block), language)
        case Charts():
            for chart in block.of:
                yield f"**{_text(chart.title, language)}**"
                yield _table(_of_chart(chart), language)
        case Listing():
            yield f"**{_text(block.title, language)}**"
            yield fenced(block.text)
        case Example():
            yield f"### {_text(block.title, language)}"
            if block.about:
                yield _text(block.about, language)
            for name, text in block.parts:
                yield f"{_text(name, language)}:"
                yield fenced(text)


def _table(table: Table, language: Language) -> str:
    columns = [_text(name, language) or " " for name in table.columns]
    marks = [
        "---:" if _numeric([row[nth] for row in table.rows]) else "---"
        for nth in range(len(columns))
    ]
    rows = [[_cell(cell, language) for cell in row] for row in table.rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in (columns, marks, *rows))


def _of_bars(bars: Bars) -> Table:
    """Return bars as a table."""
    rows: list[list[Cell]] = []
    for group, of in bars.groups:
        rows += [[group, name, bar] for name, bar in of]
    return Table(["", "", Words("95 % interval in brackets", "方括号内为 95% 区间")], rows)


def _of_chart(chart: Chart) -> Table:
    """Return curves as a table of what they begin and end with, and their extremes."""
    columns = [chart.x, Words("first", "起始"), Words("last", "最终"), Words("lowest", "最低")]
    rows: list[list[Cell]] = []
    for name, points in chart.series:
        values = [value for _, value in points]
        shown = [values[0], values[-1], min(values), max(values)] if values else []
        rows.append([name, *(percent(v) if chart.shares else f"{v:.4g}" for v in shown)])
    return Table([*columns, Words("highest", "最高")], rows)


def _numeric(cells: Sequence[Cell]) -> bool:
    """Return whether a column holds nothing but numbers."""
    return any(isinstance(cell, int) for cell in cells) and all(
        cell is None or isinstance(cell, int) for cell in cells
    )


def _cell(cell: Cell, language: Language) -> str:
    if cell is None or cell == "":
        return "–"
    if isinstance(cell, int):
        return f"{cell:,}"
    if isinstance(cell, Code):
        return coded(cell.code)
    if isinstance(cell, Share):
        full = min(_WIDTH, round(cell.value * _WIDTH))
        return f"{_FULL * full}{_EMPTY * (_WIDTH - full)} {escape(cell.text)}"
    return _text(cell, language)


def _text(text: Text, language: Language) -> str:
    return escape(say(text, language) if isinstance(text, Words) else text)
