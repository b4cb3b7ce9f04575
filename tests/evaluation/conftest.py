"""A model that answers over HTTP, and `dianjin eval` on it."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

PLAIN = "about: asked as in training\nsource: none\nsampling: {temperature: 0, max_tokens: 256}\n"


@pytest.fixture
def server(monkeypatch):
    """A server that does what its script says, as the judge's tests have it."""
    for module in ("aiohttp", "openai", "tenacity", "scipy", "pyarrow"):
        pytest.importorskip(module)
    path = Path(__file__).parents[1] / "rewards/judge/server.py"
    spec = importlib.util.spec_from_file_location("server", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setenv("OPENAI_API_KEY", "EMPTY")
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    with module.served() as server:
        yield server


@pytest.fixture
def plain(tmp_path):
    """A protocol of one's own: the prompt of training, greedy."""
    path = tmp_path / "plain.yaml"
    path.write_text(PLAIN)
    return path


class Evaluation:
    """`dianjin eval` in a process of its own; `model` is the options that say whom it asks."""

    def __init__(self, folder, *model):
        self.folder, self.model = folder, model

    def start(self, *arguments):
        command = [sys.executable, "-m", "dianjin_ext", "eval", *map(str, arguments)]
        command += [*map(str, self.model), "--out", str(self.folder / "out")]
        return subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ
        )

    def __call__(self, *arguments, code=0, within_s=300):
        process = self.start(*arguments)
        stdout, stderr = process.communicate(timeout=within_s)
        assert process.returncode == code, stdout + stderr
        return stdout + stderr

    @property
    def results(self):
        return json.loads((self.folder / "out/summary.json").read_text())["results"]

    def rows(self, name):
        path = self.folder / f"out/responses/{name}.jsonl"
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.fixture
def evaluate(server, tmp_path):
    return Evaluation(tmp_path, "--model", "m", "--base-url", server.base_url)


@pytest.fixture
def evaluate_folder(tmp_path, monkeypatch):
    """The same of a model that is a folder, on one thread."""
    for module in ("aiohttp", "openai", "tenacity", "scipy", "pyarrow", "torch", "transformers"):
        pytest.importorskip(module)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)  # its server takes any
    return lambda folder: Evaluation(tmp_path, "--model", folder)
