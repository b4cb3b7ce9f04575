import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest


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


@pytest.fixture(scope="session")
def models(tmp_path_factory):
    """Real checkpoints of models with adapters, value heads, images and experts, by name."""
    if importlib.util.find_spec("transformers") is None:
        pytest.skip("transformers, which has the models, is not in this environment")
    out = tmp_path_factory.mktemp("models")
    command = [sys.executable, "-W", "ignore", str(Path(__file__).with_name("write_models.py"))]
    env = {**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    run = subprocess.run([*command, str(out)], env=env, capture_output=True, text=True, timeout=600)
    assert run.returncode == 0, run.stdout + run.stderr
    return out
