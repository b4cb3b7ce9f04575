"""The example scripts, composed by the real verl: `--cfg job` through `"$@"`, so without a GPU."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("verl")
from omegaconf import OmegaConf

from dianjin_ext import resources

ROOT = Path(__file__).resolve().parents[2]
# DianJin-R1's grpo.sh, in today's keys.
PUBLISHED = {
    "algorithm.adv_estimator": "grpo",
    "data.train_batch_size": 1024,
    "data.max_prompt_length": 1024,
    "data.max_response_length": 4096,
    "data.filter_overlong_prompts": True,
    "data.truncation": "error",
    "actor_rollout_ref.model.enable_gradient_checkpointing": True,
    "actor_rollout_ref.model.use_remove_padding": True,
    "actor_rollout_ref.actor.optim.lr": 1e-6,
    "actor_rollout_ref.actor.ppo_mini_batch_size": 256,
    "actor_rollout_ref.actor.ppo_micro_batch_size_per_gpu": 8,
    "actor_rollout_ref.actor.use_kl_loss": True,
    "actor_rollout_ref.actor.kl_loss_coef": 0.001,
    "actor_rollout_ref.actor.kl_loss_type": "low_var_kl",
    "actor_rollout_ref.actor.entropy_coeff": 0,
    "actor_rollout_ref.actor.fsdp_config.param_offload": True,
    "actor_rollout_ref.actor.fsdp_config.optimizer_offload": True,
    "actor_rollout_ref.actor.checkpoint.save_contents": ["model", "hf_model", "optimizer", "extra"],
    "actor_rollout_ref.rollout.log_prob_micro_batch_size_per_gpu": 8,
    "actor_rollout_ref.rollout.tensor_model_parallel_size": 4,
    "actor_rollout_ref.rollout.name": "vllm",
    "actor_rollout_ref.rollout.gpu_memory_utilization": 0.6,
    "actor_rollout_ref.rollout.temperature": 0.6,
    "actor_rollout_ref.rollout.top_p": 0.95,
    "actor_rollout_ref.rollout.n": 8,
    "actor_rollout_ref.ref.log_prob_micro_batch_size_per_gpu": 8,
    "algorithm.kl_ctrl.kl_coef": 0.001,
    "trainer.critic_warmup": 0,
    "trainer.n_gpus_per_node": 8,
    "trainer.nnodes": 1,
    "trainer.save_freq": 50,
    "trainer.test_freq": 10,
    "trainer.total_epochs": 15,
}
# Ours; DianJin-R1 published no script for 32B.
AT_32B = {
    "actor_rollout_ref.actor.ppo_micro_batch_size_per_gpu": 2,
    "actor_rollout_ref.rollout.log_prob_micro_batch_size_per_gpu": 4,
    "actor_rollout_ref.rollout.tensor_model_parallel_size": 8,
    "actor_rollout_ref.ref.log_prob_micro_batch_size_per_gpu": 4,
    "trainer.nnodes": 2,
}


def composed(script, folder, *overrides, **knobs):
    names = ("MODEL", "TRAIN_FILES", "VAL_FILES", "OUTPUT_DIR", "EXPERIMENT_NAME", "NNODES")
    environment = {k: v for k, v in os.environ.items() if k not in (*names, "GPUS_PER_NODE")}
    environment |= knobs
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    done = subprocess.run(
        ["bash", str(script), *overrides, "--cfg", "job"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return OmegaConf.create(done.stdout)


def differences(config, expected):
    found = {key: OmegaConf.select(config, key) for key in expected}
    return {key: found[key] for key in expected if found[key] != expected[key]}


@pytest.mark.slow
def test_7b_in_a_copied_folder_has_the_published_values(tmp_path):
    resources.copy_out(tmp_path / "my recipes")
    script = tmp_path / "my recipes" / "examples" / "grpo_7b.sh"
    config = composed(script, tmp_path, "data.seed=3")
    assert differences(config, PUBLISHED) == {}
    assert config.data.seed == 3
    assert config.trainer.experiment_name == "DianJin-R1-7B"
    assert config.reward.custom_reward_function.path == "pkg://dianjin_ext.rewards"


@pytest.mark.slow
def test_32b_in_the_checkout_obeys_its_knobs(tmp_path):
    config = composed(
        ROOT / "examples" / "grpo_32b.sh",
        tmp_path,
        "trainer.total_epochs=2",
        MODEL="models/a b",
        TRAIN_FILES="[x.parquet,y.parquet]",
        VAL_FILES="v.parquet",
        OUTPUT_DIR="out",
        EXPERIMENT_NAME="mine",
        NNODES="4",
        GPUS_PER_NODE="16",
    )
    ours = AT_32B | {
        "trainer.total_epochs": 2,
        "actor_rollout_ref.model.path": "models/a b",
        "data.train_files": ["x.parquet", "y.parquet"],
        "data.val_files": "v.parquet",
        "trainer.default_local_dir": "out",
        "trainer.experiment_name": "mine",
        "trainer.nnodes": 4,
        "trainer.n_gpus_per_node": 16,
    }
    assert differences(config, PUBLISHED | ours) == {}


@pytest.mark.parametrize("script", ["recipe.sh", "grpo_7b.sh", "grpo_32b.sh", "sft_7b.sh"])
def test_scripts_are_portable(script):
    path = ROOT / "examples" / script
    text = path.read_text()
    assert os.access(path, os.X_OK)
    assert subprocess.run(["bash", "-n", str(path)]).returncode == 0
    assert "sleep" not in text and "nohup" not in text
    assert not [word for word in text.split() if word.startswith("/")][1:]  # but for #!/usr/bin/env
