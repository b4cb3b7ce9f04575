"""The stages of a quickstart run: each is one command that a user could type."""

import json
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dianjin_ext.errors import DianjinError
from dianjin_ext.resources import folder

EVALUATED = ("base", "sft", "grpo")
DIANJIN = str(Path(sys.executable).with_name("dianjin"))


@dataclass(frozen=True)
class Settings:
    """Sizes that differ between made-up and real questions; lengths are in tokens."""

    vocabulary: int
    max_prompt: int
    max_response: int
    sft_steps: int
    grpo_steps: int
    grpo_prompts: int  # a step
    micro_batch: int  # responses a rank computes at a time; bounds the memory
    hidden: int = 128
    layers: int = 2


WORLD = Settings(
    vocabulary=1100,
    max_prompt=128,
    max_response=96,
    sft_steps=500,
    grpo_steps=50,
    grpo_prompts=32,
    micro_batch=32,
)
# Longer questions in a wide vocabulary, few rows: enough to learn the format, not the answers.
REAL = Settings(
    vocabulary=4096,
    max_prompt=512,
    max_response=192,
    sft_steps=400,
    grpo_steps=10,
    grpo_prompts=16,
    micro_batch=8,
)


@dataclass(frozen=True)
class Stage:
    """One command, run in the folder of the run, and how far it says it is (done, total)."""

    name: str
    title: str
    command: list[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    progress: Callable[[], tuple[int, int] | None] = lambda: None


def stages(out: Path, *, seed: int, data: str | None, llamafactory_python: Path) -> list[Stage]:
    """Return the stages of a run in `out`, in order; paths in the commands are relative to it."""
    settings = WORLD if data is None else REAL
    heldout = "data/heldout.parquet" if data is None else "data/rl/val.parquet"
    checkpoint = f"grpo/checkpoints/global_step_{settings.grpo_steps}"
    return [
        _data(seed, data),
        model_stage(settings, seed),
        evaluation_stage("base", "model", heldout, settings),
        sft_stage(out, settings, seed, llamafactory_python),
        evaluation_stage("sft", "sft", heldout, settings),
        _grpo(out, settings, seed),
        Stage(
            "merge",
            "merge the shards of the two ranks",
            [DIANJIN, "merge", checkpoint, "grpo/model", "--overwrite"],
        ),
        evaluation_stage("grpo", "grpo/model", heldout, settings),
    ]


def _data(seed: int, data: str | None) -> Stage:
    if data is None:
        command = [sys.executable, "-m", "dianjin_ext.quickstart.datasets", "data", str(seed)]
        return Stage("data", "make up questions", command)
    name, _, file = data.partition(":")
    if name != "cflue" or not file:
        raise DianjinError(f"--data {data}: expected cflue:FILE, with CFLUE's knowledge.json")
    if not Path(file).is_file():
        raise DianjinError(f"--data {data}: there is no file {file}")
    command = [DIANJIN, "prepare", "cflue", str(Path(file).absolute()), "--on-error", "skip"]
    return Stage("data", "prepare CFLUE", [*command, "--out", "data", "--seed", str(seed)])


def model_stage(settings: Settings, seed: int) -> Stage:
    """Return the stage that makes `model`, with a tokenizer for data/sft/cflue_mcq.json."""
    return Stage(
        "model",
        "build a tiny Qwen2 model and tokenizer",
        [
            *(sys.executable, "-m", "dianjin_ext.quickstart.model"),
            *("data/sft/cflue_mcq.json", "model"),
            *map(str, (settings.vocabulary, settings.hidden, settings.layers, seed)),
        ],
    )


def evaluation_stage(name: str, model: str, heldout: str, settings: Settings) -> Stage:
    """Return the stage that writes evaluation/NAME.jsonl, a model's answers to held-out rows."""
    return Stage(
        f"evaluate-{name}",
        f"answer the held-out questions: {name}",
        [
            *(sys.executable, "-m", "dianjin_ext.evaluation.generate", model, heldout),
            *(f"evaluation/{name}.jsonl", str(settings.max_response)),
        ],
    )


def sft_stage(out: Path, settings: Settings, seed: int, python: Path) -> Stage:
    """Return the stage that trains `model` on data/sft/cflue_mcq.json, into `sft`.

    Args:
        out: Folder that it runs in.
        settings: Sizes.
        seed: Of the order of the rows.
        python: Of the environment that has LLaMA-Factory.
    """
    log = out / "sft" / "trainer_log.jsonl"

    def progress() -> tuple[int, int] | None:
        line = _last_line(log)
        return (line["current_steps"], line["total_steps"]) if line else None

    return Stage(
        "sft",
        "SFT with LLaMA-Factory on two ranks",
        [
            *(str(python.with_name("llamafactory-cli")), "train"),
            str(folder("configs") / "sft_tiny.yaml"),
            *("model_name_or_path=model", "dataset_dir=data", "output_dir=sft"),
            f"cutoff_len={settings.max_prompt + settings.max_response}",
            f"max_steps={settings.sft_steps}",
            f"seed={seed}",
            # without a checkpoint there is nothing to go on from, and LLaMA-Factory would refuse
            f"overwrite_output_dir={not any((out / 'sft').glob('checkpoint-*'))}",
        ],
        {
            "FORCE_TORCHRUN": "1",
            "NPROC_PER_NODE": "2",
            "PATH": f"{python.parent}{os.pathsep}{os.environ.get('PATH', '')}",  # torchrun
        },
        progress,
    )


def _grpo(out: Path, settings: Settings, seed: int) -> Stage:
    attempt = len(list((out / "grpo").glob("metrics-*.jsonl")))  # verl would empty an old file
    metrics = f"grpo/metrics-{attempt}.jsonl"

    def progress() -> tuple[int, int] | None:
        line = _last_line(out / metrics)
        return (line["step"], settings.grpo_steps) if line else None

    return Stage(
        "grpo",
        "GRPO with verl, FSDP2 on two ranks",
        [
            *(sys.executable, "-m", "dianjin_ext.hosts.verl.console", "grpo/verl.log"),
            *(sys.executable, "-u", "-m", "verl.trainer.main_ppo"),
            *("--config-path", str(folder("configs")), "--config-name", "rl"),
            *("size=tiny", "platform=cpu"),
            *("data.train_files=data/rl/train.parquet", "data.val_files=data/rl/val.parquet"),
            f"data.train_batch_size={settings.grpo_prompts}",
            f"actor_rollout_ref.actor.ppo_mini_batch_size={settings.grpo_prompts}",
            f"actor_rollout_ref.actor.ppo_micro_batch_size_per_gpu={settings.micro_batch}",
            f"data.max_prompt_length={settings.max_prompt}",
            f"data.max_response_length={settings.max_response}",
            f"data.seed={seed}",
            f"actor_rollout_ref.rollout.seed={seed}",
            f"actor_rollout_ref.actor.fsdp_config.seed={seed}",
            "actor_rollout_ref.model.path=sft",
            f"trainer.total_training_steps={settings.grpo_steps}",
            "trainer.default_local_dir=grpo/checkpoints",
            "trainer.validation_data_dir=grpo/validation",  # the responses behind val-core
            "trainer.logger=[console,file,tensorboard]",
            "hydra.run.dir=grpo/hydra",
        ],
        {
            "VERL_PLATFORM": "cpu",
            "VERL_FILE_LOGGER_PATH": str(out / metrics),
            "TENSORBOARD_DIR": str(out / "grpo" / "tensorboard"),
        },
        progress,
    )


def _last_line(path: Path) -> dict[str, int]:
    """Return the last whole JSON line of a file that is being written, or an empty dict."""
    if not path.is_file():
        return {}
    lines = path.read_bytes().rpartition(b"\n")[0].splitlines()
    return dict(json.loads(lines[-1])) if lines else {}
