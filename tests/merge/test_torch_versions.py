"""Rank files of several versions of torch, world sizes 1 to 8, one- and two-dimensional meshes.

The torch of this environment always takes part. Others are installed for the test, in an
environment that is removed afterwards (2 to 6 GB each, so only where asked for):

    DIANJIN_TORCH_VERSIONS="2.4.1 2.6.0 2.8.0 2.13.0" pytest tests/merge/test_torch_versions.py
"""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from dianjin_ext.merge import merge_checkpoint

WRITER = Path(__file__).with_name("write_shards.py")
OTHERS = os.environ.get("DIANJIN_TORCH_VERSIONS", "").split()
# What a version does not support; everything else must be written and read.
CANNOT = {"2.4": {"fsdp2-hsdp", "fsdp2-tp", "fsdp2-w8-columns"}}


def write(python, out):
    env = {**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    command = [str(python), "-W", "ignore", str(WRITER), str(out)]
    run = subprocess.run(command, env=env, capture_output=True, text=True, timeout=600)
    assert run.returncode == 0, run.stdout + run.stderr
    return out


@pytest.fixture(scope="module")
def current(tmp_path_factory):
    if importlib.util.find_spec("torch") is None:
        pytest.skip("torch, which writes the rank files, is not in this environment")
    return write(sys.executable, tmp_path_factory.mktemp("shards"))


@pytest.fixture(params=OTHERS)
def other(request, tmp_path):
    """What another torch wrote, in an environment that lives only as long as that takes."""
    venv = tmp_path / "venv"
    python = venv / "bin" / "python"
    install = ["uv", "pip", "install", "--quiet", "--no-cache", "--python", str(python)]
    subprocess.run(["uv", "venv", "--quiet", "--python", "3.11", str(venv)], check=True)
    subprocess.run([*install, f"torch=={request.param}", "numpy<2.3"], check=True)
    yield write(python, tmp_path / "shards")
    subprocess.run(["rm", "-rf", str(venv)], check=True)


def assert_all_merge(shards, base_model, out):
    """Merge every case, compare it with the state before sharding; returns the cases' names."""
    import torch
    from safetensors.torch import load_file

    folders = sorted(path.parent for path in shards.glob("*/original.pt"))
    for folder in folders:
        merge_checkpoint(folder, out / folder.name, base_model=base_model)
        merged = load_file(out / folder.name / "model.safetensors")
        original = torch.load(folder / "original.pt", weights_only=True)
        assert merged.keys() == original.keys(), folder.name
        for name, value in original.items():
            assert merged[name].dtype == value.dtype == torch.bfloat16
            assert torch.equal(merged[name].view(torch.int16), value.view(torch.int16)), name
    return {folder.name for folder in folders}


@pytest.mark.slow
def test_the_torch_of_this_environment(current, bare_model, tmp_path):
    assert json.loads((current / "skipped.json").read_text()) == {}
    names = assert_all_merge(current, bare_model, tmp_path / "out")
    assert {"fsdp2-w8", "fsdp2-w8-columns", "fsdp1-w3-no-mesh", "fsdp2-hsdp", "fsdp2-tp"} <= names


@pytest.mark.slow
@pytest.mark.skipif(not OTHERS, reason="DIANJIN_TORCH_VERSIONS names no other versions of torch")
def test_other_torches(other, bare_model, tmp_path):
    version = (other / "torch.txt").read_text()
    skipped = json.loads((other / "skipped.json").read_text())
    cannot = CANNOT.get(".".join(version.split(".")[:2]), set())
    assert skipped.keys() <= cannot, skipped
    names = assert_all_merge(other, bare_model, tmp_path / "out")
    assert {"dtensor-2d", "fsdp1-w3-no-mesh", "fsdp2-w8"} <= names
