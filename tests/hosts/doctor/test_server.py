"""`dianjin doctor --server`: models that know one answer, served over HTTP, rightly and wrongly."""

import asyncio
import json
import shutil
import threading
from contextlib import contextmanager

import pytest
from typer.testing import CliRunner

from dianjin_ext.answers.tags import TAGS
from dianjin_ext.cli import app as command
from dianjin_ext.hosts.doctor.server import diagnose_server
from dianjin_ext.hosts.doctor.server.asked import PROBE, exchange
from dianjin_ext.hosts.doctor.server.defaults import trained
from dianjin_ext.questions.prompts import prompt

for module in ("aiohttp", "httpx", "openai", "torch", "transformers"):
    pytest.importorskip(module)

from aiohttp import web  # noqa: E402

REPLY = exchange(TAGS["dianjin_r1"])[1]


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)  # more wait for each other longer than they work
    yield
    torch.set_num_threads(before)


def learn(folder, *, special=False):
    """Write a tiny model that knows the probe's answer; with `special`, its marks are skipped."""
    import torch
    from tokenizers import AddedToken

    from dianjin_ext.quickstart.model import build_model, build_tokenizer

    asked = prompt(PROBE)
    tokenizer = build_tokenizer([asked, REPLY] * 4, vocabulary=360)
    if special:
        marks = [AddedToken(mark, special=True) for mark in ("<think>", "</think>")]
        tokenizer.add_tokens(marks, special_tokens=True)
    model = build_model(tokenizer, hidden=64, layers=2, seed=0)
    model.config.max_position_embeddings = 512  # a reply that doesn't end is over soon
    messages = [{"role": "user", "content": asked}]
    given = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_dict=False)
    wanted = [*tokenizer(REPLY)["input_ids"], tokenizer.eos_token_id]
    ids = torch.tensor([[*given, *wanted]])
    labels = ids.clone()
    labels[:, : len(given)] = -100
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    for _ in range(200):
        loss = model(input_ids=ids, labels=labels).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        if loss < 1e-3:
            break
    tokenizer.save_pretrained(folder)
    model.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return learn(tmp_path_factory.mktemp("model") / "learned")


@contextmanager
def running(application):
    """Run an aiohttp application in a thread; yields its address."""
    loop = asyncio.new_event_loop()
    ready = threading.Event()
    address = []

    async def serve():
        stop = asyncio.Event()
        runner = web.AppRunner(application, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        address.extend((f"http://127.0.0.1:{runner.addresses[0][1]}", stop))
        ready.set()
        await stop.wait()
        await runner.cleanup()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()), daemon=True)
    thread.start()
    assert ready.wait(30)
    try:
        yield address[0]
    finally:
        loop.call_soon_threadsafe(address[1].set)
        thread.join(30)
        loop.close()


@contextmanager
def hosted(folder, *middlewares, name="m"):
    """Serve a folder by the local server's own application."""
    from dianjin_ext.inference.batcher import Batcher
    from dianjin_ext.inference.local import application

    app = application(Batcher(folder), name)
    app.middlewares.extend(middlewares)
    with running(app) as url:
        yield url


def changing(change):
    """Return a middleware that changes the bodies of requests, or refuses (status, text)."""

    @web.middleware
    async def middleware(request, handler):
        if request.method == "POST":
            body = await request.json()
            answer = change(request.path, body)
            if answer is not None:
                return web.Response(status=answer[0], text=answer[1])
            request._read_bytes = json.dumps(body).encode()
        return await handler(request)

    return middleware


def as_served_by_our_script(path, body):
    """Sample as examples/serve.sh has it where a request names nothing."""
    if path.endswith("completions"):
        for name, value in trained().items():
            body.setdefault(name, value)


def levels(findings, level):
    return {f.subject: f.text for f in findings if f.level == level}


def found(url, **options):
    findings = list(diagnose_server(url, **options))
    assert all(f.mend for f in findings if f.level in ("warning", "problem"))
    return findings


