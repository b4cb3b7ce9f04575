"""Sets whose rows are published elsewhere only: rows made by hand in their published layout."""

import json

import pytest

from dianjin_ext.questions.prompts import prompt, response
from dianjin_ext.questions.question import Turn
from dianjin_ext.questions.readers import READERS, BadRow, get_reader, read
from dianjin_ext.questions.tables import markdown_tables
from dianjin_ext.rewards import compute_score

TABLE = [["", "2019"], ["revenue", "$ 5"]]
PAGE = {"pre_text": ["before ."], "post_text": ["after ."], "table_ori": TABLE}


@pytest.fixture
def parse(tmp_path):
    def run(name, rows, file="rows.json"):
        path = tmp_path / file
        text = "\n".join(map(json.dumps, rows)) if file.endswith(".jsonl") else json.dumps(rows)
        path.write_text(text, encoding="utf-8")
        return list(read(get_reader(name), [path]))

    return run


def test_convfinqa_as_published(parse):
    row = {
        "id": "Double_A/2019/page_1.pdf",
        **PAGE,
        "annotation": {
            "dialogue_break": ["what was revenue?", "and in per cent?"],
            "turn_program": ["5", "divide(5, 50)"],
            "exe_ans_list": [5.0, 0.1],
            "qa_split": [0, 1],
        },
    }
    first, second = parse("convfinqa", [row], "train.json")
    assert (first.question, first.answer, first.turns) == ("what was revenue?", "5", ())
    assert (second.answer, second.turns) == ("0.1", (Turn("what was revenue?", "5"),))
    assert first.split == "train" and second.id == "convfinqa/Double_A/2019/page_1.pdf/1"
    assert list(markdown_tables(second.context)) == [TABLE]
    assert "Q: what was revenue?\nA: 5\n\nand in per cent?" in prompt(second)

    hidden = row | {"annotation": {"dialogue_break": row["annotation"]["dialogue_break"]}}
    first, second = parse("convfinqa", [hidden], "test.json")
    assert (first.answer, second.answer, second.turns[0].answer) == (None, None, "")


def test_convfinqa_a_turn_a_row(parse):
    row = {
        "id": "Single_A/2019/page_1.pdf-1_1",
        **PAGE,
        "annotation": {
            "cur_dial": ["what was revenue?", "and twice that?"],
            "exe_ans_list": [5.0, 10.0, 20.0],
            "exe_ans": 10.0,
            "turn_ind": 1,
        },
    }
    (question,) = parse("convfinqa", [row], "dev_turn.json")
    assert (question.question, question.answer, question.split) == ("and twice that?", "10", "val")
    assert question.turns == (Turn("what was revenue?", "5"),)


def test_docmath(parse):
    row = {
        "question_id": "simplong-testmini-0",
        "question": "What is the sum?",
        "paragraphs": ["text", "| a |\n| --- |\n| 1 |", ""],
        "ground_truth": -12345.5,
        "python_solution": "…",
    }
    question, hidden = parse("docmath", [row, row | {"ground_truth": None}], "simplong_test.json")
    assert (question.answer, question.category, question.data_source) == (
        "-12345.5", "simplong", "docmath",
    )  # fmt: skip
    assert list(markdown_tables(question.context)) == [[["a"], ["1"]]]
    assert hidden.answer is None and hidden.id == "docmath/simplong-testmini-0~2"


def test_xbrl_math(parse):
    (question,) = parse("xbrl_math", [{"id": 3, "query": "ROI: 5 / 4?", "answer": "1.25"}])
    assert (question.id, question.answer, question.split) == ("xbrl_math/3", "1.25", "test")


def test_finance_instruct_is_json_lines_under_the_name_of_json(parse, tmp_path):
    rows = [
        {"system": "You advise.", "user": "What is a bond?", "assistant": "A loan."},
        {"system": "", "user": "什么是债券？", "assistant": "一种借款。"},
    ]
    path = tmp_path / "train.json"
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    english, chinese = read(get_reader("finance_instruct"), [path])
    assert (english.context, english.language, english.split) == ("You advise.", "en", "train")
    assert (chinese.context, chinese.language, chinese.answer) == ("", "zh", "一种借款。")


def test_ccc(parse):
    rows = [
        {
            "dialogue": [
                {"role": "客服", "content": "保证收益。"},
                {"role": "客户", "content": "好。"},
            ],
            "guideline": "不得承诺收益。",
            "answer": "不合规",
            "steps": [{"agent": "审核", "output": "承诺了收益。"}, "违反规定。"],
        },
        {"dialogue": "Agent: I promise a profit.", "answer": "Non-compliant"},
    ]
    zh, en = parse("ccc", rows)
    assert (zh.answer, zh.context, zh.language) == ("不合规", "不得承诺收益。", "zh")
    assert (
        zh.question.startswith("客服: 保证收益。\n客户: 好。") and "“合规”或“不合规”" in zh.question
    )
    assert zh.reasoning == "审核: 承诺了收益。\n违反规定。"
    assert (en.answer, en.language, en.reasoning) == ("non-compliant", "en", None)
    for question in (zh, en):
        text = f"<think>x</think><answer>\\boxed{{{question.answer}}}</answer>"
        assert compute_score("ccc", text, question.answer, question.extra_info)["score"] == 1.0


