"""One request over HTTP: proxies, redirects, what errors say, and that no key is shown."""

import asyncio
import json
import threading

import pytest

pytest.importorskip("aiohttp")

from aiohttp import web

from dianjin_ext.errors import DianjinError
from dianjin_ext.inference.client import Client, Endpoint
from dianjin_ext.inference.faults import Refused, Transient

KEY = "sk-not-to-be-seen"
BODY = {"model": "m", "messages": [{"role": "user", "content": "收入 \ud800?"}]}


class Recorder:
    """Answers whatever arrives by a function, and keeps what that was."""

    def __init__(self):
        self.seen, self.reply = [], lambda request: web.json_response({"fine": True})
        self._started, self._loop = threading.Event(), asyncio.new_event_loop()
        threading.Thread(target=self._run, daemon=True).start()
        assert self._started.wait(30)

    def _run(self):
        self._loop.run_until_complete(self._serve())

    async def _serve(self):
        async def handle(request):
            self.seen.append((request.method, str(request.url), dict(request.headers)))
            self.body = await request.read()
            return self.reply(request)

        self._stop = asyncio.Event()
        # as a proxy it is asked for whole addresses, which no router knows
        runner = web.ServerRunner(web.Server(handle))
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.address = f"127.0.0.1:{site._server.sockets[0].getsockname()[1]}"
        self._started.set()
        await self._stop.wait()
        await runner.cleanup()

    def close(self):
        self._loop.call_soon_threadsafe(self._stop.set)


@pytest.fixture
def recorder(monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    made = []

    def make():
        made.append(Recorder())
        return made[-1]

    yield make
    for each in made:
        each.close()


def post(url, path="/chat/completions", **endpoint):
    async def run():
        client = Client(Endpoint("teacher", "m", url, **endpoint))
        try:
            return await client.post(path, BODY)
        finally:
            await client.close()

    return asyncio.run(run())


def test_what_goes_over_the_wire(recorder, monkeypatch):
    monkeypatch.setenv("OPENAI_PROJECT_ID", "proj_1")
    server = recorder()
    assert post(f"http://{server.address}/v1/") == {"fine": True}
    [(method, url, headers)] = server.seen
    assert (method, url) == ("POST", f"http://{server.address}/v1/chat/completions")
    assert headers["Authorization"] == f"Bearer {KEY}"
    assert headers["Content-Type"] == "application/json"
    assert headers["OpenAI-Project"] == "proj_1" and "OpenAI-Organization" not in headers
    assert headers["User-Agent"].startswith("dianjin-ext/") and "Cookie" not in headers
    assert json.loads(server.body) == BODY  # a lone surrogate arrives as it was
    post("http://unused/v1", f"http://{server.address}/classify")
    assert server.seen[-1][1].endswith(f"{server.address}/classify")


def test_a_proxy_is_gone_through_and_a_host_without_one_is_not(recorder, monkeypatch):
    proxy, server = recorder(), recorder()
    monkeypatch.setenv("HTTP_PROXY", f"http://{proxy.address}")
    post("http://models.example/v1")
    assert proxy.seen[0][1] == "http://models.example/v1/chat/completions"
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    post(f"http://{server.address}/v1")
    assert len(proxy.seen) == len(server.seen) == 1


def test_a_proxy_that_is_none_for_http_is_told(recorder, monkeypatch):
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:1")
    with pytest.raises(DianjinError, match="expected as http://HOST:PORT, found a socks5 one"):
        post("http://models.example/v1")


def test_a_password_of_netrc_does_not_take_the_keys_place(recorder, monkeypatch, tmp_path):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    server = recorder()
    post(f"http://{server.address}/v1")
    assert server.seen[0][2]["Authorization"] == f"Bearer {KEY}"


def test_a_redirect_is_followed_without_the_key(recorder):
    here, there = recorder(), recorder()
    to = f"http://{there.address}/v2/chat"
    here.reply = lambda request: web.Response(status=307, headers={"Location": to})
    assert post(f"http://{here.address}/v1") == {"fine": True}
    [(method, url, headers)] = there.seen
    assert (method, url) == ("POST", to) and json.loads(there.body) == BODY
    assert "Authorization" not in headers


@pytest.mark.parametrize(
    ("status", "body", "error", "expected"),
    [
        (400, {"error": {"message": "too long", "code": 1}}, Refused, "HTTP 400: too long"),
        (400, {"error": "too long"}, Refused, "HTTP 400: too long"),
        (400, {"message": "too long"}, Refused, "HTTP 400: too long"),
        (422, ["x"], Refused, r'HTTP 422: \["x"\]'),
        (500, "it <broke>", Transient, "HTTP 500: it <broke>"),
        (429, {"error": {"message": f"slow, {KEY}"}}, Transient, r"HTTP 429: slow, \*\*\*"),
        (404, {"detail": "no model"}, DianjinError, "HTTP 404: .*no model.*check teacher.base_url"),
        (401, {"error": {"message": KEY}}, DianjinError, "HTTP 401; check"),
    ],
)
def test_what_an_error_says(recorder, status, body, error, expected):
    server = recorder()
    text = body if isinstance(body, str) else json.dumps(body)
    server.reply = lambda request: web.Response(status=status, text=text)
    with pytest.raises(error, match=expected) as raised:
        post(f"http://{server.address}/v1")
    assert KEY not in str(raised.value)


@pytest.mark.parametrize(
    ("body", "filtered"),
    [
        ({"error": {"code": "content_filter", "message": "no"}}, True),
        ({"error": {"code": None, "message": "data_inspection_failed: no"}}, True),
        ({"error": {"code": "context_length_exceeded", "message": "too long"}}, False),
    ],
)
def test_a_filter_is_told_from_other_refusals(recorder, body, filtered):
    server = recorder()
    server.reply = lambda request: web.json_response(body, status=400)
    with pytest.raises(Refused) as raised:
        post(f"http://{server.address}/v1")
    assert raised.value.filtered is filtered


@pytest.mark.parametrize("body", [b"", b"<html>", b"\xff\xfe\xfa", b"[" * 100_000, KEY.encode()])
def test_a_reply_that_is_no_json_may_pass_and_shows_no_key(recorder, body):
    server = recorder()
    server.reply = lambda request: web.Response(
        body=body.rjust(105) if KEY.encode() in body else body
    )
    with pytest.raises(Transient, match="the reply is no JSON") as raised:
        post(f"http://{server.address}/v1")
    assert raised.value.unreadable and "sk-" not in str(raised.value)


@pytest.mark.parametrize("url", ["http://127.0.0.1:99999/v1", "http://[/v1", "nonsense"])
def test_an_address_that_is_none_ends_the_run(recorder, url):
    with pytest.raises(DianjinError, match=r"teacher\.base_url is expected as http\(s\)://HOST"):
        post(url)


def test_nobody_there_may_pass(recorder):
    with pytest.raises(Transient, match="Cannot connect") as raised:
        post("http://127.0.0.1:1/v1")
    assert not raised.value.unreadable
