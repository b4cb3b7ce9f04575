import csv
import json
from collections import Counter
from pathlib import Path

import pytest

from dianjin_ext.questions.question import Question
from dianjin_ext.questions.readers import get_reader, read
from dianjin_ext.rewards import gold_response

DATA = Path(__file__).resolve().parents[4] / "shared/data"


def rows(tmp_path, reader, file, given):
    path = tmp_path / file
    if path.suffix == ".csv":
        with path.open("w", encoding="utf-8", newline="") as out:
            writer = csv.DictWriter(out, list(given[0]))
            writer.writeheader()
            writer.writerows(given)
    else:
        path.write_text("".join(json.dumps(row) + "\n" for row in given), encoding="utf-8")
    return list(read(get_reader(reader), [path]))


def test_math_500(tmp_path):
    given = {"problem": "What is $1+1$?", "solution": "Add.", "answer": "2", "subject": "Algebra",
             "level": 1, "unique_id": "test/algebra/7.json"}  # fmt: skip
    (question,) = rows(tmp_path, "math_500", "test.jsonl", [given])
    assert (question.id, question.kind, question.data_source) == (
        "math_500/test/algebra/7", "math", "math_500",
    )  # fmt: skip
    assert (question.category, question.split, question.language) == (
        "Algebra, level 1", "test", "en",
    )  # fmt: skip


def test_real_rows_of_math_500(tmp_path):
    pytest.importorskip("math_verify")
    if not DATA.exists():
        pytest.skip("the published rows are not beside the repository")
    found = list(read(get_reader("math_500"), [DATA / "math500/math500_150.jsonl"]))
    assert len(found) == 150 and all(isinstance(row, Question) for row in found)
    assert len({row.id for row in found}) == 150
    for row in found:
        gold_response(row.data_source, row.answer, row.extra_info)


@pytest.mark.parametrize(
    ("given", "answer"),
    [
        ({"id": 60, "problem": "?", "solution": "x", "answer": "204", "year": "2024"}, "204"),
        ({"ID": "2024-I-4", "Problem": "?", "Solution": "x", "Answer": 116}, "116"),
        ({"problem": "?", "answer": "025"}, "25"),
    ],
)
def test_aime_2024_in_both_circulating_forms(tmp_path, given, answer):
    (question,) = rows(tmp_path, "aime_2024", "aime.jsonl", [given])
    assert (question.answer, question.kind) == (answer, "math")
    assert question.id.startswith("aime_2024/")


@pytest.mark.parametrize("answer", ["1000", "-3", "1/2", ""])
def test_what_is_no_answer_of_aime(tmp_path, answer):
    (row,) = rows(tmp_path, "aime_2024", "aime.jsonl", [{"problem": "?", "answer": answer}])
    assert row.field == "answer"


def gpqa(number):
    return {
        "Question": f"Question {number}?",
        "Correct Answer": f"right {number}",
        "Incorrect Answer 1": f"wrong {number}a",
        "Incorrect Answer 2": f"wrong {number}b",
        "Incorrect Answer 3": f"wrong {number}c",
        "Record ID": f"rec{number:04}",
        "High-level domain": "Physics",
        "Explanation": "Because.",
    }


def test_gpqas_options_are_shuffled_alike_in_every_run_and_letters_come_alike(tmp_path):
    given = [gpqa(number) for number in range(400)]
    found = rows(tmp_path, "gpqa", "gpqa_diamond.csv", given)
    for number, row in enumerate(found):
        assert row.choices[row.answer] == f"right {number}" and len(row.choices) == 4
        assert row.category == "Physics"
    assert min(Counter(row.answer for row in found).values()) > 75
    again = rows(tmp_path, "gpqa", "gpqa_diamond.csv", given[::-1])
    assert {row.id: row.choices for row in again} == {row.id: row.choices for row in found}


def test_a_wrong_answer_that_is_the_right_one_is_told(tmp_path):
    given = gpqa(1) | {"Incorrect Answer 2": "right 1"}
    (row,) = rows(tmp_path, "gpqa", "gpqa_diamond.csv", [given])
    assert row.field == "Incorrect Answer"
