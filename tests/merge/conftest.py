import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

WRITER = Path(__file__).with_name("write_checkpoints.py")


@pytest.fixture(scope="session")
def checkpoints(tmp_path_factory):
    """Real checkpoints, one folder a case; written once and never changed by a test."""
    if importlib.util.find_spec("verl") is None:
        pytest.skip("verl, which writes the checkpoints, is not in this environment")
    out = tmp_path_factory.mktemp("checkpoints")
    command = [sys.executable, str(WRITER), str(out)]
    env = {**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    run = subprocess.run(command, env=env, capture_output=True, text=True, timeout=600)
    assert run.returncode == 0, run.stdout + run.stderr
    return out


@pytest.fixture
def copy_of(checkpoints, tmp_path):
    """A copy of a case that the test may damage; returns its actor folder."""

    def copy(name):
        return Path(shutil.copytree(checkpoints / name, tmp_path / name)) / "actor"

    return copy


@pytest.fixture
def bare_model(tmp_path):
    """A base model of a config that says nothing and an empty tokenizer."""
    folder = tmp_path / "base"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"model_type": "edges"}))
    (folder / "tokenizer.json").write_text("{}")
    return folder
