"""Every reader on real rows of its set, where these lie beside the repository."""

import csv
import json
from collections import Counter
from pathlib import Path

import pytest

from dianjin_ext.answers.numbers import read_number
from dianjin_ext.questions.prompts import prompt
from dianjin_ext.questions.readers import BadRow, get_reader, read
from dianjin_ext.questions.tables import markdown_tables
from dianjin_ext.rewards import gold_response

DATA = Path(__file__).resolve().parents[4] / "shared/data"

# reader: files, questions, those without a gold answer, how many by kind
SETS = {
    "cflue": ("cflue/*.json", 1500, 0, {"choice": 1500}),
    "cflue_application": ("cflue_application/*.json", 125, 0, {"open": 80, "label": 45}),
    "finqa": ("finqa_*/*.json*", 210, 0, {"number": 210}),
    "convfinqa": ("convfinqa*/*.json", 365, 0, {"number": 365}),
    "tatqa": ("tatqa/*.json", 390, 30, {"open": 230, "number": 160}),
    "tfns": ("tfns_like/*.csv", 2388, 0, {"label": 2388}),
    "fineva": ("fineva/*.csv", 1265, 981, {"choice": 965, "label": 300}),
    "financeiq": ("financeiq/*.csv", 200, 0, {"choice": 200}),
    "fineval": ("fineval/*.csv", 150, 50, {"choice": 150}),
    "fincuge": ("fincuge/*.json", 291, 20, {"label": 156, "open": 135}),
    "huatuo": ("huatuo_o1_demo/*.json", 30, 0, {"open": 28, "number": 2}),
}


def files(name):
    found = sorted(DATA.glob(SETS[name][0]))
    if not found:
        pytest.skip(f"the published rows of {name} are not beside the repository")
    return found


def load(name):
    rows = list(read(get_reader(name), files(name)))
    assert not [row for row in rows if isinstance(row, BadRow)]
    return rows


@pytest.mark.parametrize("name", SETS)
def test_every_row_is_read_and_every_gold_can_be_won(name):
    _, number, without, kinds = SETS[name]
    questions = load(name)
    assert len(questions) == number == len({question.id for question in questions})
    assert sum(question.answer is None for question in questions) == without
    assert Counter(question.kind for question in questions) == kinds
    for question in questions:
        assert question.question.strip() and question.question in prompt(question)
        assert question.context in prompt(question)
        if question.answer is not None:
            gold_response(question.data_source, question.answer, question.extra_info)


def _printed(rows):
    return [[str(cell) for cell in row] for row in rows]


def test_finqa_tables_are_rebuilt_from_the_markdown():
    (path,) = [path for path in files("finqa") if path.suffix == ".json"]
    published = json.loads(path.read_text(encoding="utf-8"))
    by_id = {f"finqa/{row['id']}": row for row in published}
    found = [question for question in load("finqa") if question.id in by_id]
    assert len(found) == 10
    for question in found:
        (table,) = markdown_tables(question.context)
        assert table == _printed(by_id[question.id]["table_ori"])


def test_finqa_says_per_cent_where_both_gold_answers_do():
    golds = {q.id.removeprefix("finqa/"): q.answer for q in load("finqa")}
    assert golds["ABMD/2015/page_93.pdf-1"] == "0%"
    assert golds["DRE/2016/page_59.pdf-1"] == "79.477%"  # published: 0.79477 and 79.5%
    assert golds["ETR/2008/page_154.pdf-3"] == "1.18576"  # published: 15.67%, which is another


def test_flattened_tables_have_every_cell():
    (path,) = [path for path in files("finqa") if path.suffix == ".jsonl"]
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    by_id = {f"finqa/{row['id']}": row["conversations"][0]["value"] for row in rows}
    found = [question for question in load("finqa") if question.id in by_id]
    assert len(found) == 200
    for question in found:
        lines = [line for line in by_id[question.id].split("\n") if line.startswith("|")]
        cells = [line.strip()[1:-1].split("|") for line in lines]
        assert [row for table in markdown_tables(question.context) for row in table] == cells


