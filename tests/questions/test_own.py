import datetime
import decimal
import json

import pytest

from dianjin_ext.errors import DianjinError
from dianjin_ext.questions.mapping import load_mapping
from dianjin_ext.questions.own import read_own
from dianjin_ext.questions.readers import BadRow
from dianjin_ext.rewards import compute_score

EXAM = """
question: 题目
answer: 答案
kind: choice
choices: {A: 选项A, B: 选项B, C: 选项C}
reasoning: 解析
category: 科目
split: 划分
id: 编号
"""


@pytest.fixture
def own(tmp_path):
    """Read rows by a mapping; returns questions, and the bad rows as texts."""

    def run(rows, mapping, file="rows.json"):
        path = tmp_path / file
        text = rows if isinstance(rows, str) else json.dumps(rows, ensure_ascii=False)
        path.write_text(text, encoding="utf-8")
        (tmp_path / "map.yaml").write_text(mapping, encoding="utf-8")
        found = list(read_own([path], load_mapping(tmp_path / "map.yaml")))
        bad = [str(row) for row in found if isinstance(row, BadRow)]
        return [row for row in found if not isinstance(row, BadRow)], bad

    return run


def test_an_exam(own):
    row = {
        **{"题目": "哪一项？", "选项A": "甲", "选项B": "乙", "选项C": "丙", "答案": "B、a"},
        **{"解析": "因为", "科目": "会计", "划分": "validation", "编号": 7},
    }
    (question,), bad = own([row], EXAM)
    assert not bad
    assert (question.answer, question.choices) == ("AB", {"A": "甲", "B": "乙", "C": "丙"})
    assert (question.id, question.split, question.category) == ("own/7", "val", "会计")
    assert (question.reasoning, question.data_source, question.language) == ("因为", "choice", "zh")


@pytest.mark.parametrize(
    ("given", "letters"),
    [
        ("B", "B"),
        ("b", "B"),
        ("A,C", "AC"),
        ("CA", "AC"),
        ("乙", "B"),
        ("（Ａ）", "A"),
        ("A|C", "AC"),
        ("B. 乙", "B"),
        (["C", "A"], "AC"),
    ],
)
def test_letters_of_an_exam(own, given, letters):
    row = {"题目": "哪一项？", "选项A": "甲", "选项B": "乙", "选项C": "丙", "答案": given}
    (question,), _ = own([row], EXAM.split("reasoning")[0])
    assert question.answer == letters


@pytest.mark.parametrize(
    "options",
    [
        {"A": "x", "B": "y"},
        ["x", "y"],
        '{"A": "x", "B": "y"}',
        "A. x\nB. y",
        "A.x B.y",
        "A. x；B. y",
        {"B": "y", "A": "x"},
    ],
)
def test_options_in_one_column(own, options):
    mapping = "question: q\nanswer: a\nkind: choice\nchoices: options\n"
    (question,), bad = own([{"q": "Which?", "a": "B", "options": options}], mapping)
    assert not bad and question.choices == {"A": "x", "B": "y"}


NUMBER = "question: q\nanswer: a\nkind: number\n"


def test_whether_several_options_may_be_right_differs_from_row_to_row(own):
    row = {"题目": "哪一项？", "选项A": "甲", "选项B": "乙", "选项C": "丙"}
    given = [("B", "否"), ("AB", "是"), ("A", True), ("AB", False), ("C", ""), ("A", "也许")]
    rows = [row | {"答案": answer, "多选": several} for answer, several in given]
    columns = EXAM.partition("reasoning")[0]
    questions, bad = own(rows, columns + "multiple: {column: 多选}\n")
    assert [q.multiple for q in questions] == [False, True, True, None]
    assert len(bad) == 2 and "one letter" in bad[0]
    assert "多选: expected one of true, false, 1, 0, yes, no, 是, 否, found '也许'" in bad[1]


def test_numbers_and_their_scale(own):
    rows = [{"q": f"第{i}季度利润？", "a": a} for i, a in enumerate([1150, "12.5%", "(3.2)", "是"])]
    questions, bad = own(rows, NUMBER + "scale: 万元\n")
    assert not bad
    assert [q.answer for q in questions] == ["1150", "12.5%", "(3.2)", "是"]
    for text in ("1150", "1150万元", "11500000元"):
        reply = f"<think>算</think><answer>\\boxed{{{text}}}</answer>"
        score = compute_score("numeric", reply, "1150", questions[0].extra_info)
        assert score["score"] == 1.0, (text, score)
    rows = [{"q": "利润？", "a": "3", "u": "亿元"}, {"q": "利润率？", "a": "3%", "u": None}]
    questions, _ = own(rows, NUMBER + "scale: {column: u}\n")
    assert [q.scale for q in questions] == ["亿元", ""]


def test_answers_are_what_the_file_writes_and_what_is_meant(own):
    mapping = (
        "question: q\nanswer: a\nkind: label\nlabels: [合规, 不合规]\n"
        "answers: {1: 合规, 0: 不合规, TRUE: 合规, no: 不合规}\n"
    )
    rows = [{"q": "问", "a": a} for a in (1, 0, True, "no", "合规", "也许")]
    questions, bad = own(rows, mapping)
    assert [q.answer for q in questions] == ["合规", "不合规", "合规", "不合规", "合规"]
    assert bad == ["rows.json, row 5, a: expected one of 合规, 不合规, found '也许'"]


