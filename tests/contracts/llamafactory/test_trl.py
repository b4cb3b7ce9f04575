"""The reward function in TRL's real GRPOTrainer, on verl parquet as `dianjin prepare` writes it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("trl")

# TRL's own requirements allow transformers 5 beside TRL 0.24, which can't import its trainer then.
VERSIONS = {
    "0.24": ("transformers==4.57.6", "huggingface_hub==0.36.2", "tokenizers==0.22.2"),
    "1.16": ("trl==1.16.0",),
}


@pytest.mark.slow
@pytest.mark.parametrize("version", VERSIONS)
def test_grpo_trains_on_our_reward(version, base_model, overlay, tmp_path):
    from dianjin_ext.data.schema import verl_row, write_parquet

    question, choices = "哪一项属于流动负债？", {"A": "存货", "B": "应付账款"}
    rows = [
        verl_row(
            "cflue_mcq",
            question,
            "B",
            split="train",
            index=index,
            question=question,
            choices=choices,
        )
        for index in range(4)
    ]
    write_parquet(rows, tmp_path / "train.parquet")
    script = Path(__file__).with_name("grpo_run.py")
    run = subprocess.run(
        [sys.executable, script, base_model, tmp_path / "train.parquet", tmp_path / "out"],
        env={
            **os.environ,
            "PYTHONPATH": str(overlay(*VERSIONS[version])),
            "OMP_NUM_THREADS": "1",
            "HF_HUB_OFFLINE": "1",
        },
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr[-4000:]
    result = json.loads((tmp_path / "out" / "result.json").read_text(encoding="utf-8"))
    assert result["versions"]["trl"].startswith(version)
    steps = [logs for logs in result["logged"] if "rewards/dianjin/mean" in logs]
    seen = result["seen"]
    assert len(steps) == 2
    assert len(seen) == 2 * 4
    for step, samples in zip(steps, (seen[:4], seen[4:]), strict=True):
        mean = sum(len(sample["text"]) / 100 for sample in samples) / 4
        assert step["rewards/dianjin/mean"] == pytest.approx(mean, abs=1e-5)
        assert step["reward"] == pytest.approx(mean, abs=1e-5)
    for sample in seen:
        assert sample["extra_info"]["choices"]["B"] == "应付账款"
        assert 1 <= sample["extra_info"]["response_tokens"] <= 8
        assert sample["extra_info"]["max_response_tokens"] == 8
