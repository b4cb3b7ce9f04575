import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dianjin_ext.errors import DianjinError
from dianjin_ext.questions.question import Question, Turn, read_questions, schema, write_questions

FULL = Question(
    id="x/1",
    data_source="convfinqa",
    question="变动是多少？",
    kind="number",
    answer="12.5%",
    context="| a |\n| --- |\n| 1 |",
    turns=(Turn("2019年呢？", "3"), Turn("2018年呢？", "")),
    choices={"B": "乙", "A": "甲"},
    multiple=True,
    labels=("是", "否"),
    scale="万元",
    language="en",
    category="c",
    split="val",
    licence="MIT",
    reasoning="因为",
    reply="所以",
    file="f.json",
    row=7,
)
BARE = Question(data_source="exact", question="q", kind="open", answer=None)


def test_questions_come_back_as_they_were(tmp_path):
    path = tmp_path / "questions.parquet"
    assert write_questions([FULL, BARE], path) == 2
    assert list(read_questions(path)) == [FULL, BARE]
    assert list(next(read_questions(path)).choices) == ["B", "A"]  # in their order
    many = [BARE] * 2500
    assert write_questions(many, path) == 2500
    assert list(read_questions(path)) == many


def test_every_file_has_one_schema_whatever_is_in_it(tmp_path):
    for name, questions in (("a", [FULL]), ("b", [BARE]), ("c", [])):
        write_questions(questions, tmp_path / name)
        assert pq.read_schema(tmp_path / name) == schema()


def test_other_files_are_refused(tmp_path):
    pq.write_table(pa.table({"id": ["1"]}), tmp_path / "x.parquet")
    with pytest.raises(DianjinError, match="lacks the columns data_source, question"):
        list(read_questions(tmp_path / "x.parquet"))
    (tmp_path / "y.parquet").write_bytes(b"PAR1")
    with pytest.raises(DianjinError, match="can't be read as parquet"):
        list(read_questions(tmp_path / "y.parquet"))


def test_a_reward_is_told_what_it_needs():
    assert FULL.extra_info == {
        "question": "变动是多少？",
        "choices": {"B": "乙", "A": "甲"},
        "labels": ["是", "否"],
        "scale": "万元",
    }
    assert BARE.extra_info == {"question": "q", "choices": None}
