"""The protocol, over a real socket: what is refused, counted, drawn, and how the server ends."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import pytest

from dianjin_ext.answers.tags import TAGS
from dianjin_ext.data.steps.verdicts import gold_text
from dianjin_ext.errors import DianjinError
from dianjin_ext.questions.prompts import prompt, with_options
from dianjin_ext.quickstart.teacher import serving_teacher, world_questions
from dianjin_ext.quickstart.teacher.rates import Rates
from dianjin_ext.rewards.judge.prompt import messages

QUESTIONS = world_questions(40, seed=2)
EACH = [next(q for q in QUESTIONS if q.language == language) for language in ("zh", "en")]


def asking(question):
    return [{"role": "user", "content": prompt(question, TAGS["think_only"])}]


def judging(question, answer):
    return messages(with_options(question), gold_text(question), answer)


@pytest.fixture(scope="module")
def usual():
    with serving_teacher() as base_url:
        yield base_url


def test_what_is_not_known_is_refused(perfect, asked):
    user = [{"role": "user", "content": "Tell me a joke."}]
    status, body = asked(perfect, user)
    assert status == 400
    assert "does not know this prompt" in body["error"]["message"]
    other = [{"role": "user", "content": prompt(EACH[0]).replace("属于", "等于")}]
    status, body = asked(perfect, other)
    assert status == 400
    assert "--questions" in body["error"]["message"]


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (b"no json", "Expecting value"),
        (b"[]", "object"),
        (b"{}", "messages"),
        (b'{"messages": []}', "messages"),
        (b'{"messages": [{"role": "user", "content": 1}]}', "messages"),
        (b'{"messages": [{"role": "user", "content": "x"}], "n": 0}', "n is expected"),
        (b'{"messages": [{"role": "user", "content": "x"}], "n": 129}', "128"),
        (b'{"messages": [{"role": "user", "content": "x"}], "max_tokens": "9"}', "max_tokens"),
        (b'{"messages": [{"role": "user", "content": "x"}], "stream": true}', "stream"),
        (b"\xff\xfe", ""),
    ],
)
def test_a_request_that_is_none_is_refused(perfect, body, named):
    request = urllib.request.Request(f"{perfect}/chat/completions", body)
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=30)
    assert refused.value.code == 400
    assert named in json.load(refused.value)["error"]["message"]


def test_n_replies_are_other_draws_and_the_same_each_time(usual, asked):
    status, body = asked(usual, asking(EACH[0]), n=40, seed=3)
    assert status == 200
    texts = [each["message"]["content"] for each in body["choices"]]
    assert [each["index"] for each in body["choices"]] == list(range(40))
    assert len(set(texts)) > 2
    assert asked(usual, asking(EACH[0]), n=40, seed=3)[1]["choices"] == body["choices"]
    assert asked(usual, asking(EACH[0]), n=40, seed=4)[1]["choices"] != body["choices"]
    usage = body["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
    assert usage["completion_tokens"] > 40 * 20


def test_the_same_request_gets_the_same_reply_whatever_else_is_asked(usual, ask):
    alone = {}
    for question in QUESTIONS:
        alone[question.id] = ask(usual, asking(question), seed=1, temperature=0.6)
    with serving_teacher() as other, ThreadPoolExecutor(16) as pool:
        jobs = [q for q in reversed(QUESTIONS) for _ in range(3)]
        replies = pool.map(lambda q: ask(other, asking(q), seed=1, temperature=0.6), jobs)
        for question, reply in zip(jobs, replies, strict=True):
            assert reply == alone[question.id]
        # the judge's prompt has another code each time
        said = {json.dumps(ask(other, judging(EACH[0], "A"))) for _ in range(20)}
        assert len(said) == 1
    with serving_teacher(seed=1) as other:
        assert [ask(other, asking(q), seed=1) for q in QUESTIONS] != list(alone.values())


def test_a_reply_has_no_more_tokens_than_are_asked_for(perfect, asked):
    whole = asked(perfect, asking(EACH[0]))[1]
    most = whole["usage"]["completion_tokens"]
    for limit, finish_reason in ((most, "stop"), (most - 1, "length"), (5, "length")):
        for name in ("max_tokens", "max_completion_tokens"):
            body = asked(perfect, asking(EACH[0]), **{name: limit})[1]
            (choice,) = body["choices"]
            assert choice["finish_reason"] == finish_reason
            assert body["usage"]["completion_tokens"] <= limit
            message = choice["message"]
            assert whole["choices"][0]["message"]["reasoning_content"].startswith(
                message["reasoning_content"]
            )


def stats(base_url):
    with urllib.request.urlopen(base_url.removesuffix("/v1") + "/stats", timeout=30) as response:
        return json.load(response)


def test_requests_are_counted(ask, asked):
    with serving_teacher() as url:
        for question in (EACH[0], EACH[1], EACH[0]):
            ask(url, asking(question))
        ask(url, judging(EACH[0], "A"))
        asked(url, [{"role": "user", "content": "hello"}])
        assert stats(url) == {
            "requests": 5,
            "distinct": 4,
            "in_flight": 0,
            "by_task": {"answer": 3, "judge": 1, "unknown": 1},
        }
        with urllib.request.urlopen(f"{url}/models", timeout=30) as response:
            assert json.load(response)["data"][0]["id"] == "teacher"


def test_many_requests_are_in_flight_at_once_and_those_of_a_dead_client_are_not():
    code = (
        "import asyncio, aiohttp, sys, json\n"
        "async def main():\n"
        "    connector = aiohttp.TCPConnector(limit=0)\n"
        "    async with aiohttp.ClientSession(connector=connector) as session:\n"
        "        bodies = [json.loads(sys.argv[2]) | {'seed': seed} for seed in range(200)]\n"
        "        await asyncio.gather(*(session.post(sys.argv[1], json=b) for b in bodies))\n"
        "asyncio.run(main())\n"
    )
    with serving_teacher(latency=3600) as url:
        body = json.dumps({"messages": asking(EACH[0])})
        command = [sys.executable, "-c", code, f"{url}/chat/completions", body]
        with subprocess.Popen(command, stderr=subprocess.DEVNULL) as client:
            wait_until(lambda: stats(url)["in_flight"] == 200)
            client.kill()
        wait_until(lambda: stats(url)["in_flight"] == 0)
        assert (stats(url)["requests"], stats(url)["distinct"]) == (200, 200)


def wait_until(holds):
    for _ in range(1200):
        if holds():
            return
        time.sleep(0.05)
    raise AssertionError("it never came")


@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan"), "half"])
def test_a_rate_that_is_no_probability_is_refused(value):
    with pytest.raises(DianjinError, match=r"broken is .*expected a probability"):
        Rates(broken=value)


def test_the_server_ends_with_whoever_started_it():
    code = (
        "import time\n"
        "from dianjin_ext.quickstart.teacher import serving_teacher\n"
        "with serving_teacher() as url:\n"
        "    print(url, flush=True)\n"
        "    time.sleep(600)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as outer:
        url = outer.stdout.readline().strip()
        assert stats(url)["requests"] == 0
        os.kill(outer.pid, signal.SIGKILL)
    for _ in range(600):
        try:
            stats(url)
        except OSError:
            return
        time.sleep(0.1)
    raise AssertionError("the server is still there")


def test_the_module_says_what_is_wrong_and_loads_nothing_heavy(tmp_path):
    def run(*given):
        command = [sys.executable, "-m", "dianjin_ext.quickstart.teacher", *given]
        return subprocess.run(command, capture_output=True, text=True, timeout=60)

    done = run("--wrong", "2")
    assert done.returncode == 1
    assert done.stderr.strip() == "wrong is 2.0; expected a probability, 0 to 1"
    done = run("--questions", str(tmp_path / "none.parquet"))
    assert done.returncode == 1
    assert "none.parquet" in done.stderr
    assert "Traceback" not in done.stderr
    code = (
        "import sys\nimport dianjin_ext.quickstart.teacher.server\n"
        "import dianjin_ext.quickstart.teacher.__main__\n"
        "print(sorted({'torch', 'ray', 'pyarrow', 'openai'} & sys.modules.keys()))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert found.stdout.strip() == "[]"
