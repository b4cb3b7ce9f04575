"""A server that streams by script."""

import asyncio
import json
import threading
from collections import deque

import pytest


class Talker:
    """Streams the events of OpenAI's protocol, in a thread of its own.

    `script` holds one entry for each of the next replies: a list of deltas (a text is content, a
    mapping a whole delta, None hangs until the client leaves), or (status, content type, body).
    """

    def __init__(self):
        self.script = deque()
        self.bodies = []
        self.left = threading.Event()
        self._started = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self._thread.start()
        assert self._started.wait(30)
        return self

    def __exit__(self, *_):
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(30)

    @property
    def base_url(self):
        return f"http://127.0.0.1:{self.port}/v1"

    def _run(self):
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    async def _serve(self):
        from aiohttp import web

        self._stop = asyncio.Event()
        app = web.Application()
        app.router.add_post("/v1/chat/completions", self._reply)
        app.router.add_get("/v1/models", self._models)
        runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.port = runner.addresses[0][1]
        self._started.set()
        await self._stop.wait()
        await runner.cleanup()

    async def _models(self, _):
        from aiohttp import web

        return web.json_response({"object": "list", "data": [{"id": "m", "object": "model"}]})

    async def _reply(self, request):
        from aiohttp import web

        self.bodies.append(await request.json())
        entry = self.script.popleft()
        if isinstance(entry, tuple):
            status, kind, text = entry
            return web.Response(status=status, content_type=kind, text=text)
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        head = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m"}

        async def send(delta, reason=None):
            choice = {"index": 0, "delta": delta, "finish_reason": reason}
            event = json.dumps({**head, "choices": [choice]})
            await response.write(f"data: {event}\n\n".encode())

        reason = "stop"
        await send({"role": "assistant", "content": ""})
        try:
            for delta in entry:
                if delta is None:
                    await asyncio.sleep(3600)
                elif delta == "length":
                    reason = "length"
                else:
                    await send({"content": delta} if isinstance(delta, str) else delta)
        except (asyncio.CancelledError, ConnectionError):
            self.left.set()
            raise
        await send({}, reason)
        await response.write(b"data: [DONE]\n\n")
        return response


@pytest.fixture
def talker(monkeypatch):
    for module in ("aiohttp", "openai"):
        pytest.importorskip(module)
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    with Talker() as talker:
        yield talker
