"""Every benchmark on rows made by hand in its published format: folder, split, counts, category."""

import csv
import gzip
import json

import pytest

from dianjin_ext.errors import DianjinError
from dianjin_ext.evaluation.benchmarks import (
    BENCHMARKS,
    benchmark_files,
    chosen,
    get_benchmark,
    questions,
    survey,
)

CHOICE = {"question": "甲公司的存货是？", "A": "资产", "B": "负债", "C": "权益", "D": "收入"}
PAGE = {"pre_text": ["the sales rose ."], "post_text": ["."], "table_ori": [["", "9"], ["s", "1"]]}
DIALOGUE = [{"role": "客服", "content": "保证收益。"}, {"role": "客户", "content": "好。"}]
GPQA = {
    "Record ID": "rec1", "Question": "Which?", "Correct Answer": "x", "Incorrect Answer 1": "y",
    "Incorrect Answer 2": "z", "Incorrect Answer 3": "w", "High-level domain": "Physics",
}  # fmt: skip


def tatqa(name, answers):
    asked = [
        {"uid": f"{name}{n}", "question": "how much?", "answer_type": kind, "answer": answer,
         "scale": ""}
        for n, (kind, answer) in enumerate(answers)
    ]  # fmt: skip
    table = {"uid": name, "table": [["", "2019"], ["sales", "7"]]}
    return {"table": table, "paragraphs": [], "questions": asked}


def docmath(name, gold=1.5):
    row = {"question_id": name, "question": "What?", "paragraphs": ["a page", "| a | b |"]}
    return row if gold is None else {**row, "ground_truth": gold}


# benchmark: its files in a folder, others beside them, and what is counted:
# split, questions, without gold, categories
MADE = {
    "cflue_mcq": (
        {"data/knowledge/knowledge.json": [
            {"task": task, "question": "存货是？", "choices": "{'A': '资产', 'B': '负债'}",
             "answer": answer, "analysis": None}
            for task, answer in [("单项选择题", "A"), ("多项选择题", "AB"), ("判断题", "B")]
        ]},
        {"data/application/application.json": [{}], "README.md": ""},
        ("", 3, 0, {"single": 1, "multiple": 1, "true_false": 1}),
    ),
    "cflue_application": (
        {"data/application/application.json": [
            {"task": "金融文本生成", "sub_task": "标题", "instruction": "写标题", "input": "",
             "output": "涨", "history": []}
        ]},
        {"data/knowledge/knowledge.json": [{}]},
        ("", 1, 0, {"金融文本生成/标题": 1}),
    ),
    "finqa": (
        {"dataset/test.json": [
            {**PAGE, "id": f"A/2009/page_{n}.pdf-1", "qa": {"question": "what?", "exe_ans": 0.5}}
            for n in range(3)
        ]},
        {"dataset/train.json": [{}], "dataset/private_test.json": [{}]},
        ("test", 3, 0, {"": 3}),
    ),
    "convfinqa": (
        {"data/dev.json": [
            {**PAGE, "id": f"{kind}_A/2009/page_1.pdf",
             "annotation": {"dialogue_break": ["what?", "and?"], "exe_ans_list": [1.0, "yes"]}}
            for kind in ("Single", "Double")
        ]},
        {"data/dev_turn.json": [{}], "data/test.json": [{}]},
        ("val", 4, 0, {"simple": 2, "hybrid": 2}),
    ),
    "ccc": (
        {"ccc.jsonl": [
            {"dialogue": DIALOGUE, "guideline": "不得承诺收益。", "answer": "不合规"},
            {"dialogue": DIALOGUE, "answer": "合规"},
            {"dialogue": DIALOGUE},
        ]},
        {"notes.json": [{}]},
        ("", 2, 1, {"不合规": 1, "合规": 1}),
    ),
    "tfns": (
        {"sent_valid.csv": [{"text": f"tweet {n}", "label": n} for n in range(3)]},
        {"sent_train.csv": [{"text": "t", "label": 7}]},
        ("val", 3, 0, {"bearish": 1, "bullish": 1, "neutral": 1}),
    ),
    "fineva": (
        {
            "data/Ant/金融认知/金融情绪识别.csv": [
                {"id": 0, "question": "涨。", "A": "积极", "B": "消极", "answer": "A"},
                {"id": 1, "question": "跌。", "A": "积极", "B": "消极", "answer": ""},
            ],
            "data/Ant/安全合规/金融合规性.csv": [{"id": 0, "question": "洗钱？", "answer": "否"}],
        },
        {"data/SUFE/val/accounting_val.csv": [{"id": 0, **CHOICE, "answer": "A"}]},
        ("", 2, 1, {"金融认知/金融情绪识别": 1, "安全合规/金融合规性": 1}),
    ),
    "finance_instruct": (
        {"train.json": [{"system": "", "user": "What is a bond?", "assistant": "A loan."}]},
        {"dataset_infos.json": [{}]},
        ("train", 1, 0, {"": 1}),
    ),
    "financeiq": (
        {"data/test/税务师.csv": [{"": 0, "Question": "税？", **{k: CHOICE[k] for k in "ABCD"},
                                "Answer": "A"}]},
        {"data/dev/税务师.csv": [{"": 0, "Question": "税？"}]},
        ("test", 1, 0, {"税务师": 1}),
    ),
    "fineval": (
        {f"{subject}_val.csv": [{"id": n, **CHOICE, "answer": "A"} for n in range(2)]
         for subject in ("accounting", "china_actuary")},
        {"accounting_dev.csv": [{"id": 0, **CHOICE, "answer": "A", "explanation": "略"}],
         "accounting_test.csv": [{"id": 0, **CHOICE}]},
        ("val", 4, 0, {"accounting": 2, "china_actuary": 2}),
    ),
    "tatqa": (
        {"dataset_raw/tatqa_dataset_test_gold.json": [
            tatqa("u", [("span", ["a"]), ("multi-span", ["a", "b"]), ("count", "2"),
                        ("arithmetic", 1.5)])
        ]},
        {"dataset_raw/tatqa_dataset_dev.json": [{}], "dataset_raw/tatqa_dataset_test.json": [{}]},
        ("test", 4, 0, {"span": 1, "multi-span": 1, "count": 1, "arithmetic": 1}),
    ),
    "docmath_simplong": (
        {"data/simplong_testmini.json": [docmath("simplong-testmini-1")]},
        {"data/simplong_test.json": [{}], "data/complong_testmini.json": [{}]},
        ("test", 1, 0, {"simplong": 1}),
    ),
    "docmath_complong": (
        {"data/complong_testmini.json": [docmath("complong-testmini-1"),
                                         docmath("complong-testmini-2", None)]},
        {"data/simplong_testmini.json": [{}]},
        ("test", 1, 1, {"complong": 1}),
    ),
    "xbrl_math": (
        {"xbrl_finmath_test.jsonl": [{"id": "1", "query": "What is ROI?", "answer": "12.5"}]},
        {"readme.txt": ""},
        ("test", 1, 0, {"": 1}),
    ),
    "math_500": (
        {"test.jsonl": [{"problem": "1+1?", "solution": "2", "answer": "2", "subject": "Algebra",
                         "level": 1, "unique_id": "test/algebra/1.json"}]},
        {"train.jsonl": [{}]},
        ("test", 1, 0, {"Algebra, level 1": 1}),
    ),
    "gpqa_diamond": (
        {"gpqa_diamond.csv": [GPQA]},
        {"gpqa_main.csv": [GPQA]},
        ("test", 1, 0, {"Physics": 1}),
    ),
    "aime_2024": (
        {"aime_2024.jsonl": [{"id": 60, "problem": "?", "solution": "x", "answer": "204"}]},
        {"train.json": [{}]},
        ("test", 1, 0, {"": 1}),
    ),
}  # fmt: skip

