"""A scripted model behind a real socket, and a step run on files against it."""

import importlib.util
import json
from pathlib import Path

import pytest

from dianjin_ext.data.candidate import Candidate, read_candidates
from dianjin_ext.data.rows_file import write_items
from dianjin_ext.data.run_step import run_step
from dianjin_ext.data.steps import SETTINGS, get_step
from dianjin_ext.questions.question import Question, read_questions


def said(content, reasoning=None, finish_reason="stop"):
    """What the server is to reply, with reasoning apart."""
    message = {"role": "assistant", "content": content}
    if reasoning is not None:
        message["reasoning_content"] = reasoning
    choice = {"index": 0, "message": message, "finish_reason": finish_reason}
    usage = {"prompt_tokens": 7, "completion_tokens": 11, "total_tokens": 18}
    body = {"id": "1", "object": "chat.completion", "created": 1, "model": "m"}
    return "json " + json.dumps(body | {"choices": [choice], "usage": usage})


@pytest.fixture
def server():
    for module in ("aiohttp", "openai", "tenacity"):
        pytest.importorskip(module)
    path = Path(__file__).parents[2] / "rewards/judge/server.py"
    spec = importlib.util.spec_from_file_location("server", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with module.served() as server:
        yield server


@pytest.fixture
def models(server, tmp_path):
    from dianjin_ext.inference import AskSettings

    def make(*roles, **own):
        given = {"base_url": server.base_url, "state_dir": str(tmp_path / "state"), "keyless": True}
        return {role: AskSettings(**given | {"model": f"{role}-1"} | own) for role in roles}

    return make


@pytest.fixture
def run(server, models, tmp_path):
    """Run a step on rows; `reply` is what the server says to a request's body."""

    def run(name, rows, reply=None, roles=("teacher", "judge", "student"), engine="local", **own):
        server.default = reply or (lambda body: pytest.fail(f"nobody was to be asked: {body}"))
        step = get_step(name)
        write_items(rows, tmp_path / "in.parquet", step.takes)
        report = run_step(
            step,
            [tmp_path / "in.parquet"],
            tmp_path / "out.parquet",
            settings=SETTINGS[name](**own),
            models=models(*roles),
            journal=tmp_path / "journal",
            engine=engine,
        )
        read = read_questions if step.gives == "questions" else read_candidates
        return list(read(tmp_path / "out.parquet")), report

    return run


@pytest.fixture
def asked(server):
    """The last message of each request so far."""
    return lambda: [body["messages"][-1]["content"] for body in server.bodies]


@pytest.fixture
def choice():
    return Question(
        id="cflue/1",
        data_source="cflue_mcq",
        question="下列各项中，属于流动负债的是（ ）。",
        kind="choice",
        answer="B",
        choices={"A": "应收账款", "B": "应付账款", "C": "存货", "D": "固定资产"},
        multiple=False,
    )


@pytest.fixture
def number():
    return Question(
        id="finqa/1",
        data_source="finqa",
        question="what is the growth rate of revenue from 2018 to 2019?",
        kind="number",
        answer="0.25",
        context="| year | revenue |\n|---|---|\n| 2018 | 80 |\n| 2019 | 100 |",
        language="en",
    )


@pytest.fixture
def candidate(choice):
    """A right answer to `choice`, or another by its fields."""

    def make(question=choice, **own):
        given = {
            "model": "teacher-1",
            "reasoning": "先看题目问的是流动负债。\n应收账款是资产。\n应付账款是负债。\n所以选B。",
            "response": "\\boxed{B}",
        }
        return Candidate(question=question, **given | own)

    return make
