"""What LLaMA-Factory can leave behind, besides a finished model.

The file lists are those that real runs left: DeepSpeed 0.18.4 ZeRO-3 without gathering, and
accelerate's SHARDED_STATE_DICT.
"""

import importlib.util
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from dianjin_ext.errors import DianjinError
from dianjin_ext.merge.sources import find_checkpoint

ZERO3 = ("latest", "zero_to_fp32.py", "global_step2/zero_pp_rank_0_mp_rank_00_optim_states.pt")


def fill(folder, *names, **config):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"")
    if config:
        (folder / "config.json").write_text(json.dumps(config))
    return folder


def refusal(folder):
    with pytest.raises(DianjinError) as error:
        find_checkpoint([folder])
    return str(error.value)


def test_a_finished_model_needs_nothing(tmp_path):
    fill(tmp_path, "model.safetensors", "checkpoint-2/zero_to_fp32.py")
    assert "is a Hugging Face model already" in refusal(tmp_path)


@pytest.mark.parametrize("tied", [True, False])
def test_zero3_names_deepspeeds_own_script(tmp_path, tied):
    folder = fill(tmp_path / "my run", *ZERO3, tie_word_embeddings=tied)
    message = refusal(folder)
    command = shlex.split(re.search(r"run: (python .*?) \(next", message)[1])
    assert command[:4] == ["python", str(folder / "zero_to_fp32.py"), str(folder), str(folder)]
    assert command[4:] == ([] if tied else ["--safe_serialization"])


def test_the_newest_checkpoint_is_looked_at(tmp_path):
    for step in (2, 10):
        fill(tmp_path / f"checkpoint-{step}", *ZERO3, tie_word_embeddings=True)
    (tmp_path / "checkpoint-best").mkdir()
    assert str(tmp_path / "checkpoint-10" / "zero_to_fp32.py") in refusal(tmp_path)


def test_a_lora_adapter_names_llamafactorys_export(tmp_path):
    fill(tmp_path, "adapter_config.json", "adapter_model.safetensors")
    assert f"llamafactory-cli export adapter_name_or_path={tmp_path}" in refusal(tmp_path)


def test_anything_else_is_said_to_hold_no_rank_files(tmp_path):
    assert "holds no model_world_size_" in refusal(tmp_path)


@pytest.mark.slow
def test_the_command_for_sharded_fsdp_works(tmp_path):
    for name in ("torch", "accelerate", "safetensors"):
        if importlib.util.find_spec(name) is None:
            pytest.skip(f"{name} is not in this environment")
    import torch
    from safetensors.torch import load_file
    from torch.distributed import checkpoint

    weight = torch.arange(12.0).reshape(3, 4)
    shards = tmp_path / "checkpoint-2" / "pytorch_model_fsdp_0"
    checkpoint.save({"model": {"weight": weight}}, checkpoint_id=shards, no_dist=True)
    message = refusal(tmp_path)
    command = shlex.split(re.search(r"run: (accelerate .*?) \(config", message)[1])
    program = Path(sys.executable).with_name(command[0])
    env = {**os.environ, "CUDA_VISIBLE_DEVICES": ""}
    subprocess.run([str(program), *command[1:]], check=True, env=env, timeout=300)
    assert load_file(tmp_path / "checkpoint-2" / "model.safetensors")["weight"].equal(weight)
    assert "is a Hugging Face model already" in refusal(tmp_path)
