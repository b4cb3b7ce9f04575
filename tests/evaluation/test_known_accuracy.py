"""`dianjin eval` over HTTP on models whose accuracy is known: its numbers, computed another way."""

import json
import re
import subprocess
import sys
from collections import defaultdict
from contextlib import contextmanager
from itertools import combinations
from pathlib import Path
from statistics import mean, stdev

import pytest

pytest.importorskip("scipy")

from dianjin_ext.evaluation.plan import Choices, plan
from dianjin_ext.evaluation.statistics import compare

SERVER = Path(__file__).with_name("known_accuracy.py")
REPEATS = 4
DOMAINS = 6
PROTOCOL = """
about: asked as in training, several times
source: none
sampling: {temperature: 0.6, top_p: 0.95, max_tokens: 256}
"""


def pages(n):
    """FinQA: numbers, of which 0.5 and 50 % are one."""
    return [
        {
            "id": f"page-{i}",
            "pre_text": [f"In 2020 sales of shop {i} were {i}."],
            "post_text": ["."],
            "table_ori": [["", "2020"], ["sales", str(i)]],
            "qa": {"question": f"What share has shop {i}?", "exe_ans": i / 1000, "answer": ""},
        }
        for i in range(1, n + 1)
    ]


def exams(n):
    """GPQA: letters, in several domains."""
    return [
        {
            "Record ID": f"rec{i}",
            "Question": f"Which is {i}?",
            "Correct Answer": f"it is {i}",
            **{f"Incorrect Answer {k}": f"it is {i + k}" for k in (1, 2, 3)},
            "High-level domain": f"domain {i % DOMAINS}",
        }
        for i in range(n)
    ]


SETS = {"finqa": (pages(60), "test.json"), "gpqa_diamond": (exams(180), "gpqa.jsonl")}


@pytest.fixture
def protocol(tmp_path):
    path = tmp_path / "own.yaml"
    path.write_text(PROTOCOL)
    return path


@pytest.fixture
def data(tmp_path):
    """The published files of the two benchmarks, as arguments."""
    given = []
    for name, (rows, file) in SETS.items():
        path = tmp_path / file
        lines = "\n".join(map(json.dumps, rows))
        path.write_text(json.dumps(rows) if file.endswith(".json") else lines)
        given.append(f"{name}={path}")
    return given


@pytest.fixture
def known(tmp_path, protocol, data):
    """What the server knows: of each question as it will be asked, right and wrong answers."""
    path = tmp_path / "known.jsonl"
    with path.open("w", encoding="utf-8") as file:
        for task in plan([*SETS], [str(protocol)], data=data, choices=Choices()):
            for [question] in task.units():
                asked = task.rules.messages(question)[-1]["content"]
                file.write(json.dumps({"asked": asked, **answers(question)}) + "\n")
    return path


def answers(question):
    if question.choices:
        wrong = [letter for letter in question.choices if letter != question.answer]
        return {"right": question.answer, "wrong": wrong}
    gold = float(question.answer)
    return {"right": f"{gold * 100:.1f}%", "wrong": [f"{gold + k:.3f}" for k in (1, 2, 3)]}


@contextmanager
def model(known, rate, *arguments):
    command = [sys.executable, str(SERVER), str(known), "--rate", str(rate), *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        yield process.stdout.readline().split()[-1]
    finally:
        process.terminate()
        process.communicate(timeout=30)


@pytest.fixture
def asked(evaluate, known, protocol, data, tmp_path):
    """Evaluate a model of a rate; returns its results and rows by benchmark."""

    def run(name, rate, *arguments):
        with model(known, rate, *arguments) as url:
            evaluate.model = ("--model", "m", "--base-url", url)
            evaluate.folder = tmp_path / name
            evaluate.folder.mkdir()
            given = [argument for each in data for argument in ("--data", each)]
            evaluate(*SETS, "--protocol", protocol, *given, "--repeats", REPEATS)
        results = {result["benchmark"]: result for result in evaluate.results}
        return results, {benchmark: evaluate.rows(f"{benchmark}.own") for benchmark in SETS}

    return run


def by_question(rows):
    """Of each question whether its samples were right, by what they say themselves."""
    found = defaultdict(list)
    for row in rows:
        found[row["id"]].append("I know it." in row["response"])
    return found


def majority(rows):
    """The share of each question's most frequent boxed answers that is right."""
    said = defaultdict(lambda: defaultdict(list))
    for row in rows:
        box = re.findall(r"boxed\{(.*?)\}", row["response"])[-1]
        said[row["id"]][box].append("I know it." in row["response"])
    shares = []
    for votes in said.values():
        most = max(map(len, votes.values()))
        first = [right for right in votes.values() if len(right) == most]
        shares.append(mean(right[0] for right in first))
    return mean(shares)


@pytest.mark.parametrize("rate", [0.3, 0.5, 0.8])
def test_a_known_accuracy_is_found(asked, rate):
    results, rows = asked("run", rate, "--seed", "1")
    covered, intervals = 0, 0
    for name, result in results.items():
        n = len(SETS[name][0])
        assert (result["n"], result["samples"]) == (n, REPEATS)
        assert [(row["id"], row["sample"]) for row in rows[name]] == [
            (row["id"], sample) for row in rows[name][::REPEATS] for sample in range(REPEATS)
        ]
        right = by_question(rows[name])
        assert [row["acc"] == 1.0 for row in rows[name]] == [
            each for samples in right.values() for each in samples
        ]
        means = [mean(samples) for samples in right.values()]
        assert result["accuracy"] == pytest.approx(mean(means))
        assert result["error"] == pytest.approx(stdev(means) / n**0.5)
        for k in (1, 2, 4):
            draws = [[any(d) for d in combinations(samples, k)] for samples in right.values()]
            expected = mean(mean(each) for each in draws)
            assert result["pass_at_k"][str(k)]["value"] == pytest.approx(expected), k
        assert result["cons_at_k"]["k"] == REPEATS
        assert result["cons_at_k"]["value"] == pytest.approx(majority(rows[name]))
        groups = [(result["accuracy_low"], result["accuracy_high"])]
        groups += [(g["low"], g["high"]) for g in result["by"]["category"].values() if g["n"] < n]
        covered += sum(low <= rate <= high for low, high in groups)
        intervals += len(groups)
        assert abs(result["accuracy"] - rate) < 3 * result["error"]
    # of 8 intervals of 95 %, more than two miss in a run of two hundred
    assert intervals == 2 + DOMAINS and covered >= intervals - 2


def test_two_models_are_compared_on_the_same_questions(asked):
    _, first = asked("first", 0.5)
    _, same = asked("same", 0.5, "--draws", "1", "--apart")  # thinking in `reasoning_content`
    _, better = asked("better", 0.5, "--draws", "2", "--gain", "0.15")
    for name in SETS:
        values = [list(by_question(rows[name]).values()) for rows in (first, same, better)]
        assert values[0] != values[1]
        assert compare(values[0], values[1]).p > 0.01
        found = compare(values[0], values[2])
        assert 0.0 < found.low < 0.15 < found.high and found.p < 0.05
        assert found.gained > found.lost
    assert all(row["response"].startswith("<think>") for row in same["finqa"])
