import datetime

import pytest

pytest.importorskip("openpyxl")
import openpyxl

from dianjin_ext.errors import DianjinError
from dianjin_ext.questions.sheet import xlsx_rows

# value, its format, what the sheet shows
CELLS = [
    (0.125, "0.0%", "12.5%"),
    (0.07, "0%", "7%"),
    (3200, '#,##0"万元"', "3200万元"),
    (5.5, '"$"#,##0.00', "$5.5"),
    (1150, "General", "1150"),
    (1e9, "General", "1000000000"),
    (-3.25, "0.00;[Red]-0.00", "-3.25"),
    (0.1 + 0.2, "General", "0.3"),
    ("3,200万元", "General", "3,200万元"),
    (1e-11, "General", "0.00000000001"),
    (1150000, '#,##0,"千元"', "1150千元"),
    (11500000, '0\\.0,"万元"', "1150万元"),
    (11500000, '0!.0000"万元"', "1150万元"),
    (11500000, '[>=10000]0\\.0,"万元";0', "11500000"),  # its unit depends on the number
    (-5, "[$¥-804]#,##0", "-¥5"),
    (5, '"共"0"元"', "共5元"),
    (5, "0元", "5元"),
    (5, "_ * #,##0.00_ ", "5"),
    (True, "General", "TRUE"),
    (datetime.date(2024, 3, 31), "yyyy-mm-dd", "2024-03-31"),
    (None, "General", ""),
]


def save(tmp_path, fill):
    book = openpyxl.Workbook()
    fill(book)
    path = tmp_path / "rows.xlsx"
    book.save(path)
    return path


def test_values_are_as_the_sheet_shows_them(tmp_path):
    def fill(book):
        book.active.append([None, None])  # a blank row above
        book.active.append(["问", "答", None])
        for value, form, _ in CELLS:
            book.active.append(["x", value])
            book.active.cell(book.active.max_row, 2).number_format = form

    found = list(xlsx_rows(save(tmp_path, fill)))
    assert [row["答"] for _, row, _ in found] == [shown for *_, shown in CELLS]
    assert [number for number, *_ in found][:2] == [3, 4]  # as the sheet counts them


def test_sheets_errors_and_repeated_columns(tmp_path):
    def fill(book):
        book.active.title = "说明"
        book.active.append(["a", "a"])
        second = book.create_sheet("题目")
        second.append(["q"])
        second.append(["#N/A"])

    path = save(tmp_path, fill)
    with pytest.raises(DianjinError, match="two columns of row 1 are called 'a'"):
        list(xlsx_rows(path))
    assert [row for _, row, _ in xlsx_rows(path, sheet="题目")] == [{"q": "#N/A"}]
    with pytest.raises(DianjinError, match="has no sheet '答'; it has 说明, 题目"):
        list(xlsx_rows(path, sheet="答"))


def test_what_is_no_spreadsheet(tmp_path):
    (tmp_path / "x.xlsx").write_text("a,b")
    with pytest.raises(DianjinError, match=r"x\.xlsx: no readable \.xlsx file"):
        list(xlsx_rows(tmp_path / "x.xlsx"))


def test_merged_cells_and_hidden_sheets(tmp_path):
    def fill(book):
        book.active.append(["x"])
        book.active.append(["old"])
        book.active.sheet_state = "hidden"
        page = book.create_sheet("题目")
        for row in (["材料", "题目"], ["甲", "一"], [None, "二"], ["乙", "三"]):
            page.append(row)
        page.merge_cells("A2:A3")

    found = [row for _, row, _ in xlsx_rows(save(tmp_path, fill))]
    assert [(row["材料"], row["题目"]) for row in found] == [
        ("甲", "一"), ("甲", "二"), ("乙", "三")
    ]  # fmt: skip
