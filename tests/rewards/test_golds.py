"""Every gold answer of every data set that the project reads wins when it is given back."""

import csv
import json
import pkgutil
from pathlib import Path

import pytest

from dianjin_ext.questions import readers
from dianjin_ext.questions.readers import cflue
from dianjin_ext.quickstart import world
from dianjin_ext.rewards import PRESETS, compute_score, gold_response

SHARED = Path(__file__).resolve().parents[2] / ".." / "shared" / "data"
"""Samples of published data sets, beside the checkout where there are some."""


def shared(name):
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"no sample of a published data set at shared/data/{name}")
    return path


def read_cflue(path):
    questions, bad = cflue.read(path)
    for q in questions:
        yield "cflue_mcq", q.answer, {"question": q.question, "choices": dict(q.choices)}
    assert len(bad) <= len(questions) / 100


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
    return list(read_cflue(path))


def made_up_world(tmp_path):
    return [
        ("cflue_mcq", q.gold, {"question": q.text, "choices": q.choices})
        for q in world.questions(500, seed=1)
    ]


CHOICES = {"A": "应收账款", "B": "EBITDA", "C": "12.5%", "D": "以上都对"}
READERS = {"cflue": made_up_cflue}
"""Each reader of the package, and a function that has it read something."""


def published_cflue(tmp_path):
    return list(read_cflue(shared("cflue/knowledge_1500.json")))


def fineva(file):
    """Yield the rows whose answer is published; FinEva keeps most of them back."""
    with shared(f"fineva/Ant__{file}.csv").open(encoding="utf-8-sig", newline="") as opened:
        yield from (row for row in csv.DictReader(opened) if row["answer"])


def published_fineva(tmp_path):
    rows = []
    for file in ("金融知识__证券从业资格考试", "金融认知__金融情绪识别", "金融逻辑__金融数值计算"):
        for row in fineva(file):
            choices = {letter: row[letter] for letter in "ABCD" if row.get(letter)}
            extra_info = {"question": row["question"], "choices": choices}
            rows.append(("fineva", row["answer"], extra_info))
    return rows


def published_fineva_compliance(tmp_path):
    return [
        ("ccc", row["answer"], {"question": row["question"]})
        for row in fineva("安全合规__金融合规性")
    ]


def published_finqa(tmp_path):
    rows = []
    with shared("finqa_flare/finqa_valid_200.jsonl").open(encoding="utf-8") as opened:
        for line in opened:
            asked, said = json.loads(line)["conversations"][:2]
            rows.append(("finqa", said["value"], {"question": asked["value"]}))
    return rows


def published_convfinqa(tmp_path):
    path = shared("convfinqa/convfinqa_dev_150.json")
    found = json.loads(path.read_text(encoding="utf-8"))
    return [("convfinqa", row["answer"], {"question": row["questions"][-1]}) for row in found]


def published_sentiment(tmp_path):
    labels = {"0": "bearish", "1": "bullish", "2": "neutral"}
    with shared("tfns_like/sent_valid.csv").open(encoding="utf-8", newline="") as opened:
        return [
            ("tfns", labels[row["label"]], {"question": row["text"]})
            for row in csv.DictReader(opened)
        ]


SETS = [
    *READERS.values(),
    made_up_world,
    published_cflue,
    published_fineva,
    published_fineva_compliance,
    published_finqa,
    published_convfinqa,
    published_sentiment,
]


def test_every_reader_is_here():
    found = {module.name for module in pkgutil.iter_modules(readers.__path__)} - {"base"}
    assert found == READERS.keys()


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