def test_tatqa_tables_scales_and_lists():
    contexts = {}
    for path in files("tatqa"):
        for row in json.loads(path.read_text(encoding="utf-8")):
            for asked in row["questions"]:
                contexts[asked["uid"]] = row["table"]["table"]
    questions = load("tatqa")
    for question in questions:
        uid = question.id.removeprefix("tatqa/")
        (table,) = markdown_tables(question.context)
        assert table == _printed(contexts[uid])
    several = [q for q in questions if q.answer and q.answer.startswith("[")]
    assert len(several) > 30
    assert all("" not in json.loads(q.answer) for q in several)  # some published items are empty
    assert Counter(q.scale for q in questions)["percent"] == 57


def test_cleaned_convfinqa_tables_have_every_cell():
    path = next(path for path in files("convfinqa") if "cleaned" in path.name)
    rows = json.loads(path.read_text(encoding="utf-8"))["dev"]
    questions = {q.id: q for q in load("convfinqa") if q.file == path.name}
    assert len(questions) == sum(len(row["dialogue"]["conv_questions"]) for row in rows)
    for row in rows:
        turns = row["dialogue"]["conv_questions"]
        last = questions[f"convfinqa/{row['id']}/{len(turns) - 1}"]
        assert [turn.question for turn in last.turns] == [t.strip() for t in turns[:-1]]
        assert [read_number(t.answer).value is not None or t.answer in ("yes", "no")
                for t in last.turns] == [True] * (len(turns) - 1)  # fmt: skip
        (table,) = markdown_tables(last.context)
        for position, (name, column) in enumerate(row["doc"]["table"].items(), 1):
            assert table[0][position] == name
            rebuilt = {line[0]: line[position] for line in table[1:]}
            assert {key: str(value) for key, value in column.items()} == {
                key: rebuilt[key] for key in column
            }


def test_options_have_every_column():
    for name, letters in (("financeiq", "ABCD"), ("fineval", "ABCD")):
        questions = load(name)
        rows = []
        for path in files(name):
            with path.open(encoding="utf-8-sig", newline="") as file:
                rows += list(csv.DictReader(file))
        assert len(rows) == len(questions)
        for row, question in zip(rows, questions, strict=True):
            given = {x: row[x].strip().replace(r"$\%$", "%") for x in letters if row[x].strip()}
            assert question.choices == given
            assert "\\%" not in question.question + "".join(question.choices.values())


def test_splits_and_categories_are_those_of_the_files():
    assert Counter(q.split for q in load("financeiq")) == {"test": 150, "val": 50}
    assert Counter(q.split for q in load("fineval")) == {"val": 100, "test": 50}
    assert {q.category for q in load("fineval")} >= {"accounting", "china_actuary"}
    assert {q.category for q in load("fineva")} >= {"安全合规/金融合规性", "金融逻辑/金融数值计算"}
    assert "税务师" in {q.category for q in load("financeiq")}


def test_fincuge_quirks():
    by_category = {}
    for question in load("fincuge"):
        by_category.setdefault(question.category, []).append(question)
    assert len([q for q in by_category["finne"] if q.split == "train"]) == 6  # a header among 7
    assert all(len(q.answer) < len(q.question) for q in by_category["finna"])
    assert "无" in {q.answer for q in by_category["finese"]}  # published: NaN
    assert {q.answer for q in by_category["finnsp/negative"]} == {"是", "否", None}
    assert any(q.answer == "无相应参数" for q in by_category["finqa"])


def test_cflue_application_lists_and_another_word_for_positive():
    questions = load("cflue_application")
    lists = [q for q in questions if q.answer.startswith("[{")]
    assert len(lists) == 10
    sentiment = [q for q in questions if q.category.endswith("ESG情感分类")]
    assert {q.answer for q in sentiment} == {"正向", "中性"}  # the instruction says 正面
