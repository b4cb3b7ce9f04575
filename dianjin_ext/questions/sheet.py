"""Spreadsheets (.xlsx), with numbers as the sheet shows them: `12.5%`, not 0.125."""

import datetime
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dianjin_ext.errors import DianjinError

_QUOTED = re.compile(r'"([^"]*)"|\\(.)')
_ERRORS = re.compile(r"#(?:N/A|REF!|VALUE!|DIV/0!|NAME\?|NUM!|NULL!)")

Line = tuple[int, dict[str, Any] | None, str]


def xlsx_rows(path: Path, *, sheet: str = "") -> Iterator[Line]:
    """Yield each row: its number in the sheet, column to text, and why it is bad, if it is.

    The first row that isn't empty names the columns. A number comes with the percent sign or the
    unit that its format shows; a formula with the value that was saved with it.

    Raises:
        DianjinError: openpyxl is missing, the file is no spreadsheet, or the sheet is not in it.
    """
    try:
        import openpyxl
        from openpyxl.utils.exceptions import InvalidFileException
    except ModuleNotFoundError as error:
        raise DianjinError(
            "reading .xlsx needs openpyxl; pip install 'dianjin-ext[data]'"
        ) from error
    import zipfile

    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except (OSError, KeyError, ValueError, zipfile.BadZipFile, InvalidFileException) as error:
        raise DianjinError(f"{path}: no readable .xlsx file ({error}); save it again") from error
    try:
        if sheet and sheet not in book.sheetnames:
            raise DianjinError(
                f"{path} has no sheet {sheet!r}; it has {', '.join(book.sheetnames)}"
            )
        page = book[sheet] if sheet else book[book.sheetnames[0]]
        header: list[str] | None = None
        for number, row in enumerate(page.iter_rows(), 1):
            shown = [_shown(cell) for cell in row]
            if not any(text.strip() for text in shown):
                continue
            if header is None:
                header = [text.strip() for text in shown]
                named = [name for name in header if name]
                if repeated := {name for name in named if named.count(name) > 1}:
                    raise DianjinError(f"{path}: two columns are called {min(repeated)!r}")
                continue
            value = {name: text for name, text in zip(header, shown, strict=False) if name}
            broken = [name for name, text in value.items() if _ERRORS.fullmatch(text)]
            yield number, value, f"the cell of {broken[0]!r} is an error" if broken else ""
    finally:
        book.close()


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
    form = form.split(";")[0]
    literal = "".join(a or b for a, b in _QUOTED.findall(form)).strip()
    codes = _QUOTED.sub("", form)
    if "%" in codes:
        return f"{_plain(value * 100)}%"
    if re.fullmatch(r"[$€£¥￥]", literal):
        return f"{literal}{_plain(value)}"
    return f"{_plain(value)}{literal}"


def _plain(value: float) -> str:
    """Return 15 digits, as many as a spreadsheet keeps, without an exponent."""
    text = f"{value:.15g}"
    return format(float(text), ".10f").rstrip("0").rstrip(".") if "e" in text else text
