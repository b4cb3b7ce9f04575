import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dianjin_ext.data.candidate import Candidate, read_candidates, schema, write_candidates
from dianjin_ext.errors import DianjinError
from dianjin_ext.questions.question import Question, write_questions

QUESTION = Question(id="x/1", data_source="choice", question="q", kind="choice", answer="A")


def test_candidates_come_back_as_they_were(tmp_path):
    graded = Candidate(
        question=QUESTION,
        sample=3,
        model="m",
        reasoning="因为",
        response="\\boxed{A}",
        finish_reason="stop",
        prompt_tokens=10,
        completion_tokens=20,
        score=1.0,
        acc=1.0,
        reason="correct",
        pred="A",
    )
    bare = Candidate(question=QUESTION, response="")
    path = tmp_path / "candidates.parquet"
    assert write_candidates([graded, bare], path) == 2
    assert list(read_candidates(path)) == [graded, bare]
    assert pq.read_schema(path) == schema()
    types = {field.name: str(field.type) for field in schema()}
    assert (types["sample"], types["score"], types["model"]) == ("int64", "double", "string")


def test_a_file_of_questions_is_none_of_candidates(tmp_path):
    write_questions([QUESTION], tmp_path / "questions.parquet")
    with pytest.raises(DianjinError, match=r"lacks the columns question\.id"):
        list(read_candidates(tmp_path / "questions.parquet"))


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("notes", "{bad", "Expecting property name"),
        ("notes", None, "NoneType"),
        ("notes", "[]", "notes: expected a JSON object"),
        ("response", None, "response: expected a text, found None"),
        ("question.id", None, "question.id: expected a text, found None"),
    ],
)
def test_a_row_that_is_none_is_named(tmp_path, column, value, words):
    question = Question(id="q", data_source="finqa", question="?", kind="number", answer="5")
    path = tmp_path / "candidates.parquet"
    write_candidates([Candidate(question=question, response="5")] * 2, path)
    table = pq.read_table(path)
    place = table.schema.get_field_index(column)
    values = [table[column][0].as_py(), value]
    column = pa.array(values, table.schema.field(place).type)
    pq.write_table(table.set_column(place, table.schema.field(place).name, column), path)
    with pytest.raises(DianjinError, match=r"candidates\.parquet, row 2: ") as error:
        list(read_candidates(path))
    assert words in str(error.value) and "\n" not in str(error.value)
