"""A local server for a model folder, over HTTP."""

import concurrent.futures
import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from dianjin_ext.errors import DianjinError
from dianjin_ext.inference import AskSettings, Request
from dianjin_ext.inference.ask import ask
from dianjin_ext.inference.server import command, serving

pytest.importorskip("aiohttp")
pytest.importorskip("torch")
pytest.importorskip("transformers")

REAL = Path(__file__).parents[2] / "models/SmolLM2-135M-Instruct"
TEXTS = ["What is 12 times 11?", "Which tax is paid?", "Is the price above 30?"] * 4


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    from dianjin_ext.quickstart.model import build_model, build_tokenizer

    folder = tmp_path_factory.mktemp("model") / "tiny"
    tokenizer = build_tokenizer(TEXTS, vocabulary=300)
    tokenizer.save_pretrained(folder)
    build_model(tokenizer, hidden=32, layers=2, seed=0).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def url(tiny, tmp_path_factory):
    with serving(tiny, log=tmp_path_factory.mktemp("log") / "log", engine="local") as url:
        yield url


def post(url, path, **body):
    data = json.dumps({"model": "tiny", "temperature": 0, "max_tokens": 12} | body).encode()
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(url + path, data, headers)
    try:
        with urllib.request.urlopen(request, timeout=300) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def chat(url, text, **body):
    status, reply = post(
        url, "/chat/completions", messages=[{"role": "user", "content": text}], **body
    )
    assert status == 200, reply
    return reply


def test_it_is_no_classifier(url):
    status, reply = post(url.removesuffix("/v1"), "/classify", input="x")
    assert status == 404
    assert "tiny is no classifier; ask it at /v1/chat/completions" in reply["error"]["message"]


def test_batched_and_one_by_one_alike(url):
    alone = [chat(url, text)["choices"][0]["message"]["content"] for text in TEXTS[:3]]
    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        together = list(pool.map(lambda text: chat(url, text), TEXTS))
    assert [reply["choices"][0]["message"]["content"] for reply in together] == alone * 4


def test_the_chat_template_writes_the_prompt(url, tiny):
    from transformers import AutoTokenizer

    messages = [{"role": "user", "content": TEXTS[0]}]
    template = AutoTokenizer.from_pretrained(tiny).apply_chat_template
    prompt = template(messages, add_generation_prompt=True, tokenize=False)
    _, plain = post(url, "/completions", prompt=prompt)
    reply = chat(url, TEXTS[0])
    assert plain["choices"][0]["text"] == reply["choices"][0]["message"]["content"]
    assert plain["usage"] == reply["usage"]


def test_samples_seeds_logprobs_and_finish_reasons(url):
    reply = chat(url, TEXTS[0], n=4, temperature=1.0, seed=5, logprobs=True)
    assert [choice["index"] for choice in reply["choices"]] == [0, 1, 2, 3]
    texts = [choice["message"]["content"] for choice in reply["choices"]]
    assert len(set(texts)) > 1
    again = chat(url, TEXTS[0], n=4, temperature=1.0, seed=5)
    assert [choice["message"]["content"] for choice in again["choices"]] == texts
    tokens = 0
    for choice in reply["choices"]:
        content = choice["logprobs"]["content"]
        assert all(token["logprob"] <= 0 for token in content)
        assert choice["finish_reason"] == ("length" if len(content) == 12 else "stop")
        tokens += len(content)
    assert reply["usage"]["completion_tokens"] == tokens


def test_a_stop_text_ends_a_reply(url):
    whole = chat(url, TEXTS[0])["choices"][0]["message"]["content"]
    cut = chat(url, TEXTS[0], stop=whole[2:4])["choices"][0]
    assert cut["message"]["content"] == whole[: whole.index(whole[2:4])]
    assert cut["finish_reason"] == "stop"


@pytest.mark.parametrize(
    ("path", "body", "message"),
    [
        ("/chat/completions", {}, "messages"),
        ("/completions", {"prompt": ""}, "messages or prompt"),
        ("/completions", {"prompt": "x", "temprature": 1}, "temprature"),
        ("/completions", {"prompt": "x", "top_p": 0}, "top_p"),
        ("/completions", {"prompt": "x", "max_tokens": 10**6}, "max_tokens"),
        ("/completions", {"prompt": "x " * 3000}, "the prompt has"),
    ],
)
def test_what_it_cannot_do_it_refuses(url, path, body, message):
    status, reply = post(url, path, **body)
    assert status == 400
    assert message in reply["error"]["message"]


