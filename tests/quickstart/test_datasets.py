"""The questions of a run as files: apart from each other, and readable by what reads them."""

import json
import subprocess
import sys

import pytest

pytest.importorskip("pyarrow")

from dianjin_ext.errors import DianjinError
from dianjin_ext.evaluation.plan import plan
from dianjin_ext.questions.question import read_questions
from dianjin_ext.quickstart import datasets
from dianjin_ext.quickstart.teacher.item import read_item
from dianjin_ext.rewards import compute_score

COUNT, OPEN = 1200, 100


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    out = tmp_path_factory.mktemp("world")
    datasets.write_world(
        out,
        questions=COUNT,
        seed=0,
        layout="dianjin_r1",
        max_tokens=96,
        opened=True,
        open_questions=OPEN,
    )
    return out


def heldout(out):
    return [json.loads(line) for line in (out / "heldout.jsonl").read_text("utf-8").splitlines()]


def meaning(question, choices):
    """What is asked, whatever the language and the order of the options."""
    item = read_item(question + "".join(f"\n{k}. {v}" for k, v in choices.items()))
    return item.element, frozenset(item.titles)


def test_no_question_is_in_two_files_or_twice_in_one(written):
    asked = [meaning(row["question"], row["choices"]) for row in heldout(written)]
    for name in ("questions", "open"):
        asked += [
            meaning(q.question, q.choices) for q in read_questions(written / f"{name}.parquet")
        ]
    assert len(asked) == len(set(asked)) == datasets.HELDOUT + COUNT + OPEN


def test_an_open_question_is_for_a_judge_where_its_answer_is_put_otherwise(written):
    rows = list(read_questions(written / "open.parquet"))
    assert {row.kind for row in rows} == {"open"} and not any(row.choices for row in rows)
    for row in rows:
        for answer, reason in ((row.answer, "correct"), (f"{row.answer} (?)", "undecided")):
            response = f"<think>x</think>\n<answer>\\boxed{{{answer}}}</answer>"
            score = compute_score(row.data_source, response, row.answer, row.extra_info)
            assert score["reason"] == reason, (row, answer)


def test_every_gold_scores_one_and_the_neighbouring_letter_does_not(written):
    for row in heldout(written):
        gold = row["answer"]
        for answer, expected in ((gold, 1.0), ("ABCD".replace(gold[0], ""), 0.0)):
            response = f"<think>x</think>\n<answer>\\boxed{{{answer}}}</answer>"
            told = {"question": row["question"], "choices": row["choices"]}
            score = compute_score("cflue_mcq", response, gold, told)
            assert score["score"] == expected, (row, answer)


def test_an_evaluation_asks_them_as_training_does(written):
    (task,) = plan(
        ["own:heldout"],
        [str(written / "greedy.yaml")],
        data=[str(written / "heldout.jsonl")],
        mapping=written / "heldout.yaml",
    )
    assert task.found.questions == datasets.HELDOUT and not task.found.first_bad
    assert task.sampling.temperature == 0 and task.sampling.max_tokens == 96


def test_raw_text_is_in_the_layout_now_and_then_and_often_wrong(written):
    rows = json.loads((written / "sft/cflue_mcq.json").read_text("utf-8"))
    assert len(rows) == COUNT
    formed = sum(row["output"].startswith("<think>") for row in rows)
    assert 0.4 * COUNT < formed < 0.6 * COUNT
    questions = list(read_questions(written / "questions.parquet"))
    right = sum(
        row["output"].rstrip("</answer>").endswith(f"\\boxed{{{question.answer}}}")
        for row, question in zip(rows, questions, strict=True)
    )
    assert 0.4 * COUNT < right < 0.8 * COUNT
    assert sum("\nA. " not in row["instruction"] for row in rows) == COUNT // 4  # open questions


def test_published_questions_are_held_out_in_groups(tmp_path):
    rows = [
        {
            "task": "单项选择题",
            "question": f"{chr(0x5E01 + 7 * i)}{chr(0x6E01 + 11 * i)}属于哪一项？",
            "choices": str({letter: f"{letter}{i}" for letter in "ABCD"}),
            "answer": "ABCD"[i % 4],
            "analysis": "略",
        }
        for i in range(60)
    ]
    file = tmp_path / "knowledge.json"
    file.write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8")
    out = tmp_path / "out"
    same = {"seed": 0, "layout": "dianjin_r1", "max_tokens": 96}
    datasets.write_published(out, "cflue", file, **same)
    kept = {q.question for q in read_questions(out / "questions.parquet")}
    asked = {row["question"] for row in heldout(out)}
    assert asked and kept and not asked & kept
    assert {row["multiple"] for row in heldout(out)} == {False}
    file.write_text("[]")
    with pytest.raises(DianjinError):
        datasets.write_published(out, "cflue", file, **same)


def test_the_seed_decides(tmp_path):
    command = [sys.executable, "-m", "dianjin_ext.quickstart.datasets", str(tmp_path / "typed")]
    subprocess.run([*command, "--seed", "5", "--questions", "50"], check=True)
    same = {"questions": 50, "layout": "dianjin_r1", "max_tokens": 96}
    for name, seed in (("same", 5), ("other", 6)):
        datasets.write_world(tmp_path / name, seed=seed, **same)
    read = {path.parent.name: path.read_bytes() for path in tmp_path.glob("*/heldout.jsonl")}
    assert read["typed"] == read["same"] != read["other"]


def test_a_file_that_is_none_is_told_without_a_traceback(tmp_path):
    (tmp_path / "wrong.json").write_text("not json")
    module = [sys.executable, "-m", "dianjin_ext.quickstart.datasets"]
    words = [str(tmp_path / "out"), "--published", f"cflue:{tmp_path}/wrong.json"]
    done = subprocess.run([*module, *words], capture_output=True, text=True)
    assert done.returncode == 1 and not (tmp_path / "out").exists()
    (line,) = done.stderr.splitlines()
    assert "wrong.json: not valid JSON" in line
