"""From the card to the gain: training on rows that the filters kept, beside as many of all."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("verl")

from dianjin_ext.quickstart.run import LLAMAFACTORY_PYTHON

ROOT = Path(__file__).resolve().parents[2]
PYTHON = Path(os.environ.get(LLAMAFACTORY_PYTHON, ROOT / ".venv/llamafactory/bin/python"))

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not PYTHON.exists(), reason=f"no LLaMA-Factory environment: {PYTHON}"),
    pytest.mark.long,
]


def test_selected_rows_teach_more_than_as_many_of_all(tmp_path):
    out = tmp_path / "gain"
    script = ROOT / "benchmarks/selection_gain.py"
    done = subprocess.run(
        [sys.executable, str(script), "--seeds", "0", "1", "2", "--out", str(out)],
        env=os.environ | {LLAMAFACTORY_PYTHON: str(PYTHON)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    found = json.loads((out / "gain.json").read_text("utf-8"))["seeds"]
    assert [each["seed"] for each in found] == [0, 1, 2]
    for each in found:
        every, verified, selected = (each["arms"][x] for x in ("all", "verified", "selected"))
        assert every["rows"] == verified["rows"] == selected["rows"]
        assert {arm["n"] for arm in each["arms"].values()} == {1000}
        assert selected["accuracy_low"] > every["accuracy_high"]
        # what the card says of the filters is true of the rows that were trained on
        told = each["filters"]["precision"]
        assert told["low"] - 0.01 < selected["right_and_sound"] < told["high"] + 0.01
        assert verified["right"] == 1.0 > every["right"]
        seed = out / f"seed-{each['seed']}"
        page = (seed / "build/card.html").read_text("utf-8")
        assert f"{100 * told['rate']:.1f}" in page
        answered = [asked_of(seed / arm) for arm in each["arms"]]
        assert answered[0] == answered[1] == answered[2]
        for arm in each["arms"]:
            assert not answered[0] & trained_on(seed / arm)


def asked_of(arm):
    (responses,) = (arm / "evaluation/sft/responses").iterdir()
    lines = responses.read_text("utf-8").splitlines()
    return {json.loads(line)["messages"][-1]["content"] for line in lines}


def trained_on(arm):
    rows = json.loads((arm / "data/fin_r1/set/sft/cflue_mcq.json").read_text("utf-8"))
    return {row["instruction"] for row in rows}