def test_an_asker_asks_it(url, tmp_path, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "EMPTY")
    settings = AskSettings(
        model="tiny",
        base_url=url,
        options={"temperature": 0, "max_tokens": 8},
        state_dir=str(tmp_path / "state"),
    )
    rows = [Request(str(i), [{"role": "user", "content": t}]) for i, t in enumerate(TEXTS)]
    answers = list(ask(rows, settings, journal=tmp_path / "j", ordered=True))
    assert [answer.request.row for answer in answers] == [str(i) for i in range(12)]
    assert {answer.outcome for answer in answers} <= {"answered", "cut"}
    assert all(answer.reply.completion_tokens for answer in answers)


def test_it_ends_with_the_context_and_with_its_parent(tiny, tmp_path):
    script = (
        "import os, signal, sys; from pathlib import Path\n"
        "from dianjin_ext.inference.server import serving\n"
        "with serving(Path(sys.argv[1]), log=Path(sys.argv[2]), engine='local') as url:\n"
        "    print(url, flush=True)\n"
        "    if sys.argv[3] == 'killed': os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    for how in ("left", "killed"):
        arguments = [str(tiny), str(tmp_path / how), how]
        found = subprocess.run(
            [sys.executable, "-c", script, *arguments], capture_output=True, text=True, timeout=300
        )
        url = found.stdout.strip()
        deadline = time.monotonic() + 60
        while _up(url):
            assert time.monotonic() < deadline, how
            time.sleep(0.1)


def _up(url):
    try:
        urllib.request.urlopen(f"{url}/models", timeout=5)
    except OSError:
        return False
    return True


def test_a_server_that_ends_tells_why(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(DianjinError, match=r"(?s)the server ended with code .*its log .*Error"):
        serving(tmp_path, log=tmp_path / "log", engine="local").__enter__()
    with pytest.raises(DianjinError, match=r"nothing holds no config\.json"):
        serving(tmp_path / "nothing", log=tmp_path / "log").__enter__()


def test_the_command_for_vllm():
    given = command(
        Path("m"), engine="vllm", port=8123, name="student", tensor_parallel=4, max_model_len=4096
    )
    assert given[:5] == [sys.executable, "-m", "vllm.entrypoints.cli.main", "serve", "m"]
    options = dict(zip(given[5::2], given[6::2], strict=True))
    assert options == {
        "--served-model-name": "student",
        "--host": "127.0.0.1",
        "--port": "8123",
        "--tensor-parallel-size": "4",
        "--generation-config": "vllm",
        "--max-model-len": "4096",
    }


@pytest.mark.slow
@pytest.mark.skipif(not REAL.is_dir(), reason="make real-model fetches the model")
def test_questions_to_a_real_model(tmp_path, monkeypatch):
    from transformers import AutoTokenizer

    monkeypatch.setenv("OPENAI_API_KEY", "EMPTY")
    words = ["revenue", "inflation", "equity", "a bond", "interest", "a loan", "tax", "cash flow"]
    words += ["depreciation", "a dividend"]
    asks = ["What is {}?", "Why does {} matter?", "Define {}.", "Name a use of {}.", "Is {} good?"]
    if "DIANJIN_TEST_ALL" not in os.environ:
        words = words[:3]
    texts = [text.format(word) for text in asks for word in words]
    rows = [Request(text, [{"role": "user", "content": text}]) for text in texts]
    settings = {
        "model": REAL.name,
        "options": {"temperature": 0, "max_tokens": 10},
        "state_dir": str(tmp_path / "state"),
    }
    with serving(REAL, log=tmp_path / "log", engine="local") as url:
        settings["base_url"] = url

        def told(most):
            given = AskSettings(**settings, max_in_flight=most)
            answers = ask(rows, given, journal=tmp_path / f"j{most}", ordered=True)
            return [(a.outcome, a.reply.content, a.reply.prompt_tokens) for a in answers]

        together, alone = told(50), told(1)
        tokenizer = AutoTokenizer.from_pretrained(REAL)
        prompts = [
            tokenizer.apply_chat_template(
                list(request.messages), add_generation_prompt=True, tokenize=False
            )
            for request in rows
        ]
        _, plain = post(url, "/completions", prompt=prompts[0], max_tokens=10)
    assert together == alone
    assert len({content for _, content, _ in alone}) > 0.8 * len(texts)
    written = "".join(content for _, content, _ in alone)
    assert sum(map(str.isalpha, written)) > 0.7 * len(written)  # prose, not byte soup
    # the model's own template wrote the prompts
    assert [tokens for _, _, tokens in alone] == [len(tokenizer(p)["input_ids"]) for p in prompts]
    assert plain["choices"][0]["text"] == alone[0][1]
