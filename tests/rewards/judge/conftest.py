"""The local server, and the reward function that asks it."""

import asyncio
import importlib.util
from pathlib import Path

import pytest

pytest.importorskip("aiohttp")
pytest.importorskip("diskcache")
pytest.importorskip("openai")
pytest.importorskip("tenacity")

from tenacity import wait_random_exponential

from dianjin_ext.rewards.judge import judge as judge_module
from dianjin_ext.rewards.judged import compute_score_with_judge

_SPEC = importlib.util.spec_from_file_location("server", Path(__file__).with_name("server.py"))
_SERVER = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(_SERVER)

QUESTION = "企业销售货物时缴纳的流转税是什么税？"
GOLD = "增值税"


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-not-to-be-seen")
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    with _SERVER.served() as server:
        yield server


@pytest.fixture
def short_pauses(monkeypatch):
    """A back-off of hundredths of a second."""
    pauses = wait_random_exponential(multiplier=0.02, max=0.1)
    monkeypatch.setattr(judge_module, "_back_off", pauses)


@pytest.fixture
def judge_settings(server, tmp_path):
    """The settings of a judge on the server; keywords replace them."""
    settings = {
        "model": "judge",
        "base_url": server.base_url,
        "cache_dir": str(tmp_path / "judge"),
        "timeout_s": 5.0,
        "deadline_s": 20.0,
    }
    return lambda **own: {**settings, **own}


def response(answer):
    return f"<think>想一想。</think>\n<answer>{answer}</answer>"


@pytest.fixture
def ask(judge_settings):
    """Grade answers to one question at the same time; returns their rows."""

    def run(*answers, question=QUESTION, gold=GOLD, source="cflue_oe", settings=None, **own):
        async def all_at_once():
            return await asyncio.gather(
                *(
                    compute_score_with_judge(
                        source,
                        response(answer),
                        gold,
                        {"question": question},
                        judge=judge_settings(**own),
                        **(settings or {}),
                    )
                    for answer in answers
                )
            )

        rows = asyncio.run(all_at_once())
        return rows if len(answers) > 1 else rows[0]

    return run
