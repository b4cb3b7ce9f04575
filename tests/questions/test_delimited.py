import gzip

import pytest

from dianjin_ext.errors import DianjinError
from dianjin_ext.questions.delimited import csv_rows

ROWS = [{"题目": "利润，第一季度", "答案": "3,200万元"}, {"题目": "两行\n的题", "答案": "是"}]


def text(mark):
    return f'题目{mark}答案\r\n"利润，第一季度"{mark}"3,200万元"\r\n\r\n"两行\n的题"{mark}是\r\n'


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16"])
@pytest.mark.parametrize("mark", [",", "\t", ";"])
def test_encodings_and_delimiters(tmp_path, encoding, mark):
    path = tmp_path / "rows.csv"
    path.write_bytes(text(mark).encode(encoding))
    found = list(csv_rows(path))
    assert [row for _, row, _ in found] == ROWS
    assert [(line, problem) for line, _, problem in found] == [(2, ""), (4, "")]


def test_packed_and_columns_without_a_name(tmp_path):
    path = tmp_path / "rows.csv.gz"
    path.write_bytes(gzip.compress(b",a,b,\r\n0,x,y,\r\n1,z,,\r\n"))
    assert [row for _, row, _ in csv_rows(path)] == [{"a": "x", "b": "y"}, {"a": "z", "b": ""}]


def test_rows_with_too_many_or_too_few_fields_are_told(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("a,b\n1,2\n1,2,3\n1\n1,2,,\n")
    problems = [(line, problem[:31]) for line, _, problem in csv_rows(path)]
    assert problems == [
        (2, ""), (3, "expected 2 fields, found 3; put"), (4, "expected 2 fields, found 1; put"),
        (5, ""),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "expected the names of the columns in line 1"),
        (b"a,b,a\n1,2,3\n", "two columns are called 'a'"),
        (b"PK\x03\x04", "rename it to .xlsx"),
        (b"a\n\xff\xff\n", "not utf-8-sig or gb18030 at byte 2; save it as UTF-8"),
    ],
)
def test_unusable_files(tmp_path, content, message):
    path = tmp_path / "rows.csv"
    path.write_bytes(content)
    with pytest.raises(DianjinError, match=message):
        list(csv_rows(path))


def test_an_encoding_that_is_named(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_bytes("a\né\n".encode("latin-1"))
    assert [row for _, row, _ in csv_rows(path, encoding="latin-1")] == [{"a": "é"}]
    with pytest.raises(DianjinError, match="no encoding is called 'latin-0'"):
        list(csv_rows(path, encoding="latin-0"))
    with pytest.raises(DianjinError, match="not ascii at byte 2"):
        list(csv_rows(path, encoding="ascii"))


@pytest.mark.parametrize(
    ("content", "row"),
    [
        ("sep=;\r\n题;答\r\n甲;1\r\n", {"题": "甲", "答": "1"}),
        ("\n,,\n题,答\n甲,1\n", {"题": "甲", "答": "1"}),
        ('"题\n(元)";答;注\n甲;1;x\n', {"题\n(元)": "甲", "答": "1", "注": "x"}),
        ("题（甲，乙，丙）,答\n甲,1\n", {"题（甲，乙，丙）": "甲", "答": "1"}),
        ("题，答\n甲，1\n", {"题": "甲", "答": "1"}),
    ],
)
def test_the_head_as_programs_and_people_write_it(tmp_path, content, row):
    path = tmp_path / "rows.csv"
    path.write_bytes(content.encode())
    assert [row for _, row, _ in csv_rows(path)] == [row]
