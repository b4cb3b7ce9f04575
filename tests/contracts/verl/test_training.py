"""The GRPO recipe run for real on the CPU, through its own script."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("verl")

ROOT = Path(__file__).resolve().parents[3]
SCRIPT = ROOT / "examples" / "grpo_7b.sh"
DOCS = ROOT / "docs" / "rewards.md"
SMALL = (
    "data.max_prompt_length=128",
    "data.max_response_length=8",
    "actor_rollout_ref.actor.strategy=fsdp2",
    "actor_rollout_ref.actor.fsdp_config.strategy=fsdp2",
    "actor_rollout_ref.actor.use_kl_loss=false",
    "actor_rollout_ref.actor.checkpoint.save_contents=[model,extra]",
    "actor_rollout_ref.rollout.n=2",
    "trainer.val_before_train=false",
    "trainer.test_freq=-1",
    "trainer.total_training_steps=2",
    "trainer.v1.sampler.sampler_kwargs.poll_interval_s=0.1",
)


@pytest.fixture(scope="module")
def start(tiny_model, tiny_data):
    """Start the recipe's script in a folder; returns the exit code and what the console showed."""

    def run(out, *overrides, script=SCRIPT):
        environment = os.environ | {
            "VERL_PLATFORM": "cpu",
            "PLATFORM": "cpu",
            "MODEL": str(tiny_model),
            "TRAIN_FILES": f"{tiny_data}/train.parquet",
            "VAL_FILES": f"{tiny_data}/val.parquet",
            "OUTPUT_DIR": str(out / "checkpoints"),
            "GPUS_PER_NODE": "1",
            "TENSORBOARD_DIR": str(out / "tensorboard"),
            "LOG": str(out / "run.log"),
            "OMP_NUM_THREADS": "1",
            "RAY_USAGE_STATS_ENABLED": "0",
            "HF_HUB_OFFLINE": "1",
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        }
        done = subprocess.run(
            ["bash", str(script), *SMALL, *overrides, f"hydra.run.dir={out}/hydra"],
            env=environment,
            capture_output=True,
            text=True,
            timeout=900,
        )
        return done.returncode, done.stdout + done.stderr

    return run


@pytest.fixture(scope="module")
def run(tmp_path_factory, start):
    """Two steps of the recipe; returns the folder of the run and what the console showed."""
    out = tmp_path_factory.mktemp("run")
    returned, console = start(
        out,
        "data.train_batch_size=4",
        "actor_rollout_ref.actor.ppo_mini_batch_size=4",
        "trainer.save_freq=2",
        "trainer.checkpoint_callback_class=dianjin_ext.hosts.verl.checkpoint.MergeOnSave",
        "trainer.merge_on_save.dtype=bf16",
    )
    assert returned == 0, console[-6000:]
    return out, console


@pytest.mark.slow
def test_the_console_has_a_line_a_step_and_the_log_has_everything(run):
    out, console = run
    first, *lines = console.splitlines()
    assert first.startswith(f"log: {out}/run.log")
    steps = [line for line in lines if line.startswith("step ")]
    for number, line in zip((1, 2), steps, strict=True):
        words = rf"step {number}/2  reward [\d.]+  accuracy [\d.]+  format [\d.]+  length \d+  "
        assert re.fullmatch(words + r"[\d.]+ s  0:\d\d:\d\d left", line), line
    assert "engine is not available" not in console
    assert len(lines) < 15, console
    log = (out / "run.log").read_text(encoding="utf-8")
    assert "engine is not available" in log and "'poll_interval_s': 0.1" in log
    assert "reward_reason/no_think:1" in log  # verl's own line of all metrics


@pytest.mark.slow
def test_components_are_curves_in_tensorboard(run):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    out, _ = run
    events = EventAccumulator(str(out / "tensorboard"))
    events.Reload()
    curves = {
        tag: [(event.step, event.value) for event in events.Scalars(tag)]
        for tag in events.Tags()["scalars"]
    }
    for component in ("score", "acc", "format"):
        steps, values = zip(*curves[f"reward/{component}/mean"], strict=True)
        assert steps == (1, 2)
        assert all(0.0 <= value <= 1.0 for value in values)
    # An untrained model writes no think block: verl's own mean reward is the same number.
    assert curves["reward/score/mean"] == curves["critic/score/mean"]
    assert curves["reward_reason/no_think"] == [(1, 1.0), (2, 1.0)]
    assert not any("pred" in tag for tag in curves)


