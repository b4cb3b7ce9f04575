"""A local server that speaks the protocols of OpenAI and of vLLM, and misbehaves by script."""

import asyncio
import contextlib
import json
import threading
import time
from collections import deque

from aiohttp import web

USAGE = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}


def completion(text, finish_reason="stop"):
    message = {"role": "assistant", "content": text}
    choice = {"index": 0, "message": message, "finish_reason": finish_reason}
    return {
        "id": "1",
        "object": "chat.completion",
        "created": 1,
        "model": "judge",
        "choices": [choice],
        "usage": USAGE,
    }


class Server:
    """Runs in a thread of its own; what it counts, it counts where the requests arrive.

    `script` holds one word for each of the next requests, then `default` holds. A word is a
    verdict, or one of the cases of `_reply`; a function is given the body and returns a text.
    """

    def __init__(self):
        self.script = deque()
        self.default = "correct"
        self.latency = 0.0
        self.bodies = []
        self.headers = []
        self.arrivals = []
        self.under_way = 0
        self.most_under_way = 0
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
    def address(self):
        return f"127.0.0.1:{self.port}"

    @property
    def base_url(self):
        return f"http://{self.address}/v1"

    def most_in(self, window_s):
        """The most requests that arrived in any window of so many seconds."""
        times = sorted(self.arrivals)
        return max(sum(1 for t in times if start <= t < start + window_s) for start in times)

    def _run(self):
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    async def _serve(self):
        self._stop = asyncio.Event()
        app = web.Application()
        app.router.add_post("/v1/chat/completions", self._handle)
        app.router.add_post("/classify", self._handle)
        runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.port = site._server.sockets[0].getsockname()[1]
        self._started.set()
        await self._stop.wait()
        await runner.cleanup()

    async def _handle(self, request):
        self.arrivals.append(time.monotonic())
        self.headers.append(dict(request.headers))
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            body = json.loads(await request.text())
            self.bodies.append(body)
            word = self.script.popleft() if self.script else self.default
            await asyncio.sleep(self.latency)
            return await self._reply(word(body) if callable(word) else word, request)
        finally:
            self.under_way -= 1

    async def _reply(self, word, request):
        name, _, value = word.partition(" ")
        match name:
            case "correct" | "wrong" | "undecided":
                return web.json_response(completion(f"They agree or not.\nVERDICT: {name}"))
            case "status":
                error = {"error": {"message": f"key was {request.headers['Authorization']}"}}
                return web.json_response(error, status=int(value))
            case "retry-after":
                return web.json_response({}, status=429, headers={"Retry-After": value})
            case "hang":
                await asyncio.sleep(3600)
            case "drip":  # a byte now and then: no step of the request is ever late
                response = web.StreamResponse(headers={"Content-Type": "application/json"})
                await response.prepare(request)
                while True:
                    await response.write(b" ")
                    await asyncio.sleep(0.05)
            case "truncated":
                whole = json.dumps(completion("VERDICT: correct")).encode()
                return web.Response(body=whole[: len(whole) // 2], content_type="application/json")
            case "cut":  # the connection ends before the promised length
                response = web.StreamResponse(headers={"Content-Length": "4096"})
                await response.prepare(request)
                await response.write(b'{"id": "1", "choices": [')
                request.transport.close()
                return response
            case "drop":
                request.transport.close()
                raise asyncio.CancelledError
            case "html":
                return web.Response(text="<html>Bad gateway</html>", content_type="text/html")
            case "binary":
                return web.Response(body=bytes(range(256)), content_type="application/json")
            case "json":
                return web.json_response(json.loads(value))
            case "long":
                return web.json_response(completion("They agree, because", "length"))
            case _:
                return web.json_response(completion(word))


@contextlib.contextmanager
def served():
    with Server() as server:
        yield server
