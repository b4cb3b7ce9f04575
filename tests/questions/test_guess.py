"""Guessed mappings of files as people have them; each must work as it is."""

import pytest
import yaml

from dianjin_ext.errors import DianjinError
from dianjin_ext.questions.guess import guess
from dianjin_ext.questions.mapping import load_mapping
from dianjin_ext.questions.own import read_own
from dianjin_ext.questions.readers import BadRow

ABCD = {letter: letter for letter in "ABCD"}


def rows(head, line, count=60):
    return head + "\n" + "\n".join(line(i) for i in range(count)) + "\n"


FILES = {
    "yes or no in Chinese": (
        rows("编号,题目,答案,类别", lambda i: f"{i},第{i}笔交易是否合规？,{'是否'[i % 2]},行为"),
        {"question": "题目", "answer": "答案", "kind": "label", "labels": ["否", "是"],
         "id": "编号", "category": "类别"},
    ),
    "an exam in Chinese, several letters": (
        rows("题号,题干,选项A,选项B,选项C,正确答案,解析",
             lambda i: f"{i},第{i}题？,甲{i},乙{i},丙{i},{('A', 'BC')[i % 2]},因为"),
        {"question": "题干", "answer": "正确答案", "kind": "choice", "multiple": True,
         "choices": {"A": "选项A", "B": "选项B", "C": "选项C"}, "reasoning": "解析", "id": "题号"},
    ),
    "an exam in English": (
        rows("id,question,A,B,C,D,answer", lambda i: f"{i},Item {i}?,a,b{i},c,d,{'abcd'[i % 4]}"),
        {"question": "question", "answer": "answer", "kind": "choice", "choices": ABCD,
         "multiple": False, "id": "id"},
    ),
    "numbers with a unit in the head": (
        rows("题目,净利润（万元）", lambda i: f"第{i}季度净利润？,{i * 37 + 5}"),
        {"question": "题目", "answer": "净利润（万元）", "kind": "number", "scale": "万元"},
    ),
    "per cent": (
        rows("Question,Answer", lambda i: f"Margin in {1960 + i}?,{i * 1.7 + 3:.1f}%"),
        {"question": "Question", "answer": "Answer", "kind": "number"},
    ),
    "sentiment of texts": (
        rows("text,label", lambda i: f"stock {i} moves,{('bearish', 'bullish')[i % 2]}"),
        {"question": "text", "answer": "label", "kind": "label", "labels": ["bearish", "bullish"]},
    ),
    "options and answers by number": (
        rows("question,option1,option2,option3,answer", lambda i: f"Q{i}?,x,y{i},z,{i % 3 + 1}"),
        {"question": "question", "answer": "answer", "kind": "choice", "multiple": False,
         "choices": {"A": "option1", "B": "option2", "C": "option3"},
         "answers": {"1": "A", "2": "B", "3": "C"}},
    ),
    "a split in Chinese": (
        rows("问题,答案,划分", lambda i: f"多少{i}？,{i * 3},{('训练集', '测试集')[i % 2]}"),
        {"question": "问题", "answer": "答案", "kind": "number", "split": "划分"},
    ),
    "open answers": (
        rows("提问,参考答案", lambda i: f"什么是第{i}条？,它是{i}的另一种说法。"),
        {"question": "提问", "answer": "参考答案", "kind": "open"},
    ),
    "a report to ask about": (
        rows("材料,问题,答案,单位", lambda i: f"报告{i},第{i}年收入？,{i * 91},亿元"),
        {"question": "问题", "answer": "答案", "kind": "number", "context": ["材料"],
         "scale": {"column": "单位"}},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_what_is_guessed_is_right_and_works(tmp_path, name):
    text, expected = FILES[name]
    path, mapping = tmp_path / "rows.csv", tmp_path / "map.yaml"
    path.write_text(text, encoding="gbk")
    written = guess([path])
    assert yaml.safe_load(written) == expected
    mapping.write_text(written, encoding="utf-8")
    found = list(read_own([path], load_mapping(mapping)))
    assert len(found) == 60 and not any(isinstance(row, BadRow) for row in found)
    for column in text.partition("\n")[0].split(","):
        assert f"#   {column}: " in written


def test_a_file_without_columns_is_refused(tmp_path):
    (tmp_path / "rows.json").write_text("[[1, 2]]")
    with pytest.raises(DianjinError, match="expected rows with named columns"):
        guess([tmp_path / "rows.json"])
