"""The whole quickstart with few steps: every stage and both hosts, for real."""

import dataclasses
import json
import os
from pathlib import Path

import pytest

pytest.importorskip("verl")

from dianjin_ext.quickstart import stages
from dianjin_ext.quickstart.run import LLAMAFACTORY_PYTHON, run

ROOT = Path(__file__).resolve().parents[2]
PYTHON = Path(os.environ.get(LLAMAFACTORY_PYTHON, ROOT / ".venv/llamafactory/bin/python"))

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not PYTHON.exists(), reason=f"no LLaMA-Factory environment: {PYTHON}"),
]


def test_every_stage_runs_and_is_reported(tmp_path, monkeypatch):
    small = dataclasses.replace(stages.WORLD, sft_steps=40, grpo_steps=2, grpo_prompts=8)
    monkeypatch.setattr(stages, "WORLD", small)
    out = tmp_path / "run"
    run(out, seed=0, data=None, resume=False, llamafactory_python=PYTHON)

    summary = json.loads((out / "summary.json").read_text("utf-8"))
    assert summary["base"]["format_rate"] == 0.0
    assert {summary[name]["n"] for name in stages.EVALUATED} == {1000}
    for usage in summary["stages"].values():
        assert usage["seconds"] > 0
        assert 0 < usage["peak_memory_gib"] < 8
    losses = [json.loads(x) for x in (out / "sft" / "trainer_log.jsonl").read_text().splitlines()]
    assert losses[-2]["loss"] < losses[0]["loss"]
    steps = [json.loads(x) for x in (out / "grpo" / "metrics-0.jsonl").read_text().splitlines()]
    assert steps[-1]["step"] == 2
    assert "reward/acc/mean" in steps[-1]["data"]
    page = (out / "report.html").read_text("utf-8")
    assert page.count("<svg") == 6
    assert not list(out.rglob("*.part"))

    written = {path: path.stat().st_mtime_ns for path in (out / "evaluation").iterdir()}
    run(out, seed=0, data=None, resume=True, llamafactory_python=PYTHON)
    assert written == {path: path.stat().st_mtime_ns for path in (out / "evaluation").iterdir()}
