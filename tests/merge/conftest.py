import json
import shutil
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
