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


def test_paths_with_blanks_and_chinese_reach_verl(script):
    parser = pytest.importorskip("hydra.core.override_parser.overrides_parser")

    files = {"MODEL": "模型/Qwen 7B", "TRAIN_FILES": '训练"集".parquet', "OUTPUT_DIR": "结果 (1)"}
    more = {"VAL_FILES": "[a.parquet,b.parquet]", "EXPERIMENT_NAME": "20261126"}
    code, (call,), error = script("dianjin_r1", "rl", LOG="x.log", **files, **more)
    assert code == 0, error
    words = call[call.index("rl") + 1 :]
    read = {
        e.key_or_group: e.value() for e in parser.OverridesParser.create().parse_overrides(words)
    }
    assert read["actor_rollout_ref.model.path"] == files["MODEL"]
    assert read["data.train_files"] == files["TRAIN_FILES"]
    assert read["data.val_files"] == ["a.parquet", "b.parquet"]
    assert read["trainer.default_local_dir"] == files["OUTPUT_DIR"]
    assert read["trainer.experiment_name"] == more["EXPERIMENT_NAME"]


def test_an_export_is_of_what_was_trained(script):
    words = ("template=dianjin_qwen3_thinking",)
    code, calls, _ = script("dianjin_r1", "sft", *words, METHOD="lora,qwen3", OUTPUT_DIR="out")
    assert code == 0
    train, export = calls
    assert train[-2:] == ["output_dir=out", *words]
    given = dict(zip(export[2::2], export[3::2], strict=True))
    assert given["--adapter_name_or_path"] == "out" and given["--export_dir"] == "out/merged"
    assert given["--template"] == "dianjin_qwen3_thinking"


@pytest.mark.parametrize(
    ("stage", "environment", "said"),
    [
        ("sft", {"MODEL": "my model"}, "'model_name_or_path=my model' has a space"),
        ("sft", {"OUTPUT_DIR": "my run"}, "'output_dir=my run' has a space"),
        ("sft", {"CONFIG": "nope.yaml"}, "there is no file CONFIG=nope.yaml in"),
        ("sft", {"METHOD": "*"}, "there is no method '*'"),
        ("merge", {"SIZE": "32b"}, "there is no checkpoint in experiments/Fin-R1-32B/rl yet"),
    ],
)
def test_a_mistake_is_one_line_and_starts_nothing(script, stage, environment, said):
    code, calls, error = script("fin_r1", stage, **environment)
    assert (code, calls) == (1, [])
    assert said in error and len(error.splitlines()) == 1


def test_empty_knobs_are_none(script):
    empty = dict.fromkeys(("SIZE", "PLATFORM", "METHOD", "MODEL", "DATASET", "OUTPUT_DIR"), "")
    assert script("fin_r1", "sft", **empty) == script("fin_r1", "sft")
    assert script("fin_r1", "sft", METHOD="lora, gspo,") == script(
        "fin_r1", "sft", METHOD="lora,gspo"
    )


def test_help_after_a_recipe_is_shown(script):
    code, _, error = script("fin_r1", "--help")
    assert (code, error) == (0, "")
