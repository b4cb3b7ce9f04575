"""The SFT recipe parses in real LLaMA-Factory and keeps DianJin-R1's values; the scripts run it."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from dianjin_ext.recipes import Run, commands, get_recipe, recipe_names

ROOT = Path(__file__).resolve().parents[2]
RECIPE = ROOT / "configs" / "sft.yaml"

# src/sft/qwen2.5_sft.yaml of DianJin-R1, but for what docs/recipes/dianjin_r1.md lists.
SEED = {
    "model_name_or_path": "Qwen/Qwen2.5-7B-Instruct",
    "stage": "sft",
    "do_train": True,
    "finetuning_type": "full",
    "cutoff_len": 16384,
    "max_samples": 1000000,
    "overwrite_cache": True,
    "output_dir": "experiments/DianJin-R1-7B/sft",
    "logging_steps": 10,
    "save_strategy": "epoch",
    "plot_loss": True,
    "overwrite_output_dir": True,
    "per_device_train_batch_size": 1,
    "gradient_accumulation_steps": 16,
    "learning_rate": 1.0e-5,
    "num_train_epochs": 3.0,
    "lr_scheduler_type": "linear",
    "bf16": True,
    "ddp_timeout": 180000000,
}


@pytest.fixture
def recipe():
    return yaml.safe_load(RECIPE.read_text(encoding="utf-8"))


def test_keeps_the_values_of_dianjin_r1(recipe):
    assert {key: recipe.get(key) for key in SEED} == SEED
    assert recipe["warmup_steps"] == 0.03
    assert set(recipe["dataset"].split(",")) == {
        "dianjin_cflue_oe",
        "dianjin_cflue_mcq",
        "dianjin_finqa",
        "dianjin_ccc",
    }


def test_parses_in_llamafactory(recipe, tmp_path, monkeypatch):
    pytest.importorskip("llamafactory")
    from llamafactory.data.template import TEMPLATES
    from llamafactory.hparams import get_train_args

    monkeypatch.chdir(ROOT)
    # DeepSpeed wants a launcher and, as bf16 does, a GPU; its file has a test of its own.
    arguments = {**recipe, "use_cpu": True, "output_dir": str(tmp_path)}
    del arguments["deepspeed"]
    model, data, training, finetuning, _ = get_train_args(arguments)
    assert model.compute_dtype.is_floating_point
    assert data.template in TEMPLATES
    assert data.dataset == recipe["dataset"].split(",")
    assert finetuning.finetuning_type == "full"
    assert training.get_warmup_steps(1000) == 30  # a share of the steps, not a number of them
    assert not training.average_tokens_across_devices
    with pytest.raises(ValueError, match="warmup_ration"):
        get_train_args({**arguments, "warmup_ration": 0.03})


def sft_stages():
    for name in recipe_names():
        recipe = get_recipe(name)
        for stage, done in recipe.stages.items():
            if done.do == "sft":
                yield from ((name, stage, size) for size in (*recipe.base, "tiny"))


@pytest.mark.parametrize(("name", "stage", "size"), list(sft_stages()))
def test_every_recipes_adapter_and_its_tiny_model_parse_in_llamafactory(
    parsed_sft, name, stage, size, monkeypatch
):
    monkeypatch.chdir(ROOT)
    for methods in [("lora",), ()] if size == "tiny" else [("lora",)]:
        run = Run(size=size, methods=methods, base="model", root=ROOT)
        data, training, finetuning = parsed_sft(commands(get_recipe(name), stage, run))
        assert finetuning.finetuning_type == ("lora" if methods else "full")
        lowest = (training.lr_scheduler_kwargs or {}) if size != "tiny" else {}
        if name.startswith("deepseek"):
            assert data.default_system is None
            assert bool(lowest) == (size != "tiny")
            assert all(isinstance(value, float) for value in lowest.values())


def test_deepspeed_file_is_zero_3_and_leaves_the_rest_to_the_recipe(recipe):
    config = json.loads((ROOT / recipe["deepspeed"]).read_text(encoding="utf-8"))
    assert config["zero_optimization"]["stage"] == 3
    assert config["zero_optimization"]["stage3_gather_16bit_weights_on_model_save"] is True
    for key in ("train_batch_size", "train_micro_batch_size_per_gpu"):
        assert config[key] == "auto"
    assert config["bf16"]["enabled"] == "auto"


@pytest.fixture
def run_script(tmp_path):
    """Run an example script with its host replaced by a recorder of arguments and environment."""
    bin_dir = tmp_path / "bin"
    bin_dir.mkdir()
    for command in ("llamafactory-cli", "vllm"):
        script = bin_dir / command
        script.write_text('#!/bin/sh\npwd\nenv\necho "--ARGS--"\nfor a; do echo "$a"; done\n')
        script.chmod(0o755)

    def run(script, *arguments, **environment):
        path = f"{bin_dir}:{Path(sys.executable).parent}:{os.environ['PATH']}"
        environment |= {key: os.environ[key] for key in ("PYTHONPATH",) if key in os.environ}
        process = subprocess.run(
            ["bash", script, *arguments],
            env={"PATH": path, **environment},
            cwd=tmp_path,
            check=True,
            capture_output=True,
            text=True,
        )
        head, _, tail = process.stdout.partition("--ARGS--\n")
        folder, *pairs = head.splitlines()
        return folder, dict(p.split("=", 1) for p in pairs if "=" in p), tail.splitlines()

    return run


def test_sft_script_defaults_are_the_recipe(run_script, recipe):
    folder, environment, arguments = run_script(ROOT / "examples" / "sft_7b.sh")
    assert folder == str(ROOT)
    assert arguments[:2] == ["train", "configs/sft.yaml"]
    overrides = dict(argument.split("=", 1) for argument in arguments[2:])
    assert overrides == {key: recipe[key] for key in overrides}
    expected = {"FORCE_TORCHRUN": "1", "NNODES": "1", "NODE_RANK": "0", "NPROC_PER_NODE": "8"}
    assert environment.items() >= expected.items()


def test_sft_script_knobs_machines_and_overrides(run_script, tmp_path):
    # A copy made by `dianjin init` runs as the checkout does.
    for folder in ("configs", "examples"):
        shutil.copytree(ROOT / folder, tmp_path / "copy" / folder)
    knobs = {"MODEL": "/m", "DATASET": "a,b", "DATASET_DIR": "d", "OUTPUT_DIR": "o"}
    machines = {"NNODES": "2", "NODE_RANK": "1", "MASTER_ADDR": "10.0.0.1", "MASTER_PORT": "29501"}
    folder, environment, arguments = run_script(
        tmp_path / "copy" / "examples" / "sft_7b.sh",
        "learning_rate=5e-6",
        "output_dir=last",
        GPUS_PER_NODE="4",
        **knobs,
        **machines,
    )
    assert folder == str(tmp_path / "copy")
    assert arguments[:2] == ["train", "configs/sft.yaml"]
    assert arguments[-2:] == ["learning_rate=5e-6", "output_dir=last"]
    last = dict(argument.split("=", 1) for argument in arguments[2:])  # LLaMA-Factory takes it too
    assert last.pop("learning_rate") == "5e-6"
    assert last == {
        "model_name_or_path": "/m",
        "dataset": "a,b",
        "dataset_dir": "d",
        "output_dir": "last",
    }
    assert environment.items() >= machines.items()
    assert environment["NPROC_PER_NODE"] == "4"
