"""Spreadsheets (.xlsx), with numbers as the sheet shows them: `12.5%`, not 0.125."""

import datetime
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

from dianjin_ext.errors import DianjinError

_TOKEN = re.compile(
    r'"(?P<quoted>[^"]*)"|[\\!](?P<escaped>.)|\[\$(?P<currency>[^\]-]*)[^\]]*\]'  # `[$¥-804]`
    r"|\[[^\]]*\]|[_*].|E[+-]0+|General|(?P<digits>[#0?][#0?,./ ]*)|(?P<other>.)"
)
_CONDITION = re.compile(r"\[[<>=]")
_DIVIDED = re.compile(r",+(?=\.|$)")
_POINT = re.compile(r"(?<=[#0?])(?:[\\!]\.|\"\.\")([0#?]+)")  # `0\.0,` shows tens of thousands

Line = tuple[int, dict[str, Any] | None, str]


def xlsx_rows(path: Path, *, sheet: str = "") -> Iterator[Line]:
    """Yield each row: its number in the sheet, column to text, and why it is bad, if it is.

    The first row that isn't empty names the columns. A number comes with the percent sign, the
    currency or the unit that its format shows, and divided as that does; a formula with the value
    that was saved with it; of merged cells each has what they show.

    Raises:
        DianjinError: openpyxl is missing, the file is no spreadsheet, or the sheet is not in it.
    """
    try:
        import openpyxl
    except ModuleNotFoundError as error:
        raise DianjinError(
            "reading .xlsx needs openpyxl; pip install 'dianjin-ext[data]'"
        ) from error
    try:
        book = openpyxl.load_workbook(path, data_only=True)
    except Exception as error:  # openpyxl lets through whatever it stumbles over
        raise DianjinError(f"{path}: no readable .xlsx file ({error}); save it again") from error
    page = _page(path, book, sheet)
    merged = {
        place: page.cell(area.min_row, area.min_col)
        for area in page.merged_cells.ranges
        for place in area.cells
    }
    header: list[str] | None = None
    for number, row in enumerate(page.iter_rows(), 1):
        shown = [_shown(merged.get((cell.row, cell.column), cell)) for cell in row]
        if not any(text.strip() for text in shown):
            continue
        if header is None:
            header = [text.strip() for text in shown]
            named = [name for name in header if name]
            if repeated := {name for name in named if named.count(name) > 1}:
                raise DianjinError(
                    f"{path}: two columns of row {number} are called {min(repeated)!r}; rename "
                    "one, or remove the title above the names of the columns"
                )
            continue
        yield number, {name: text for name, text in zip(header, shown, strict=True) if name}, ""


def _page(path: Path, book: Any, sheet: str) -> Any:
    """Return the sheet of a name; without one the first that isn't hidden, and is no chart."""
    pages = {page.title: page for page in book.worksheets}
    visible = [page for page in book.worksheets if page.sheet_state == "visible"]
    if sheet and sheet not in pages:
        raise DianjinError(f"{path} has no sheet {sheet!r}; it has {', '.join(pages)}")
    if not pages:
        raise DianjinError(f"{path} has no sheet with rows")
    return pages[sheet] if sheet else (visible or book.worksheets)[0]


def _shown(cell: Any) -> str:
    """Return a cell as the sheet shows it, to the digits that it has."""
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int | float):
        return _number(value, cell.number_format or "General")
    if isinstance(value, datetime.datetime) and value.time() == datetime.time():
        return value.date().isoformat()
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    return str(value)


def _number(value: float, form: str) -> str:
    """Return a number as its format shows it, but to the digits that it has.

    A format with conditions shows different units for different numbers; there the number itself
    is returned.
    """
    exact = Decimal(f"{value:.15g}")  # as many digits as a spreadsheet keeps
    if _CONDITION.search(form):
        return _plain(exact)
    form = form.split(";")[0]
    if point := _POINT.search(form):
        exact = exact.scaleb(-len(point[1]))
        form = form[: point.start()] + form[point.end(1) :]
    around, digits = ["", ""], ""
    for token in _TOKEN.finditer(form):
        kind = token.lastgroup
        text = token[kind] if kind else ""
        if kind == "digits":
            digits = digits or text.strip()
        elif kind == "other" and text == "%":
            exact = exact.scaleb(2)
            around[bool(digits)] += text
        elif kind in ("quoted", "escaped", "currency") or text in "$€£" or not text.isascii():
            around[bool(digits)] += text
    exact = exact.scaleb(-3 * sum(len(commas) for commas in _DIVIDED.findall(digits)))
    before, after = (text.strip() for text in around)
    return f"{'-' if exact < 0 else ''}{before}{_plain(abs(exact))}{after}"


def _plain(number: Decimal) -> str:
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
