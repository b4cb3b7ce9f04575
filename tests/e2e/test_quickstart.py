"""The whole quickstart with few steps: every stage and both hosts, for real."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("verl")

from dianjin_ext.inference.server import serving
from dianjin_ext.parquet import read_rows
from dianjin_ext.questions.prompts import multiple_choice_prompt
from dianjin_ext.quickstart import around, plan
from dianjin_ext.quickstart.run import LLAMAFACTORY_PYTHON, run
from dianjin_ext.quickstart.sizes import WORLD

ROOT = Path(__file__).resolve().parents[2]
PYTHON = Path(os.environ.get(LLAMAFACTORY_PYTHON, ROOT / ".venv/llamafactory/bin/python"))

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not PYTHON.exists(), reason=f"no LLaMA-Factory environment: {PYTHON}"),
]


SHORT = replace(
    WORLD,
    sft=("max_steps=120",),
    rl=(
        "data.train_batch_size=8",
        "actor_rollout_ref.actor.ppo_mini_batch_size=8",
        "trainer.total_training_steps=2",
    ),
)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """The folder of a short run; enough SFT to answer in the format, and sometimes right."""
    out = tmp_path_factory.mktemp("quickstart") / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plan, "WORLD", SHORT)
        patch.setattr(around, "MADE_UP", {"dianjin_r1": 1300})  # leaves 128 for validation
        run(out, llamafactory_python=PYTHON)
        yield out


def test_every_stage_runs_and_is_reported(finished):
    out = finished
    summary = json.loads((out / "summary.json").read_text("utf-8"))
    assert summary["base"]["format_rate"] == 0.0
    assert [row["name"] for row in summary["models"]] == ["base", "sft", "grpo"]
    for row in summary["models"]:
        assert row["n"] == 1000
        assert row["accuracy_low"] <= row["accuracy"] <= row["accuracy_high"]
        assert summary[row["name"]] == {key: row[key] for key in row if key != "name"}
    for usage in summary["stages"].values():
        assert usage["seconds"] > 0
        assert 0 < usage["processor_seconds"] < 1000
        assert 0 < usage["peak_memory_gib"] < 8
    losses = [json.loads(x) for x in (out / "sft" / "trainer_log.jsonl").read_text().splitlines()]
    assert losses[-2]["loss"] < losses[0]["loss"]
    steps = [json.loads(x) for x in (out / "rl" / "metrics-0.jsonl").read_text().splitlines()]
    assert steps[-1]["step"] == 2
    assert "reward/acc/mean" in steps[-1]["data"]
    page = (out / "report.html").read_text("utf-8")
    assert page.count("<svg") >= 6
    heads = ("Training", "What changed", "Data")
    assert all(f'<h2><span lang="en">{name}<' in page for name in heads)
    facts = json.loads((out / "report.json").read_text("utf-8"))
    assert [run["name"] for run in facts["runs"]] == ["base", "sft", "grpo"]
    for run_ in facts["runs"]:
        assert run_["results"][0]["accuracy"] == summary[run_["name"]]["accuracy"]
    (card,) = facts["cards"]
    (measured,) = card["filters"]
    assert measured["precision"]["low"] > measured["keep_all"]["precision"]["high"]
    assert f"{100 * measured['recall']['rate']:.1f}" in page
    assert list(summary["commands"]) == list(summary["stages"])
    assert not list(out.rglob("*.part"))

    written = {path: path.stat().st_mtime_ns for path in (out / "evaluation").rglob("*")}
    run(out, resume=True, llamafactory_python=PYTHON)
    assert written == {path: path.stat().st_mtime_ns for path in (out / "evaluation").rglob("*")}


PROTOCOL = """\
about: As the validation of the GRPO recipe is asked and graded.
source: configs/rl.yaml
sampling: {temperature: 0, max_tokens: 96}
grading: {preset: dianjin_r1}
"""
MAPPING = """\
question: question
choices: choices
answer: gold
kind: choice
data_source: cflue_mcq
"""


def test_the_validation_of_a_training_is_the_evaluation_of_its_checkpoint(finished, tmp_path):
    steps = (finished / "rl" / "metrics-0.jsonl").read_text().splitlines()
    core = json.loads(steps[-1])["data"]["val-core/cflue_mcq/acc/mean@1"]
    written = (finished / "rl" / "validation" / "2.jsonl").read_text("utf-8").splitlines()
    # verl decodes the prompt without special tokens
    in_training = {line["input"]: line for line in map(json.loads, written)}
    assert 0 < core < 1 and len(in_training) == 128

    files = {True: [], False: []}
    for row in read_rows(finished / "data/dianjin_r1/set/rl/val.parquet"):
        given = row["extra_info"]
        choices = {letter: text for letter, text in given["choices"].items() if text is not None}
        asked = row["prompt"][-1]["content"]
        several = next(
            several
            for several in files
            for language in ("zh", "en")
            if asked
            == multiple_choice_prompt(
                given["question"], choices, language=language, multiple=several
            )
        )
        gold = row["reward_model"]["ground_truth"]
        files[several].append({"question": given["question"], "choices": choices, "gold": gold})
    protocol = tmp_path / "validation.yaml"
    protocol.write_text(PROTOCOL)
    evaluated, right = [], 0.0
    model = finished / "rl" / "merged"
    with serving(model, log=tmp_path / "log", engine="local", name="grpo") as url:
        for several, rows in files.items():
            name = "several" if several else "single"
            data, mapping = tmp_path / f"{name}.jsonl", tmp_path / f"{name}.yaml"
            data.write_text("".join(json.dumps(row) + "\n" for row in rows))
            mapping.write_text(f"{MAPPING}multiple: {json.dumps(several)}\n")
            out = tmp_path / name
            dianjin = [sys.executable, "-m", "dianjin_ext"]
            done = subprocess.run(
                [
                    *(*dianjin, "eval", f"own:{name}", "--data", data, "--map", mapping),
                    *("--protocol", protocol, "--model", "grpo", "--base-url", url, "--out", out),
                ],
                env=os.environ | {"OPENAI_API_KEY": "EMPTY"},
                capture_output=True,
                text=True,
                timeout=600,
            )
            assert done.returncode == 0, done.stderr
            (result,) = json.loads((out / "summary.json").read_text("utf-8"))["results"]
            assert result["n"] == len(rows)
            right += result["accuracy"] * len(rows)
            lines = (out / result["responses"]).read_text("utf-8").splitlines()
            evaluated += map(json.loads, lines)

    assert round(right) / len(in_training) == core
    assert right == pytest.approx(round(right))
    for line in evaluated:
        then = in_training[f"user\n{line['messages'][-1]['content']}\nassistant\n"]
        assert line["response"] == then["output"]
        keys = ("score", "acc", "format", "pred", "reason")
        assert {key: line[key] for key in keys} == {key: then[key] for key in keys}
    assert len(evaluated) == 128
