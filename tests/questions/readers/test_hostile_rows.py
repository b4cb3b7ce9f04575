"""A row whose fields are missing, empty or of another type is a bad row, never an exception."""

import copy
import json
from pathlib import Path

import pytest

from dianjin_ext.questions.question import Question
from dianjin_ext.questions.readers import READERS, BadRow
from dianjin_ext.questions.readers.base import parse_row
from dianjin_ext.questions.rows import RawRow

PAGE = {"pre_text": ["a"], "post_text": ["b"], "table_ori": [["", "x"], ["y", "1"]]}
TABLE = {"uid": "t", "table": [["", "x"], ["y", "1"]]}
ASKED = {"uid": "q", "question": "q?", "answer": ["a", "b"], "answer_type": "span", "scale": ""}
LABELS = "类别包括：['甲', '乙']\n文本：x"
DOC = {"pre_text": "a", "post_text": "b", "table": {"2019": {"y": 1.0}}}
TALK = {"conv_questions": ["q?", "r?"], "executed_answers": [1, 2.5]}
MCQ = {"question": "q?", "A": "a", "B": "b", "answer": "A"}
ROWS = [
    ("cflue", "k.json", {"task": "单项选择题", "question": "q", "choices": "{'A': 'a', 'B': 'b'}",
                         "answer": "A", "analysis": "x"}),
    ("cflue_application", "a.json", {"task": "金融文本分类", "sub_task": "s", "instruction": LABELS,
                                     "input": "", "output": "甲"}),
    ("finqa", "train.json", {"id": "1", **PAGE, "qa": {"question": "q", "answer": "14%",
                                                      "exe_ans": 0.14}}),
    ("finqa", "flat.jsonl", {"id": "1", "conversations": [
        {"value": "Context: a\n|b|\nQuestion: q?\nAnswer:"}, {"value": "1"}]}),
    ("convfinqa", "train.json", {"id": "1", **PAGE, "annotation": {
        "dialogue_break": ["q?"], "exe_ans_list": [1.0]}}),
    ("convfinqa", "dev_turn.json", {"id": "1", **PAGE, "annotation": {
        "cur_dial": ["q?", "r?"], "exe_ans_list": [1.0, 2.0], "exe_ans": 2.0}}),
    ("convfinqa", "c.json", {"id": "1", "doc": DOC, "dialogue": TALK}),
    ("convfinqa", "f.json", {"id": "1", "questions": ["q?"], "answer": 1.0, "text": "t",
                             "table": "- | a\nb | 1"}),
    ("tatqa", "dev.json", {"table": TABLE, "paragraphs": [{"order": 1, "text": "p"}],
                           "questions": [ASKED]}),
    ("tfns", "t.csv", {"text": "t", "label": "1"}),
    ("fineva", "x__y.csv", MCQ),
    ("financeiq", "x.csv", {"Question": "q?", "A": "a", "B": "b", "Answer": "A"}),
    ("fineval", "x_dev.csv", MCQ | {"explanation": "x"}),
    ("fincuge", "finnsp_eval_list.json", ["1", "t", "x", "a;b", "1", "a"]),
    ("fincuge", "finre_eval_list.json", ["a", "b", "持股", "s"]),
    ("fincuge", "finfe_eval_list.json", ["t", 1]),
    ("fincuge", "finfe_problem_list.json", {"id": 0, "input": "t"}),
    ("finance_instruct", "t.json", {"system": "s", "user": "u", "assistant": "a"}),
    ("docmath", "d.json", {"question_id": "1", "question": "q", "paragraphs": ["p"],
                           "ground_truth": 1.5}),
    ("xbrl_math", "x.json", {"id": 1, "query": "q", "answer": "1"}),
    ("ccc", "c.json", {"id": 1, "dialogue": [{"role": "a", "content": "b"}], "answer": "是",
                       "steps": [{"agent": "a", "output": "b"}], "guideline": "g"}),
    ("dianjin_r1_data", "cflue_mcq.json", {"instruction": "i",
                                           "output": "<think>t</think>\\boxed{A}"}),
    ("math_500", "test.jsonl", {"problem": "p", "answer": "1", "subject": "s", "level": 1,
                                "unique_id": "u", "solution": "s"}),
    ("aime_2024", "a.jsonl", {"id": 1, "problem": "p", "answer": "204", "solution": "s"}),
    ("gpqa", "g.json", {"Question": "q", "Correct Answer": "a", "Incorrect Answer 1": "b",
                        "Incorrect Answer 2": "c", "Incorrect Answer 3": "d", "Record ID": "r",
                        "High-level domain": "h", "Explanation": "e"}),
    ("fino1", "f.json", {"Question": "q", "Ground-True Answer": "1", "Complex_CoT": "c",
                         "Response": "r"}),
]  # fmt: skip
VALUES = [
    None,
    "",
    " ",
    3,
    -0.5,
    True,
    float("nan"),
    [],
    [None],
    [[1]],
    {},
    {"a": None},
    "x" * 9,
    "a\nb\nc",
]


def _places(value, path=()):
    """Yield the way to each value inside of a row."""
    if path:
        yield path
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield from _places(value[key], (*path, key))


def _changed(row, path, value):
    new = copy.deepcopy(row)
    inner = new
    for key in path[:-1]:
        inner = inner[key]
    if value is Ellipsis:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    return new


def _read(name, file, row):
    place = RawRow("row 0", row)
    return list(parse_row(READERS[name], Path(file), 0, place, {}))


@pytest.mark.parametrize(("name", "file", "row"), ROWS, ids=[f"{n} {f}" for n, f, _ in ROWS])
def test_every_change_of_a_row_gives_questions_or_a_bad_row(name, file, row):
    good = _read(name, file, row)
    assert good and all(isinstance(question, Question) for question in good)
    for path in _places(row):
        for value in (*VALUES, Ellipsis):
            changed = _changed(row, path, value)
            for found in _read(name, file, changed):
                assert isinstance(found, Question | BadRow)
                if isinstance(found, BadRow):
                    assert found.field and found.expected
                else:
                    assert found.question.strip(), (path, value)
                    assert found.answer is None or found.answer.strip(), (path, value)
                    assert json.dumps(found.extra_info)
    for whole in (*VALUES, json.dumps(row)):
        assert all(isinstance(found, BadRow) for found in _read(name, file, whole))


def test_every_reader_is_attacked():
    assert {name for name, *_ in ROWS} | {"fincot", "huatuo"} == set(READERS)
