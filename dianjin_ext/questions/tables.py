r"""Tables as Markdown, so that every cell can be read back as it was.

GitHub's table syntax: a header row, a row of dashes, rows. A cell stands between one blank on
either side; `|` in it is written `\|`, a line break `<br>`, and a backslash that would be taken
for part of either is doubled. Rows of different lengths stay so.
"""

import re
from collections.abc import Iterator, Sequence

Table = list[list[str]]

_SPECIAL = re.compile(r"(\\*)(\||<br>|\r\n?|\n)")
_CELL = re.compile(r"(?:[^|\\]|\\+(?!\|)|(?:\\\\)*\\\|)*")
_DASHES = re.compile(r"\|(?: --- \|)+")


def to_markdown(rows: Sequence[Sequence[str]]) -> str:
    r"""Return a table as Markdown lines; empty for a table without cells.

    The first row is the header. `\r\n` and `\r` in a cell are read back as `\n`.
    """
    if not any(rows):
        return ""
    head, *body = [list(row) for row in rows]
    dashes = "| " + " | ".join(["---"] * max(1, len(head))) + " |"
    return "\n".join([_line(head), dashes, *map(_line, body)])


def markdown_tables(text: str) -> Iterator[Table]:
    """Yield the tables of a text, each as rows of cells, in order."""
    lines = text.split("\n")
    at = 0
    while at + 1 < len(lines):
        if not (lines[at].startswith("|") and _DASHES.fullmatch(lines[at + 1])):
            at += 1
            continue
        rows = [lines[at]]
        at += 2
        while at < len(lines) and lines[at].startswith("|") and lines[at].endswith("|"):
            rows.append(lines[at])
            at += 1
        yield [_cells(row) for row in rows]


def _line(cells: Sequence[str]) -> str:
    return "".join(f"| {_escaped(cell)} " for cell in cells) + "|"


def _escaped(cell: str) -> str:
    def mark(found: re.Match[str]) -> str:
        slashes, what = found[1] * 2, found[2]
        return slashes + ("\\" + what if what in ("|", "<br>") else "<br>")

    return _SPECIAL.sub(mark, cell)


def _cells(line: str) -> list[str]:
    cells, at = [], 1
    while at < len(line):
        found = _CELL.match(line, at)
        assert found is not None  # it matches nothing at least
        cells.append(_plain(found[0].removeprefix(" ").removesuffix(" ")))
        at = found.end() + 1
    return cells


def _plain(cell: str) -> str:
    def unmark(found: re.Match[str]) -> str:
        slashes = len(found[1])
        return "\\" * (slashes // 2) + (found[2] if slashes % 2 else "\n")

    return _SPECIAL.sub(unmark, cell)
