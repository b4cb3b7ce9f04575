"""Every gold answer of every data set that the project reads wins when it is given back."""

import json
from pathlib import Path

import pytest

from dianjin_ext.questions.readers import READERS, BadRow, get_reader, read
from dianjin_ext.quickstart import world
from dianjin_ext.rewards import PRESETS, compute_score, gold_response

SHARED = Path(__file__).resolve().parents[2] / ".." / "shared" / "data"
"""Samples of published data sets, beside the checkout where there are some."""


def golds(name, files):
    for row in read(get_reader(name), files):
        assert not isinstance(row, BadRow)
        if row.answer is not None:
            yield row.data_source, row.answer, row.extra_info


def made_up_cflue(tmp_path):
    rows = [
        {
            "task": task,
            "question": f"第{i}题（）",
            "choices": str({"A": "对", "B": "错"} if task == "判断题" else dict(CHOICES)),
            "answer": answer,
            "analysis": "因为。",
        }
        for i, (task, answer) in enumerate(
            [("单项选择题", "D"), ("多项选择题", "ACD"), ("判断题", "A"), ("判断题", "B")]
        )
    ]
    path = tmp_path / "knowledge.json"
    path.write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8")
    return list(golds("cflue", [path]))


def made_up_world(tmp_path):
    return [
        ("cflue_mcq", q.gold, {"question": q.text, "choices": q.choices})
        for q in world.questions(500, seed=1)
    ]


CHOICES = {"A": "应收账款", "B": "EBITDA", "C": "12.5%", "D": "以上都对"}
FOLDERS = {
    "cflue": "cflue",
    "cflue_application": "cflue_application",
    "finqa": "finqa_*",
    "convfinqa": "convfinqa*",
    "tatqa": "tatqa",
    "tfns": "tfns_like",
    "fineva": "fineva",
    "financeiq": "financeiq",
    "fineval": "fineval",
    "fincuge": "fincuge",
    "huatuo": "huatuo_o1_demo",
    "math_500": "math500",
}
"""Readers, and where the samples of their sets are."""

WITHOUT_SAMPLES = {
    *("finance_instruct", "docmath", "xbrl_math", "ccc", "dianjin_r1_data", "fino1", "fincot"),
    *("aime_2024", "gpqa"),
}


def published(name):
    def load(tmp_path):
        files = [p for p in SHARED.glob(f"{FOLDERS[name]}/*") if p.suffix[:4] in (".jso", ".csv")]
        if not files:
            pytest.skip(f"no sample of a published data set at shared/data/{FOLDERS[name]}")
        return list(golds(name, sorted(files)))

    load.__name__ = f"published_{name}"
    return load


SETS = [made_up_cflue, made_up_world, *map(published, FOLDERS)]


def test_every_reader_is_here():
    assert FOLDERS.keys() | WITHOUT_SAMPLES == READERS.keys()


@pytest.mark.parametrize("load", SETS)
def test_every_gold_wins_when_given_back(load, tmp_path):
    rows = load(tmp_path)
    assert len(rows) >= 4
    lengths = {"response_tokens": 50, "max_response_tokens": 4096, "truncated": False}
    for data_source, gold, extra_info in rows:
        response = gold_response(data_source, gold, extra_info)  # scores 1.0 by default
        for preset in PRESETS:
            row = compute_score(data_source, response, gold, extra_info | lengths, preset=preset)
            assert row["acc"] == row["format"] == 1.0, (preset, gold, row)
            assert row["reason"] == "correct"
            wrong = compute_score(data_source, "", gold, extra_info | lengths, preset=preset)
            assert wrong["score"] < row["score"]
            assert wrong["reason"] != "gold_unusable"


@pytest.mark.parametrize("source", ["tatqa", "spans"])
def test_a_list_of_golds_may_be_json_text(source):
    gold = '["中国", "公司"]'
    for text, score in (
        ("公司；中国", 1.0),
        ("中国", 0.0),
        ("中国；外国", 0.0),
        ("中国；公司；大盘", 0.0),
    ):
        response = f"<think>想</think><answer>\\boxed{{{text}}}</answer>"
        assert compute_score(source, response, gold)["score"] == score, text
    in_brackets = "<think>想</think><answer>\\boxed{[sic]}</answer>"
    assert compute_score(source, in_brackets, "[sic]")["score"] == 1.0  # no JSON: a text


def test_items_of_a_list_may_have_commas_in_them():
    gold = '["cash, and receivables", "inventories"]'
    for text in ("cash, and receivables; inventories", "inventories；cash, and receivables"):
        response = f"<think>x</think><answer>\\boxed{{{text}}}</answer>"
        assert compute_score("tatqa", response, gold)["score"] == 1.0, text