@pytest.mark.slow
def test_the_checkpoint_is_merged_on_save(run):
    from safetensors.torch import load_file
    from transformers import AutoModelForCausalLM, AutoTokenizer

    out, _ = run
    merged = out / "checkpoints" / "global_step_2" / "merged"
    model = AutoModelForCausalLM.from_pretrained(merged)
    assert len(AutoTokenizer.from_pretrained(merged)) > 0
    names = {name for file in merged.glob("*.safetensors") for name in load_file(file)}
    assert names == set(model.state_dict())


@pytest.mark.slow
def test_a_reward_that_always_fails_stops_the_run_with_its_first_traceback(start, tmp_path):
    reward = tmp_path / "broken_reward.py"
    reward.write_text(
        "def compute_score(data_source, solution_str, ground_truth, extra_info=None):\n"
        "    raise LookupError('没有这一列')\n",
        encoding="utf-8",
    )
    returned, console = start(
        tmp_path,
        "data.train_batch_size=32",
        "actor_rollout_ref.actor.ppo_mini_batch_size=32",
        f"reward.custom_reward_function.path={reward}",
        "~reward.custom_reward_function.reward_kwargs",
    )
    assert returned == 1
    assert "step 1" not in console
    message = console.rpartition("DianjinError: ")[2]  # what the driver ends with
    assert message.startswith("the reward of data_source 'cflue_mcq' failed on 64 responses in a")
    assert f'File "{reward}", line 2, in compute_score' in message
    assert "LookupError: 没有这一列" in message


@pytest.mark.slow
@pytest.mark.long
def test_a_reward_in_a_file_as_the_docs_have_it(start, tiny_data, tmp_path, monkeypatch):
    """It grades, check-data knows it, GRPO trains with it, and garbage has format 0."""
    from pyarrow import parquet

    from dianjin_ext.errors import DianjinError
    from dianjin_ext.rewards import own, registry

    section = DOCS.read_text(encoding="utf-8").partition("## A reward of your own")[2]
    code = re.search(r"```python\n(.*?)```", section, re.DOTALL)[1]
    commands = re.search(r"```bash\n(.*?)```", section, re.DOTALL)[1].splitlines()
    assert [line.split()[:2] for line in commands[:2]] == [
        ["dianjin", "check-data"],
        ["dianjin", "score"],
    ]
    (tmp_path / "my_rewards.py").write_text(code, encoding="utf-8")
    for split in ("train", "val"):
        rows = parquet.read_table(tiny_data / f"{split}.parquet").to_pylist()
        for row in rows:
            row["data_source"] = "desk/notes"
        parquet.write_table(
            parquet.read_table(tiny_data / f"{split}.parquet").from_pylist(rows),
            tmp_path / f"{split}.parquet",
        )
    (tmp_path / "answers.jsonl").write_text(
        '{"data_source": "desk/notes", "response": "上报 核对", "ground_truth": "核对"}\n',
        encoding="utf-8",
    )
    monkeypatch.chdir(tmp_path)
    for command in ("dianjin init .", *commands[:2]):
        program = [sys.executable, "-m", "dianjin_ext", *command.split()[1:]]
        done = subprocess.run(program, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    assert '"score": 1.0' in (tmp_path / "scores.jsonl").read_text(encoding="utf-8")

    override = commands[2].split()[-1]
    returned, console = start(
        tmp_path,
        "data.train_batch_size=4",
        "actor_rollout_ref.actor.ppo_mini_batch_size=4",
        f"data.train_files={tmp_path}/train.parquet",
        f"data.val_files={tmp_path}/val.parquet",
        override,
        script=tmp_path / "examples" / "grpo_7b.sh",
    )
    assert returned == 0, console[-6000:]
    steps = [line for line in console.splitlines() if line.startswith("step ")]
    assert len(steps) == 2
    assert all("format 0.00" in line for line in steps), steps

    (tmp_path / "my_rewards.py").write_text("1 / 0\n", encoding="utf-8")
    monkeypatch.setattr(own, "_loaded", set())
    monkeypatch.setattr(registry, "_REWARDS", dict(registry._REWARDS))
    returned, console = start(tmp_path, override, script=tmp_path / "examples" / "grpo_7b.sh")
    assert returned == 1
    assert "my_rewards.py: line 1: ZeroDivisionError" in console
    assert "Traceback" not in console
    with pytest.raises(DianjinError, match="line 1: ZeroDivisionError"):
        own.load_rewards("my_rewards.py")