def test_context_and_questions_without_gold(own):
    mapping = "question: q\nkind: open\ncontext: [报告, 表]\ndata_source: my/desk\nlicence: ours\n"
    (question,), _ = own([{"q": "为什么？", "报告": "甲", "表": [["a", 1]]}], mapping)
    assert question.answer is None and question.context == '甲\n\n[["a", 1]]'
    assert (question.data_source, question.licence) == ("my/desk", "ours")


BAD = [
    ({"题目": "", "答案": "A"}, "题目: expected text, found nothing; fill it in"),
    ({"题目": "问", "答案": None}, "答案: expected text, found nothing"),
    ({"题目": "问", "答案": "D"}, "答案: expected letters of ABC or an option, found 'D'"),
    (
        {"题目": "问", "答案": "A", "选项B": ""},
        "expected options A, B, … in order, found ['A', 'C']",
    ),
    ({"题目": "问", "答案": "A", "划分": "extra"}, "划分: expected train, val or test"),
    (3, "row: expected an object, found a number"),
]


@pytest.mark.parametrize(("row", "message"), BAD, ids=range(len(BAD)))
def test_a_bad_row_is_told_by_place_column_and_expectation(own, row, message):
    good = {"题目": "问", "选项A": "甲", "选项B": "乙", "选项C": "丙", "答案": "A", "划分": "train"}
    changed = good | row if isinstance(row, dict) else row
    questions, (bad,) = own(
        [good, changed],
        EXAM.replace("reasoning: 解析\ncategory: 科目\n", "").replace("id: 编号\n", ""),
    )
    assert len(questions) == 1
    assert bad.startswith("rows.json, row 1, ") and message in bad


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        ("- question: q", "expected keys such as `question: 题目`, found list"),
        ("question: q\nkind: yes_no", "kind: Input should be 'choice'"),
        ("question: q\nanswr: a\nkind: open", "'answr' is no key; known: question, answer"),
        ("kind: open", "question: missing"),
        ("question: q\nkind: choice", "choices: expected the columns of the options"),
        ("question: q\nkind: choice\nchoices: {A: x, C: y}", "letters A, B, … in order"),
        ("question: q\nkind: open\nquestion: p", "'question' is given twice"),
        ("question: q\nkind: number\nscale: {unit: u}", "expected a scale such as 万元"),
        (
            "question: q\nkind: number\nmultiple: {of: m}",
            "expected true or false, or {column: 多选}",
        ),
        ("question: q\nkind: number\nmultiple: maybe", "multiple: expected true or false"),
        ("question: [", "can't be read as YAML"),
        ("question: q\nkind: open\ndelimiter: ab", "delimiter: expected one character such as ;"),
        (
            "question: q\nkind: open\nencoding: gbx",
            "encoding: expected an encoding such as gb18030",
        ),
        ("question: q\nkind: open\nlabels: 是", "labels: expected a list such as [是, 否], found"),
        ("question: q\nkind: choice\nchoices: [x, y]", "choices: expected keys with a value each"),
        ("question: q\nkind: open\nanswer: gold", "has no column 'gold', which the mapping names"),
    ],
)
def test_a_mistake_in_the_mapping_is_one_line(own, mapping, message):
    with pytest.raises(DianjinError) as error:
        own([{"q": "x", "a": "y"}], mapping)
    assert message in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1e-7, "0.0000001"),
        (-1.5e-9, "-0.0000000015"),
        (1e15, "1000000000000000"),
        (1e22, "1" + "0" * 22),
    ],
)
def test_no_digit_of_a_number_is_lost(own, value, text):
    (question,), _ = own([{"q": "x", "a": value}], NUMBER)
    assert question.answer == text


def test_a_key_that_the_first_row_lacks(own):
    mapping = NUMBER + "context: c\n"
    questions, bad = own([{"q": "x", "a": 1}, {"q": "y", "a": 2, "c": "m"}], mapping)
    assert not bad and [question.context for question in questions] == ["", "m"]


def test_errors_of_a_sheet_matter_where_they_are_read(own):
    rows = [{"q": "x", "a": "#N/A", "note": ""}, {"q": "y", "a": 2, "note": "#REF!"}]
    questions, bad = own(rows, NUMBER)
    assert len(questions) == 1
    assert bad == ["rows.json, row 0, a: expected a value, found the error #N/A"]


def test_splits_in_chinese(own):
    rows = [{"q": "x", "a": 1, "s": split} for split in ("训练集", "验证", "测试集")]
    questions, _ = own(rows, NUMBER + "split: s\n")
    assert [question.split for question in questions] == ["train", "val", "test"]


def test_the_types_of_parquet(tmp_path):
    pa = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    columns = {
        "q": ["x", "y"],
        "a": [decimal.Decimal("1.50"), decimal.Decimal("-2.00")],
        "day": [datetime.date(2024, 3, 31), None],
        "raw": [b"\xff", b"ok"],
    }
    path, mapping = tmp_path / "rows.parquet", tmp_path / "map.yaml"
    parquet.write_table(pa.table(columns), path)
    mapping.write_text(NUMBER + "context: [day, raw]\n")
    bad, good = read_own([path], load_mapping(mapping))
    assert str(bad) == "rows.parquet, row 0, raw: expected text, found bytes"
    assert (good.answer, good.context) == ("-2.00", "ok")
