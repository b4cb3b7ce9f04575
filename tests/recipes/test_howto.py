"""docs/howto.md: each command, composed on the real verl and checked as at a start."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("verl")
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf
from verl.trainer.ppo.utils import need_critic, need_reference_policy
from verl.utils.config import validate_config

from dianjin_ext.hosts.verl.batch_check import batch_problems

ROOT = Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# Keys of commands whose effect must show in the configuration: doc's words to key and value.
EXPECTED = {
    "save_freq=10": ("trainer.max_actor_ckpt_to_keep", 2),
    "resume_path": ("trainer.resume_mode", "resume_path"),
    "swanlab": ("trainer.logger", ["console", "swanlab"]),
    "GPUS_PER_NODE=4": ("trainer.n_gpus_per_node", 4),
    "max_response_length": ("actor_rollout_ref.rollout.response_length", 8192),
    "14b": ("actor_rollout_ref.model.path", "experiments/DianJin-R1-14B/sft"),
    "Qwen3-8B": ("data.apply_chat_template_kwargs.enable_thinking", False),
    "fin_r1": ("reward.custom_reward_function.reward_kwargs.preset", "fin_r1"),
    "rollout_data_dir": ("trainer.rollout_data_dir", "rollouts"),
    "my_reward.py": ("reward.custom_reward_function.path", "my_reward.py"),
}


def blocks(name):
    return BLOCK.findall((ROOT / "docs" / name).read_text(encoding="utf-8"))


COMMANDS = [
    line for kind, block in blocks("howto.md") if kind == "bash" for line in block.splitlines()
]
GRPO = [command for command in COMMANDS if "grpo_7b.sh" in command]


def arguments(command, tmp_path, program):
    """Run the command with a program that only writes down how it was called."""
    called = tmp_path / "called"
    fake = tmp_path / program
    fake.write_text(f"#!/usr/bin/env bash\nprintf '%s\\0' \"$@\" > {called}\n")
    fake.chmod(0o755)
    path = os.pathsep.join([str(tmp_path), str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(["bash", "-c", command], cwd=ROOT, env=os.environ | {"PATH": path})
    assert done.returncode == 0
    return called.read_text().rstrip("\0").split("\0")


def test_both_languages_have_the_same_blocks():
    assert blocks("howto.md") == blocks("howto_zh.md")
    heads = [
        len(re.findall(r"^## ", (ROOT / "docs" / name).read_text(encoding="utf-8"), re.MULTILINE))
        for name in ("howto.md", "howto_zh.md")
    ]
    assert heads[0] == heads[1] == 7


@pytest.mark.parametrize("command", GRPO)
def test_every_run_composes_and_its_batches_divide(command, tmp_path):
    given = arguments(command, tmp_path, "python")
    given = given[given.index("verl.trainer.main_ppo") + 1 :]
    assert given[:4] == ["--config-path", str(ROOT / "configs"), "--config-name", "rl"]
    with initialize_config_dir(str(ROOT / "configs"), version_base=None):
        config = compose("rl", overrides=given[4:])
    validate_config.__wrapped__(config, need_reference_policy(config), need_critic(config))
    assert list(batch_problems(config)) == []
    for words, (key, value) in EXPECTED.items():
        if words in command:
            assert OmegaConf.select(config, key) == value


def test_what_is_expected_is_in_the_commands():
    assert all(any(words in command for command in GRPO) for words in EXPECTED)
    assert len(GRPO) == 13


def test_the_sft_command_names_model_and_output(tmp_path):
    (command,) = [command for command in COMMANDS if "sft_7b.sh" in command]
    assert set(COMMANDS) == {command, *GRPO}
    given = arguments(command, tmp_path, "llamafactory-cli")
    assert given[:2] == ["train", "configs/sft.yaml"]
    knobs = dict(word.split("=", 1) for word in shlex.split(command) if "=" in word)
    assert f"model_name_or_path={knobs['MODEL']}" in given
    assert f"output_dir={knobs['OUTPUT_DIR']}" in given


def test_the_reward_of_ones_own_is_one_that_verl_can_call():
    (code,) = [block for kind, block in blocks("howto.md") if kind == "python"]
    names = {}
    exec(compile(code, "my_reward.py", "exec"), names)
    assert names["compute_score"]("s", "the answer is 5", "5", extra_info={}) == 1.0