def test_a_server_as_it_should_be(model):
    with hosted(model, changing(as_served_by_our_script)) as url:
        findings = found(url)
        result = CliRunner().invoke(command, ["doctor", "--server", f"{url}/v1", "--model", "m"])
    assert [f.level for f in findings if f.level != "info"] == ["ok"] * 7, findings
    texts = [f"{f.subject}: {f.text}" for f in findings]
    assert texts[2].endswith("a question, a system prompt, a second turn, a whole exchange")
    assert texts[3].startswith("stop tokens: <|im_end|> (2) ends replies by config.json")
    assert texts[4] == "stop tokens: the server stops at <|im_end|> (2)"
    assert texts[5].endswith("the recipe dianjin_r1: temperature 0.6, top_p 0.95")
    assert texts[6] == "reasoning: stands in the text of a reply, up to </think>"
    assert texts[7].startswith("probe: score 1, correct: <think>")
    assert result.exit_code == 0
    assert result.stdout.splitlines()[-1] == "no problem found"


def test_another_template_and_other_defaults(model, tmp_path):
    served = shutil.copytree(model, tmp_path / "served")
    jinja = served / "chat_template.jinja"
    jinja.write_text("<|im_start|>system\nBe good.<|im_end|>\n" + jinja.read_text())
    with hosted(served) as url:
        findings = found(url, tokenizer=model)
        result = CliRunner().invoke(command, ["doctor", "--server", url, "--tokenizer", str(model)])
    wrong = [f.text for f in findings if f.level == "problem"]
    assert len(wrong) == 4
    assert wrong[0].startswith("a question: the server has '<|im_start|>system\\nBe good.")
    assert f"{model} has '<|im_start|>user" in wrong[0]
    warned = levels(findings, "warning")["defaults"]
    assert "sampled by temperature 1, nothing else: temperature 1, top_p 1" in warned
    assert "those rollouts had temperature 0.6, top_p 0.95" in warned
    assert result.exit_code == 1
    assert result.stdout.splitlines()[-1] == "4 problems found"


TURN = "{{ '<|im_start|>' + m['role'] + '\\n' + m['content'] + '<|im_end|>\\n' }}"
SYSTEM = (
    "{% if messages[0]['role'] != 'system' %}<|im_start|>system\nBe good.<|im_end|>\n{% endif %}"
)
LAST = "{% set answer = m['content'].split('</think>')[-1] %}"
STRIPPED = "<|im_start|>{{ m['role'] }}\n{{ answer }}<|im_end|>\n"
START = "{% if add_generation_prompt %}<|im_start|>assistant\nTHINK{% endif %}"


@pytest.mark.parametrize(
    ("turns", "start", "level", "words"),
    [
        (TURN, START.replace("THINK", "<think>\n"), "info", "ends the prompt with <think>, so"),
        (SYSTEM + "{% for m in messages %}" + TURN + "{% endfor %}", "", "info", "'Be good.'; SFT"),
        (LAST + STRIPPED, "", "warning", "a reply that is given to it stands there as '"),
    ],
)
def test_what_the_template_does_on_its_own(model, tmp_path, turns, start, level, words):
    served = shutil.copytree(model, tmp_path / "served")
    loop = turns if "for m" in turns else "{% for m in messages %}" + turns + "{% endfor %}"
    (served / "chat_template.jinja").write_text(loop + (start or START.replace("THINK", "")))
    with hosted(served) as url:
        findings = found(url)
    texts = [f.text for f in findings if f.subject == "chat template" and f.level == level]
    assert any(words in text for text in texts), findings
    others = [f for f in findings if f.level == "problem" or f.subject == "chat template"]
    assert len(others) == 2  # this, and that the server renders as the folder does
    assert {f.level for f in findings if f.subject == "stop tokens"} == {"ok"}