TOLD_BY_NAME = ("fineva",)
"""What is asked there can't be told without the names of its files."""


def write(path, rows, *, bom=False):
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(rows, str):
        path.write_text(rows, encoding="utf-8")
    elif path.suffix == ".csv":
        with path.open("w", encoding="utf-8-sig" if bom else "utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    elif path.suffix == ".jsonl":
        lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        path.write_text(lines, encoding="utf-8-sig" if bom else "utf-8")
    else:
        text = json.dumps(rows, ensure_ascii=False)
        path.write_text(text, encoding="utf-8-sig" if bom else "utf-8")


def made(name, folder, **how):
    files, others, counted = MADE[name]
    for place, rows in {**files, **others}.items():
        write(folder / place, rows, **how)
    return BENCHMARKS[name], list(files), counted


def test_every_benchmark_is_made():
    assert list(MADE) == list(BENCHMARKS)


@pytest.mark.parametrize("bom", [False, True])
@pytest.mark.parametrize("name", MADE)
def test_a_folder_gives_the_files_of_the_benchmark_and_they_are_counted(name, bom, tmp_path):
    benchmark, files, (split, number, without_gold, categories) = made(name, tmp_path, bom=bom)
    found = benchmark_files(benchmark, [tmp_path])
    assert [path.relative_to(tmp_path).as_posix() for path in found] == sorted(files)
    counted = survey(benchmark, found)
    assert counted.first_bad == ()
    assert (counted.split, counted.questions) == (split, number)
    assert (counted.without_gold, counted.categories) == (without_gold, categories)
    asked = list(chosen(benchmark, counted).of(questions(benchmark, found)))
    assert len(asked) == number
    assert {question.kind for question in asked} <= set(benchmark.kinds)
    assert {question.data_source for question in asked} <= set(benchmark.rewards)
    assert split in ("", benchmark.split)


@pytest.mark.parametrize("name", MADE)
def test_files_packed_with_gzip_are_found_too(name, tmp_path):
    benchmark, files, (_, number, _, _) = made(name, tmp_path / "plain")
    for place in files:
        packed = tmp_path / "packed" / f"{place}.gz"
        packed.parent.mkdir(parents=True, exist_ok=True)
        packed.write_bytes(gzip.compress((tmp_path / "plain" / place).read_bytes()))
    found = benchmark_files(benchmark, [tmp_path / "packed"])
    assert [path.suffix for path in found] == [".gz"] * len(files)
    assert survey(benchmark, found).questions == number


@pytest.mark.parametrize("name", [name for name in MADE if name not in TOLD_BY_NAME])
def test_files_of_another_name_are_read_if_they_are_named(name, tmp_path):
    benchmark, files, (_, number, _, _) = made(name, tmp_path)
    paths = []
    for number_of, place in enumerate(files):
        path = tmp_path / f"评测数据（{number_of}）{(tmp_path / place).suffix}"
        paths.append((tmp_path / place).rename(path))
    assert survey(benchmark, paths).questions == number


def test_an_unknown_name_is_told_with_the_known_ones():
    with pytest.raises(DianjinError, match=r"no benchmark 'finqua'; known: cflue_mcq, .*own:NAME"):
        get_benchmark("finqua")


def test_every_benchmark_on_the_hub_is_named_as_its_reader_is():
    assert BENCHMARKS["gpqa_diamond"].hub == "Idavidrein/gpqa:gpqa_diamond"
    assert BENCHMARKS["docmath_simplong"].hub == "yale-nlp/DocMath-Eval"
    assert BENCHMARKS["cflue_mcq"].hub is None