OUTPUT = "<think>想一想</think>\n<answer>因此选 A。\\boxed{A}</answer>"


@pytest.mark.parametrize(
    ("file", "boxed", "expected"),
    [
        ("cflue_mcq.json", "A", ("cflue_mcq", "choice")),
        ("cflue_oe.json", "有限责任", ("cflue_oe", "open")),
        ("fin_qa.json", "12.5%", ("finqa", "number")),
    ],
)
def test_dianjin_r1_data(parse, file, boxed, expected):
    output = OUTPUT.replace("{A}", f"{{{boxed}}}")
    (question,) = parse("dianjin_r1_data", [{"instruction": "请作答。", "output": output}], file)
    assert (question.data_source, question.kind) == expected
    assert (question.answer, question.reasoning) == (boxed, "想一想")
    told = response(question)
    assert told == output
    assert compute_score(question.data_source, told, boxed, question.extra_info)["score"] == 1.0


FLAT = (
    "Please answer the given financial question based on the context.\n"
    "Context: before .\n||2019|\n|revenue|$ 5|\nafter .\nQuestion: what was revenue?\nAnswer:"
)


def test_fino1_takes_context_and_table_apart(parse):
    row = {
        "Open-ended Verifiable Question": FLAT,
        "Ground-True Answer": "5",
        "Complex_CoT": "Look at the table.",
        "Response": "It was 5.",
    }
    (question,) = parse("fino1", [row])
    assert (question.question, question.data_source) == ("what was revenue?", "finqa")
    assert list(markdown_tables(question.context)) == [TABLE]
    told = response(question)
    assert told.endswith("It was 5.\n\n\\boxed{5}</answer>")
    assert compute_score("finqa", told, "5", question.extra_info)["score"] == 1.0


def test_fincot_has_no_gold_answer(parse):
    row = {"Question": "Why?", "Reasoning_process": "Because.", "Final_response": "So."}
    (question,) = parse("fincot", [row], "SFT.jsonl")
    assert (question.answer, question.reasoning, question.reply) == (None, "Because.", "So.")


BAD = {
    "cflue_application": ({"task": "t", "sub_task": "s", "instruction": "i"}, "output"),
    "finqa": ({"id": "1", **PAGE, "qa": {"question": "q", "exe_ans": "abc"}}, "exe_ans"),
    "convfinqa": ({"id": "1", "annotation": 3}, "annotation"),
    "tatqa": ({"table": {"table": [["a"]]}, "paragraphs": 3, "questions": []}, "paragraphs"),
    "tfns": ({"text": "t", "label": 7}, "label"),
    "fineva": ({"question": "q", "A": "a", "B": "b", "answer": "C"}, "answer"),
    "financeiq": ({"Question": "q", "A": "a", "C": "c", "Answer": "A"}, "options"),
    "fineval": ({"question": "q", "A": "a", "answer": "A"}, "options"),
    "finance_instruct": ({"user": "q"}, "assistant"),
    "docmath": ({"question_id": "1", "question": "q", "paragraphs": "p"}, "paragraphs"),
    "xbrl_math": ({"query": "q", "answer": float("nan")}, "answer"),
    "ccc": ({"dialogue": "d", "answer": "maybe"}, "answer"),
    "dianjin_r1_data": ({"instruction": "i", "output": "\\boxed{A}"}, "output"),
    "fino1": ({"Question": " "}, "Question"),
    "fincot": ({"Question": "q", "Reasoning_process": 3}, "Reasoning_process"),
    "huatuo": (["a"], "row"),
    "math_500": ({"problem": "q", "unique_id": "u", "subject": "s"}, "answer"),
    "aime_2024": ({"problem": "q", "answer": "1.5"}, "answer"),
    "gpqa": ({"Question": "q", "Correct Answer": "a"}, "Incorrect Answer 1"),
    "cflue": ({"task": "单项选择题", "choices": "{}"}, "choices"),
}


@pytest.mark.parametrize("name", sorted(READERS.keys() - {"fincuge"}))
def test_a_bad_row_names_its_field(parse, name):
    row, field = BAD[name]
    (bad,) = parse(name, [row])
    assert isinstance(bad, BadRow)
    assert field in bad.field and str(bad).startswith("rows.json, row 0, ")
    (bad,) = parse(name, ["text"])
    assert (bad.field, bad.expected) == ("row", "expected an object, found text")


def test_fincuge_names_its_tasks(parse):
    (bad,) = parse("fincuge", [["text", 1]])
    assert bad.field == "file" and "finfe" in bad.expected
    (bad,) = parse("fincuge", [["text", 7]], "finfe_eval_list.json")
    assert str(bad).startswith("finfe_eval_list.json, row 0, label: expected one of 0, 1, 2")
