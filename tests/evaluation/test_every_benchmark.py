"""Every benchmark over HTTP, killed in the middle and resumed: nothing is asked for twice."""

import json
import signal
import time
from collections import Counter
from pathlib import Path
from zlib import crc32

import pytest

from dianjin_ext.evaluation.benchmarks import BENCHMARKS
from dianjin_ext.evaluation.plan import Choices, plan
from dianjin_ext.rewards import gold_response

DATA = Path(__file__).resolve().parents[3] / "shared/data"
LIMIT = 25
IN_FLIGHT = 200

PUBLISHED = {
    "cflue_mcq": "cflue/knowledge_1500.json",
    "cflue_application": "cflue_application/application.json",
    "finqa": "finqa_flare/finqa_valid_200.jsonl",
    "convfinqa": "convfinqa_cleaned/convfinqa_cleaned_60.json",
    "tfns": "tfns_like/sent_valid.csv",
    "fineva": "fineva",
    "financeiq": "financeiq",
    "fineval": "fineval/finance_val.csv",
    "tatqa": "tatqa/tatqa_test_gold_20.json",
    "math_500": "math500/math500_150.jsonl",
}
MADE = {
    "ccc": [
        {
            "id": n,
            "dialogue": [
                {"role": "客户", "content": f"第 {n} 号产品保本吗？"},
                {"role": "客服", "content": "本产品不保证本金。" if n % 2 else "绝对保本。"},
            ],
            "guideline": "不得承诺保本。",
            "answer": "合规" if n % 2 else "不合规",
        }
        for n in range(8)
    ],
    "finance_instruct": [
        {
            "system": "",
            "user": f"What is a bond of {n} years?",
            "assistant": f"A loan of {n} years.",
        }
        for n in range(2, 10)
    ],
    "docmath_simplong": [
        {
            "question_id": f"simplong-testmini-{n}",
            "question": f"What is {n} plus 1?",
            "paragraphs": ["Nothing else."],
            "ground_truth": n + 1.0,
        }
        for n in range(8)
    ],
    "docmath_complong": [
        {
            "question_id": f"complong-testmini-{n}",
            "question": f"What is {n} times 3?",
            "paragraphs": ["| a | b |", "Nothing else."],
            "ground_truth": n * 3.0,
        }
        for n in range(1, 9)
    ],
    "xbrl_math": [
        {"id": n, "query": f"Assets {n}, liabilities 1. Equity?", "answer": str(n - 1)}
        for n in range(2, 10)
    ],
    "aime_2024": [
        {"id": n, "problem": f"Find {n} squared.", "answer": n * n, "solution": "…"}
        for n in range(8)
    ],
    "gpqa_diamond": [
        {
            "Record ID": f"rec{n}",
            "Question": f"Which is {n}?",
            "Correct Answer": f"it is {n}",
            **{f"Incorrect Answer {k}": f"it is {n + k}" for k in (1, 2, 3)},
            "High-level domain": "Physics" if n % 2 else "Chemistry",
        }
        for n in range(8)
    ],
}


def is_right(question):
    return crc32(question.id.encode()) % 3 > 0


def response(question):
    """Return the gold answer for two questions in three, else nothing."""
    if is_right(question):
        return gold_response(question.data_source, question.answer, question.extra_info)
    return "<think>Nobody knows.</think>\n<answer></answer>"


@pytest.fixture
def data(tmp_path):
    """The files of every benchmark, real ones where they lie beside the repository."""
    paths = {}
    for name, rows in MADE.items():
        ending = "test.jsonl" if name not in ("docmath_simplong", "docmath_complong") else "jsonl"
        paths[name] = tmp_path / f"{name.replace('docmath_', '')}_testmini.{ending}"
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        paths[name].write_text(text, encoding="utf-8")
    for name, path in PUBLISHED.items():
        if (DATA / path).exists():
            paths[name] = DATA / path
    return paths


def test_there_are_rows_for_every_benchmark():
    assert {*MADE, *PUBLISHED} == BENCHMARKS.keys()


@pytest.mark.parametrize("names", [list(MADE), list(PUBLISHED)], ids=["made", "published"])
def test_killed_once_and_resumed(server, evaluate, plain, data, names):
    if missing := [name for name in names if name not in data]:
        pytest.skip(f"no published rows beside the repository: {', '.join(missing)}")
    given = [f"{name}={data[name]}" for name in names]
    tasks = plan(names, [str(plain)], data=given, choices=Choices(limit=LIMIT))
    replies, expected = {}, {}
    for task in tasks:
        asked = [question for unit in task.units() for question in unit]
        for question in asked:
            replies[task.rules.messages(question)[-1]["content"]] = response(question)
        expected[task.benchmark.name] = asked
    server.default = lambda body: replies[body["messages"][-1]["content"]]
    server.latency = 0.1
    arguments = [*names, "--protocol", plain, "--limit", LIMIT]
    for text in given:
        arguments += ["--data", text]

    process = evaluate.start(*arguments)
    journal = evaluate.folder / "out/journal/model-0.jsonl"
    total = sum(map(len, expected.values()))
    while not journal.exists() or journal.read_bytes().count(b"\n") < total // 3:
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    time.sleep(server.latency + 0.1)
    recorded = journal.read_bytes().count(b"\n")
    first = Counter(body["messages"][-1]["content"] for body in server.bodies)
    server.bodies.clear()
    server.latency = 0.0
    evaluate(*arguments)

    second = Counter(body["messages"][-1]["content"] for body in server.bodies)
    assert max(first.values()) == max(second.values()) == 1
    assert sum(second.values()) == total - recorded
    assert sum((first & second).values()) <= IN_FLIGHT
    results = {result["benchmark"]: result for result in evaluate.results}
    assert list(results) == names
    for name, asked in expected.items():
        right = sum(map(is_right, asked))
        assert results[name]["n"] == len(asked) > 5
        assert results[name]["accuracy"] == pytest.approx(right / len(asked)), name
        rows = evaluate.rows(f"{name}.plain")
        assert [row["id"] for row in rows] == [question.id for question in asked]
        assert [row["acc"] == 1.0 for row in rows] == list(map(is_right, asked))
