"""examples/recipe.sh: it runs the commands that `dianjin recipe` shows."""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def script(tmp_path):
    """Run examples/recipe.sh with its programs replaced by recorders; returns their calls."""
    bin_dir = tmp_path / "bin"
    bin_dir.mkdir()
    for program in ("llamafactory-cli", "python", "vllm"):
        file = bin_dir / program
        file.write_text(f'#!/bin/sh\nprintf "%s\\n" "> {program}" "$@"\n')
        file.chmod(0o755)

    def run(*arguments, **environment):
        keep = {key: os.environ[key] for key in ("PYTHONPATH", "HOME") if key in os.environ}
        path = f"{bin_dir}:{Path(sys.executable).parent}:{os.environ['PATH']}"
        done = subprocess.run(
            ["bash", str(ROOT / "examples/recipe.sh"), *arguments],
            env={"PATH": path, **keep, **environment},
            cwd=tmp_path,
            capture_output=True,
            text=True,
        )
        calls = [call.splitlines() for call in done.stdout.split("> ")[1:]]
        return done.returncode, calls, done.stderr

    return run


def test_the_script_runs_what_is_shown(script, typed):
    code, (call,), _ = script("fin_r1", "rl", "trainer.total_epochs=1", LOG="x.log", SIZE="32b")
    assert code == 0
    assert call[:6] == ["python", "-m", "dianjin_ext.hosts.verl.console", "x.log", "python", "-m"]
    assert call[4:] == [*typed("fin_r1", "rl", size="32b")[0], "trainer.total_epochs=1"]
    code, calls, _ = script("fino1", "sft", "seed=3", METHOD="lora,gspo", MODEL="mine")
    expected = typed("fino1", "sft", "seed=3", methods=("lora", "gspo"), model="mine")
    assert calls == [[word for word in words if "TORCHRUN" not in word and word != "env"]
                     for words in expected]  # fmt: skip


def test_a_server_samples_as_the_rollouts_did_unless_one_says_otherwise(script):
    for given, expected in ({}, (0.5, 1)), ({"TEMPERATURE": "0.2"}, (0.2, 1)):
        _, (call,), _ = script("fino1", "serve", "--seed", "1", MODEL="owner/name", **given)
        assert call[:3] == ["vllm", "serve", "owner/name"] and call[-2:] == ["--seed", "1"]
        sampling = json.loads(call[call.index("--override-generation-config") + 1])
        assert (sampling["temperature"], sampling["top_p"]) == expected


def test_the_script_says_why_it_stops(script):
    code, calls, error = script("fin_r1", "train")
    assert (code, calls) == (1, [])
    assert "error: fin_r1 has no stage 'train'" in error
    assert shlex.split(error)[0] == "error:"
