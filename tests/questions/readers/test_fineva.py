"""Fin-Eva's tasks: each row is asked what its task asks, about the text that it brings."""

import csv

import pytest

from dianjin_ext.questions.prompts import prompt
from dianjin_ext.questions.readers import get_reader, read

OPTIONS = {"A": "甲", "B": "乙", "C": "丙", "D": "丁"}


def question(folder, place, row):
    path = folder / f"{place}.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, ["id", *row])
        writer.writeheader()
        writer.writerow({"id": 0, **row})
    (found,) = read(get_reader("fineva"), [path])
    return found


@pytest.mark.parametrize("place", ["金融逻辑/保险条款解读", "Ant__金融逻辑__保险条款解读"])
def test_the_text_that_is_asked_about_is_the_context(tmp_path, place):
    row = {"context": "酗酒导致的不保。", "question": "什么不保？", **OPTIONS, "answer": "A"}
    found = question(tmp_path, place, row)
    assert (found.context, found.question) == ("酗酒导致的不保。", "什么不保？")
    assert "酗酒导致的不保。\n\n什么不保？\nA. 甲" in prompt(found)
    assert found.category == "金融逻辑/保险条款解读"


@pytest.mark.parametrize(
    ("place", "asked"),
    [
        ("金融认知/金融情绪识别", "情绪"),
        ("金融认知/保险意图理解", "意图"),
        ("金融认知/研判观点提取", "市场走向"),
        ("内容生成/资讯标题生成", "标题"),
        ("内容生成/文本总结归纳", "概括"),
    ],
)
def test_a_text_without_a_question_is_asked_what_its_task_asks(tmp_path, place, asked):
    found = question(tmp_path, place, {"question": "锂矿领涨。", **OPTIONS, "answer": "B"})
    assert found.question.startswith("锂矿领涨。\n") and asked in found.question
    assert prompt(found).count("锂矿领涨。") == 1


def test_a_question_stays_as_it_is(tmp_path):
    row = {"question": "利息是多少？", **OPTIONS, "answer": "B"}
    found = question(tmp_path, "金融逻辑/金融数值计算", row)
    assert (found.context, found.question) == ("", "利息是多少？")


@pytest.mark.parametrize("answer", ["是", "否", ""])
@pytest.mark.parametrize(
    ("task", "asked"),
    [
        ("金融合规性", "以上内容是否合规？"),
        ("信息安全合规", "以上内容是否合规？"),
        ("金融事实性", "以上说法是否符合事实？"),
        ("金融问题识别", "以上问题是否属于金融问题？"),
    ],
)
def test_yes_or_no_to_what(tmp_path, task, asked, answer):
    found = question(tmp_path, f"安全合规/{task}", {"question": "什么是基金", "answer": answer})
    assert found.question == f"什么是基金\n\n{asked}请回答“是”或“否”。"
    assert (found.kind, found.data_source, found.answer) == ("label", "ccc", answer or None)
