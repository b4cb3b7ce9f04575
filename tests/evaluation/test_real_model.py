"""A real pretrained model through `dianjin eval --model FOLDER`: what it says is what it is."""

import csv
import json
import signal
import time
from pathlib import Path

import pytest

from dianjin_ext.rewards.base import REASONS

MODEL = Path(__file__).parents[2] / "models/SmolLM2-135M-Instruct"
DATA = Path(__file__).resolve().parents[3] / "shared/data"
ROWS, TOKENS = 6, 48
pytestmark = [
    pytest.mark.slow,
    pytest.mark.long,
]
PROTOCOL = {
    "about": "in words that a small model follows; it knows no layout with reasoning",
    "source": "none",
    "sampling": {"temperature": 0, "max_tokens": TOKENS},
    "grading": {"strictness": "lenient"},
    "prompt": {"zh": "{question}", "en": "{question}\n\nReason briefly, then give the answer."},
    "benchmarks": {
        "finqa": {"prompt": {"zh": "{task}", "en": "{context}\n\n{question} Be brief."}}
    },
}


@pytest.fixture
def data(tmp_path):
    """A small file of each set, of real rows where they lie beside the repository."""
    finqa, tfns, math = (tmp_path / name for name in ("dev.json", "sent_valid.csv", "test.jsonl"))
    real = [
        DATA / name
        for name in (
            "finqa_flare/finqa_valid_200.jsonl",
            "tfns_like/sent_valid.csv",
            "math500/math500_150.jsonl",
        )
    ]
    if all(path.exists() for path in real):
        rows = sorted(real[0].read_text("utf-8").splitlines(), key=len)  # short pages: less to read
        finqa = finqa.with_suffix(".jsonl")
        finqa.write_text("\n".join(rows[:ROWS]), "utf-8")
        tweets = list(csv.reader(real[1].open(encoding="utf-8", newline="")))[1:]
        tweets = tweets[:: len(tweets) // ROWS]
        math.write_text("\n".join(real[2].read_text("utf-8").splitlines()[:ROWS]), "utf-8")
    else:
        pages = [
            {
                "id": f"page-{n}",
                "pre_text": [f"In 2020 sales of the shop were {n}."],
                "post_text": ["."],
                "table_ori": [["", "2020"], ["sales", str(n)]],
                "qa": {"question": "What were sales in 2020?", "exe_ans": n, "answer": ""},
            }
            for n in range(11, 11 + ROWS)
        ]
        finqa.write_text(json.dumps(pages))
        tweets = [(f"$AB{n} cuts its outlook, shares fall", 0) for n in range(ROWS)]
        sums = [
            {"problem": f"What is {n} + {n}?", "answer": str(2 * n), "subject": "Algebra"}
            | {"level": 1, "unique_id": f"test/algebra/{n}.json", "solution": f"{2 * n}"}
            for n in range(2, 2 + ROWS)
        ]
        math.write_text("".join(json.dumps(row) + "\n" for row in sums))
    with tfns.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("text", "label"), *tweets[:ROWS]])
    return {"tfns": tfns, "math_500": math, "finqa": finqa}


def test_every_row_is_graded_and_what_was_cut_is_counted(evaluate_folder, data, tmp_path):
    if not MODEL.exists():
        pytest.skip("no real model; make real-model fetches it")
    protocol = tmp_path / "own.yaml"
    protocol.write_text(json.dumps(PROTOCOL))
    arguments = [*data, "--protocol", protocol]
    for name, path in data.items():
        arguments += ["--data", f"{name}={path}"]
    evaluate = evaluate_folder(MODEL)
    journal = tmp_path / "out/journal"

    def replies():
        lines = [p.read_text("utf-8").splitlines() for p in journal.glob("*.jsonl")]
        return [json.loads(line)["row"] for file in lines for line in file]

    process = evaluate.start(*arguments)
    deadline = time.monotonic() + 900
    while not journal.exists() or not replies():
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=120)
    before = replies()
    evaluate(*arguments, within_s=1800)
    after = replies()
    assert after[: len(before)] == before and len(after) == len(set(after)) == 3 * ROWS

    results = {result["benchmark"]: result for result in evaluate.results}
    assert results.keys() == data.keys()
    responses = []
    for name, result in results.items():
        rows = evaluate.rows(f"{name}.own")
        assert len(rows) == result["n"] == ROWS and result["rows"]["bad"] == 0
        assert (
            set(result["reasons"]) <= {"correct", "wrong", "no_answer", "ambiguous"} <= set(REASONS)
        )
        assert sum(result["reasons"].values()) == ROWS
        assert all((row["acc"] == 1.0) == (row["reason"] == "correct") for row in rows)
        assert all(0 < row["completion_tokens"] <= TOKENS for row in rows)
        cut = [row for row in rows if row["completion_tokens"] == TOKENS]
        assert {row["finish_reason"] for row in cut} <= {"length", "stop"}
        assert result["truncated"] == sum(r["outcome"] == "cut" for r in rows) / ROWS
        assert sum(bin["n"] for bin in result["lengths"]) == ROWS
        responses += [row["response"] for row in rows]
    assert len(set(responses)) > ROWS  # real text, which differs with the question
    written = "".join(responses)
    assert sum(c.isalpha() or c.isspace() for c in written) > 0.5 * len(written)
