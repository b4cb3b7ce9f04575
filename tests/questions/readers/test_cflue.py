import json
from pathlib import Path

import pytest

from dianjin_ext.errors import DianjinError
from dianjin_ext.questions.readers import BadRow, get_reader
from dianjin_ext.questions.readers import read as read_files


def read(path):
    rows = list(read_files(get_reader("cflue"), [path]))
    bad = [row for row in rows if isinstance(row, BadRow)]
    return [row for row in rows if not isinstance(row, BadRow)], bad


GOOD = {
    "名称": "证券从业资格",
    "task": "多项选择题",
    "question": "下列属于债券的有（）。",
    "choices": "{'A': '国债', 'B': '普通股', 'C': '公司债'}",
    "answer": "CA",
    "analysis": "普通股是股票。",
}


def read_rows(tmp_path, *rows):
    path = tmp_path / "knowledge.json"
    path.write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8")
    return read(path)


def test_a_good_row(tmp_path):
    (question,), bad = read_rows(tmp_path, GOOD)
    assert bad == []
    assert question.row == 0
    assert question.question == "下列属于债券的有（）。"
    assert question.choices == {"A": "国债", "B": "普通股", "C": "公司债"}
    assert question.answer == "AC"
    assert (question.kind, question.category, question.multiple) == ("choice", "multiple", True)
    assert question.data_source == "cflue_mcq"
    assert question.licence == "CC BY-NC-SA 4.0"
    assert question.id == "cflue/knowledge/0"
    assert question.reasoning == "普通股是股票。"


@pytest.mark.parametrize("analysis", [None, "", " 略。", "略", "无"])
def test_no_explanation(tmp_path, analysis):
    (question,), bad = read_rows(tmp_path, GOOD | {"analysis": analysis})
    assert not bad
    assert question.reasoning is None


def test_missing_analysis_is_no_explanation(tmp_path):
    row = {key: value for key, value in GOOD.items() if key not in ("analysis", "名称")}
    (question,), bad = read_rows(tmp_path, row)
    assert not bad
    assert question.reasoning is None


def test_a_multiple_answer_task_may_have_one_letter(tmp_path):
    (question,), bad = read_rows(tmp_path, GOOD | {"answer": "B"})
    assert (question.category, question.answer, bad) == ("multiple", "B", [])


@pytest.mark.parametrize(
    ("change", "field", "message"),
    [
        ({"task": "简答题"}, "task", "expected one of 单项选择题"),
        ({"task": None}, "task", "expected text, found nothing"),
        ({"question": "  "}, "question", "expected text"),
        ({"question": 7}, "question", "expected text, found 7"),
        ({"choices": "{'A': '国债', 'B': "}, "choices", "as text, found"),
        ({"choices": "__import__('os').getcwd()"}, "choices", "as text, found"),
        ({"choices": "{'A': 1, 'B': '股票'}"}, "choices", "expected text for option A, found 1"),
        ({"choices": "{'A': '国债', 'B': ' '}"}, "choices", "option B"),
        ({"choices": "{'A': '国债', 'C': '股票'}"}, "choices", "letters A, B, … in order"),
        ({"choices": "{'A': '国债'}"}, "choices", "in order"),
        ({"choices": "['国债', '股票']"}, "choices", "as text, found"),
        ({"choices": "(" * 3000}, "choices", "as text, found"),
        ({"choices": "{'A': '" + "x" * 20_000 + "', 'B': 'y'}"}, "choices", "as text, found"),
        ({"choices": None}, "choices", "found 'None'"),
        ({"answer": "D"}, "answer", "letters of ABC, found 'D'"),
        ({"answer": "AA"}, "answer", "different letters"),
        ({"answer": "A,C"}, "answer", "different letters"),
        ({"answer": ""}, "answer", "expected text, found nothing"),
        ({"answer": ["A"]}, "answer", "expected text"),
        ({"task": "单项选择题"}, "answer", "one letter for this task, found 'CA'"),
        ({"analysis": 3}, "analysis", "text or null, found int"),
    ],
)
def test_bad_rows_name_row_field_and_expectation(tmp_path, change, field, message):
    questions, (bad,) = read_rows(tmp_path, GOOD, GOOD | change)
    assert [q.row for q in questions] == [0]
    assert (bad.row, bad.field) == (1, field)
    assert message in bad.expected
    assert str(bad) == f"knowledge.json, row 1, {field}: {bad.expected}"


def test_every_bad_row_is_told(tmp_path):
    questions, bad = read_rows(tmp_path, "text", GOOD, {}, GOOD | {"answer": "Z"})
    assert [q.row for q in questions] == [1]
    assert [(row.row, row.field) for row in bad] == [(0, "row"), (2, "task"), (3, "answer")]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"[{", "not valid JSON"),
        (b"{}", "expected a list of rows, found dict"),
        (b'{"a": []}', "expected a list of rows, found dict"),
        (b"[]", "expected a list of rows"),
        ("[“]".encode("gbk"), "not UTF-8 at byte"),
    ],
)
def test_an_unusable_file(tmp_path, content, message):
    path = tmp_path / "knowledge.json"
    path.write_bytes(content)
    with pytest.raises(DianjinError, match=message) as error:
        read(path)
    assert str(path) in str(error.value)


def test_a_missing_file(tmp_path):
    with pytest.raises(DianjinError, match=r"none\.json: cannot be read \(there is no such file"):
        read(tmp_path / "none.json")


def test_published_rows():
    path = Path(__file__).resolve().parents[4] / "shared/data/cflue/knowledge_1500.json"
    if not path.exists():
        pytest.skip("the published CFLUE rows are not beside the repository")
    questions, bad = read(path)
    assert bad == []
    assert len(questions) == 1500
    assert sum(q.category == "multiple" and len(q.answer) == 1 for q in questions) == 41
    assert sum(q.reasoning is None for q in questions) == 129  # 80 null, 49 "omitted"