def test_an_end_of_turn_that_stops_nothing(model, tmp_path):
    served = shutil.copytree(model, tmp_path / "served")
    for name, key, value in (
        ("config.json", "eos_token_id", 0),
        ("generation_config.json", "eos_token_id", 0),
        ("tokenizer_config.json", "eos_token", "<|endoftext|>"),
    ):
        given = json.loads((served / name).read_text())
        (served / name).write_text(json.dumps({**given, key: value}))
    with hosted(served) as url:
        findings = found(url)
        against = found(url, tokenizer=model)
    wrong = [f.text for f in findings if f.level == "problem"]
    assert wrong[0].startswith(
        "replies are trained to end with <|im_end|> (2), which stops nothing"
    )
    assert "the tokenizer: <|endoftext|> (0)" in wrong[0]
    assert wrong[1] == "the server goes on after <|im_end|> (2) (length after 4 tokens)"
    # the folder of the training is right, the server isn't
    assert [f.text for f in against if f.level == "problem"] == wrong[1:]


def test_an_end_of_turn_that_only_vllm_knows(model, tmp_path):
    served = shutil.copytree(model, tmp_path / "served")
    given = json.loads((served / "generation_config.json").read_text())
    (served / "generation_config.json").write_text(json.dumps({**given, "eos_token_id": [0]}))
    with hosted(served) as url:
        findings = found(url)
    assert "by the tokenizer alone" in levels(findings, "warning")["stop tokens"]
    assert levels(findings, "problem") == {}


def test_a_server_that_leaves_the_marks_out(tmp_path):
    with hosted(learn(tmp_path / "special", special=True)) as url:
        findings = found(url)
    text = levels(findings, "problem")["reasoning"]
    assert text.startswith("the model writes it, but the reply has neither </think> nor a field")
    assert levels(findings, "warning")["probe"].startswith("score 0, no_think: ")


def known(path, body):
    """Refuse all that OpenAI's protocol doesn't have, and vLLM's own addresses."""
    own = {"model", "messages", "max_tokens", "temperature", "top_p", "n", "stop", "seed"}
    if path == "/tokenize":
        return 422, '{"detail": "prompt is expected"}'
    if more := set(body) - own:
        return 400, json.dumps({"error": {"message": f"unknown: {sorted(more)}"}})
    return None


def test_a_server_that_tells_less(model):
    with hosted(model, changing(known)) as url:
        findings = found(url, tokenizer=model)
        elsewhere = found(url, tokenizer=None)
    assert levels(findings, "problem") == {}
    texts = levels(findings, "ok")
    assert "no /tokenize for messages here; as many tokens as by" in texts["chat template"]
    assert "a second turn" in texts["chat template"]
    told = levels(findings, "info")["stop tokens"]
    assert told.startswith("whether the server stops at <|im_end|> (2) can't be checked here")
    assert "unknown: ['logit_bias']" in told
    assert texts["probe"].startswith("score 1, correct")
    assert levels(elsewhere, "problem") == {}


def test_tokens_are_counted_where_they_cannot_be_compared(model, tmp_path):
    served = shutil.copytree(model, tmp_path / "served")
    jinja = served / "chat_template.jinja"
    jinja.write_text("<|im_start|>system\nBe good.<|im_end|>\n" + jinja.read_text())
    with hosted(served, changing(known)) as url:
        findings = found(url, tokenizer=model)
    wrong = [f.text for f in findings if f.level == "problem"]
    assert len(wrong) == 3 and "a question: the server counts" in wrong[0]


def scripted(reply, **model):
    """Return an application that gives every question one reply."""

    async def chat(request):
        body = await request.json()
        if "seed" in body or "logit_bias" in body:
            return web.json_response({"error": {"message": "not here"}}, status=400)
        choice = {"index": 0, "finish_reason": "stop", "message": reply}
        usage = {"prompt_tokens": 1, "completion_tokens": 90}
        return web.json_response({"choices": [choice], "usage": usage})

    async def models(_):
        return web.json_response({"object": "list", "data": [{"id": "m", **model}]})

    app = web.Application()
    app.router.add_post("/v1/chat/completions", chat)
    app.router.add_get("/v1/models", models)
    return app


