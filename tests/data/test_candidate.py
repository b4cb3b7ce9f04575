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
