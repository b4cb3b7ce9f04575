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


ARMS = {"fin_r1": ("all", "verified", "selected"), "fino1": ("all", "selected")}


@pytest.mark.parametrize("recipe", ARMS)
def test_selected_rows_teach_more_than_as_many_of_all(recipe, tmp_path):
    out = tmp_path / "gain"
    script = ROOT / "benchmarks/selection_gain.py"
    given = ["--recipe", recipe, "--seeds", "0", "1", "2", "--out", str(out)]
    done = subprocess.run(
        [sys.executable, str(script), *given],
        env=os.environ | {LLAMAFACTORY_PYTHON: str(PYTHON)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    found = json.loads((out / "gain.json").read_text("utf-8"))["seeds"]
    assert [each["seed"] for each in found] == [0, 1, 2]
    for each in found:
        arms, seed = each["arms"], out / f"seed-{each['seed']}"
        every, selected = arms["all"], arms["selected"]
        assert tuple(arms) == ARMS[recipe]
        assert len({arm["rows"] for arm in arms.values()}) == 1
        assert {arm["n"] for arm in arms.values()} == {1000}
        assert abs(every["tokens"] - selected["tokens"]) < 0.05 * selected["tokens"]
        assert selected["accuracy_low"] > every["accuracy_high"]
        # what the card says of the filters is true of the rows that were trained on
        name = {"fin_r1": "verify, then select", "fino1": "the search"}[recipe]
        told = each["filters"][name]["right and sound"]
        precision = told["precision"]
        assert precision["low"] - 0.01 < selected["right_and_sound"] < precision["high"] + 0.01
        assert precision["low"] > told["keep_all"]["precision"]["high"]
        page = (seed / "build/card.html").read_text("utf-8")
        assert f"{100 * precision['rate']:.1f}" in page
        answered = [asked_of(seed / arm) for arm in arms]
        assert all(each == answered[0] for each in answered)
        for arm in arms:
            assert not answered[0] & trained_on(seed / arm, recipe)
        (verified if recipe == "fin_r1" else searched)(each)


def verified(each):
    assert each["arms"]["verified"]["right"] == 1.0 > each["arms"]["all"]["right"]


def searched(each):
    """The verifier is all but right where rules decide, and errs where it asks the judge."""
    right = each["filters"]["its verifier"]["right"]
    assert right["precision"]["low"] > right["keep_all"]["precision"]["high"]
    assert right["labelled"] == 3600 and right["recall"]["low"] > 0.95
    rules, judge = (each["filters"][f"decided by {who}"]["right"] for who in ("rules", "judge"))
    assert rules["bad_kept"] == rules["good_dropped"] == 0 < judge["bad_kept"]
    kept = right["good_kept"] + right["bad_kept"], right["good_dropped"] + right["bad_dropped"]
    # nothing filtered the rows of the other arm: as many are right as of all that was written
    written = (right["good_kept"] + right["good_dropped"]) / sum(kept)
    assert abs(each["arms"]["all"]["right"] - written) < 0.03


def asked_of(arm):
    (responses,) = (arm / "evaluation/sft/responses").iterdir()
    lines = responses.read_text("utf-8").splitlines()
    return {json.loads(line)["messages"][-1]["content"] for line in lines}


def trained_on(arm, recipe):
    rows = json.loads((arm / f"data/{recipe}/set/sft/cflue_mcq.json").read_text("utf-8"))
    return {row["instruction"] for row in rows}
