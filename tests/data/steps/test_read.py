import json

import pytest

from dianjin_ext.data.steps.read import STEP
from dianjin_ext.data.steps.settings import Read
from dianjin_ext.errors import DianjinError
from dianjin_ext.questions.question import read_questions, write_questions

ROWS = [
    {"名称": "考试", "task": "单项选择题", "question": f"第{i}题问什么？", "analysis": "略",
     "choices": str({"A": f"甲{i}", "B": f"乙{i}", "C": f"丙{i}", "D": f"丁{i}"}), "answer": "A"}
    for i in range(10)
]  # fmt: skip


def test_a_published_file_becomes_questions_that_can_be_graded(tmp_path):
    rows = [*ROWS, ROWS[0], {**ROWS[1], "answer": "Z"}, {"question": "?"}]
    (tmp_path / "knowledge.json").write_text(json.dumps(rows, ensure_ascii=False))
    given = [tmp_path / "knowledge.json"], tmp_path / "out.parquet"
    with pytest.raises(DianjinError, match="row 12"):
        STEP.run(*given, Read(dataset="cflue"))
    assert not (tmp_path / "out.parquet").exists()
    report = STEP.run(*given, Read(dataset="cflue", on_error="skip"))
    assert report["rows"] == 13 and report["written"] == 10
    assert report["by_source"] == {"cflue_mcq": 10}
    assert report["dropped"]["duplicate"] == 1 and report["removed"] == 3
    lines = (tmp_path / "out.removed.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 3 and all(json.loads(line)["reason"] for line in lines)


def test_some_rows_of_some_splits(tmp_path, choice, number):
    from dataclasses import replace

    rows = [replace(number, id=f"n/{i}", question=f"{i}?", split="val") for i in range(9)]
    write_questions([choice, *rows], tmp_path / "in.parquet")
    given = [tmp_path / "in.parquet"], tmp_path / "out.parquet"
    STEP.run(*given, Read(splits=("val",), rows=5, seed=3))
    first = [q.id for q in read_questions(tmp_path / "out.parquet")]
    assert len(first) == 5 and all(name.startswith("n/") for name in first)
    STEP.run(*given, Read(splits=("val",), rows=5, seed=3))
    assert [q.id for q in read_questions(tmp_path / "out.parquet")] == first == sorted(first)
    STEP.run(*given, Read(as_split="train"))
    assert {q.split for q in read_questions(tmp_path / "out.parquet")} == {"train"}


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("x.json", Read(), "say which data set .*x.json is of"),
        ("x.json", Read(dataset="own"), "needs map"),
        ("x.json", Read(dataset="nope"), "no reader for 'nope'"),
        ("x.json", Read(dataset="cflue", on_error="maybe"), "expected stop or skip"),
    ],
)
def test_what_can_not_be_read_is_told(tmp_path, name, settings, message):
    (tmp_path / name).write_text("[]")
    with pytest.raises(DianjinError, match=message):
        STEP.run([tmp_path / name], tmp_path / "out.parquet", settings)