@pytest.mark.parametrize(
    ("reply", "level", "words", "score"),
    [
        ({"reasoning": "0.8", "content": "\\boxed{B}"}, "ok", "into the field reasoning", "no_"),
        (
            {"reasoning_content": "x", "content": "<answer>\\boxed{B}</answer>"},
            "ok",
            "into the field reasoning_content",
            "correct",
        ),
        ({"reasoning": "all of it", "content": None}, "warning", "came as reasoning", "no_answer"),
        ({"content": "the answer is B"}, "warning", "none in the reply", "no_think"),
        (
            {"content": "<think>x</think><answer>\\boxed{C}</answer>"},
            "ok",
            "in the text",
            "wrong",
        ),
    ],
)
def test_where_the_reasoning_is(reply, level, words, score):
    with running(scripted({"role": "assistant", **reply})) as url:
        findings = found(url)
    assert words in levels(findings, level)["reasoning"]
    (probe,) = [f for f in findings if f.subject == "probe"]
    assert f", {score}" in probe.text
    assert (probe.level == "ok") == (score == "correct")
    assert "which folder was trained?" in levels(findings, "info")["tokenizer"]


def test_more_tokens_than_the_text_shows(model):
    reply = {"role": "assistant", "content": "<answer>\\boxed{B}</answer>"}
    with running(scripted(reply)) as url:
        findings = found(url, tokenizer=model)
    assert "the reply has neither" in levels(findings, "problem")["reasoning"]


def answering(status, text, kind="application/json"):
    async def handle(_):
        return web.Response(status=status, text=text, content_type=kind)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    return app


@pytest.mark.parametrize(
    ("application", "words"),
    [
        (answering(401, '{"error": "bad key sk-secret-key"}'), "refuses the key in OPENAI_API_KEY"),
        (
            answering(200, "<html>hi; there</html>", "text/html"),
            "lists no models (HTTP 200: <html>",
        ),
        (answering(502, "bad gateway", "text/plain"), "lists no models (HTTP 502: bad gateway)"),
        (answering(200, '{"data": []}'), "lists no models at all"),
        (answering(200, '{"data": [{"name": "m"}]}'), "lists no models (HTTP 200"),
        (scripted({}), "has no model other, only m"),
        (answering(200, '{"data": [{"id": "a"}, {"id": "b"}]}'), "has no model other"),
    ],
)
def test_no_server_of_this_protocol(application, words, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret-key")
    with running(application) as url:
        (finding,) = found(url, model="other")
        result = CliRunner().invoke(command, ["doctor", "--server", url, "--model", "other"])
    assert finding.level == "problem" and finding.subject == "server"
    assert words in finding.text
    assert result.exit_code == 1 and "sk-secret-key" not in result.stdout
    assert len(finding.text) < 400


def test_nothing_there_and_what_cannot_be_meant(monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    (finding,) = found("127.0.0.1:9")
    assert finding.text.startswith("nothing answers at http://127.0.0.1:9/v1/models (")
    assert "examples/serve.sh" in finding.mend
    (finding,) = found("ftp://x")
    assert "is no address" in finding.text
    (finding,) = found("http://name:secret@127.0.0.1:9")
    assert "secret" not in finding.text + finding.mend and "password" in finding.text
    with running(answering(401, "{}")) as url:
        (finding,) = found(url)
    assert "wants a key (HTTP 401)" in finding.text and "export OPENAI_API_KEY" in finding.mend
    with running(answering(200, '{"data": [{"id": "a"}, {"id": "b"}]}')) as url:
        (finding,) = found(url)
    assert "serves a, b" in finding.text and "--model" in finding.mend
    result = CliRunner().invoke(command, ["doctor", "--model", "m"])
    assert result.exit_code == 2


def test_a_folder_without_tokenizer(tmp_path):
    reply = {"role": "assistant", "content": "B"}
    with running(scripted(reply)) as url:
        findings = found(url, tokenizer=tmp_path)
    assert "has no usable tokenizer" in levels(findings, "problem")["tokenizer"]
    with running(scripted(reply, root=str(tmp_path))) as url:
        findings = found(url)
    assert levels(findings, "problem") == {}


def test_a_reply_that_fails():
    async def models(_):
        return web.json_response({"data": [{"id": "m"}]})

    app = web.Application()
    app.router.add_get("/v1/models", models)
    with running(app) as url:
        findings = found(url)
    assert "the question has no reply: HTTP 404" in levels(findings, "problem")["probe"]
