"""The misbehaving server of the judge's tests, and an asker on it."""

import importlib.util
from pathlib import Path

import pytest

KEY = "sk-not-to-be-seen"


@pytest.fixture
def server(monkeypatch):
    for module in ("aiohttp", "openai", "tenacity"):
        pytest.importorskip(module)
    path = Path(__file__).parents[1] / "rewards/judge/server.py"
    spec = importlib.util.spec_from_file_location("server", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    with module.served() as server:
        # says what it was asked, so that a reply that goes to another row is seen
        server.default = lambda body: f"to {body['messages'][-1]['content']}"
        yield server


@pytest.fixture
def short_pauses(monkeypatch):
    from tenacity import wait_random_exponential

    from dianjin_ext.inference import asker

    pauses = wait_random_exponential(multiplier=0.01, max=0.05)
    monkeypatch.setattr(asker, "_back_off", pauses)


@pytest.fixture
def settings(server, tmp_path):
    from dianjin_ext.inference import AskSettings

    def make(**own):
        given = {"model": "m", "base_url": server.base_url, "state_dir": str(tmp_path / "state")}
        return AskSettings(**given | {"timeout_s": 20.0} | own)

    return make
