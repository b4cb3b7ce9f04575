"""A small OpenAI-compatible server: `python -m dianjin_ext.inference.local MODEL --port 8000`.

For a CPU, tests and small models; `dianjin_ext.inference.server` starts it where there is no GPU.
"""

import argparse
import asyncio
import contextlib
import os
import signal
from pathlib import Path
from typing import Any, Final

from aiohttp import web
from pydantic import ValidationError

from dianjin_ext.inference.batcher import Batcher
from dianjin_ext.inference.protocol import Body, reply, to_requests

__all__ = ["application"]

_PARENT_S: Final = 0.5
_MAX_BODY: Final = 64 << 20  # bytes


def application(batcher: Batcher, name: str) -> web.Application:
    """Return the application.

    Args:
        batcher: The model.
        name: What it is called in replies and in `/v1/models`.
    """

    async def answer(request: web.Request) -> web.Response:
        try:
            body = Body(**await request.json())
            if (body.messages is None) == request.path.endswith("chat/completions"):
                raise ValueError("messages are for /v1/chat/completions, prompt for the other")
            requests = to_requests(body, batcher.tokenizer, batcher.context)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            where = ".".join(map(str, first["loc"]))
            return _refused(f"{where}: {first['msg']}")
        except (ValueError, TypeError) as error:
            return _refused(str(error))
        except Exception as error:  # what a chat template says of messages that it can't take
            return _refused(f"{type(error).__name__}: {error}")
        responses = await batcher.sample(requests)
        return web.json_response(reply(body, requests, responses, batcher.tokenizer, name))

    async def models(_: web.Request) -> web.Response:
        return web.json_response({"object": "list", "data": [{"id": name, "object": "model"}]})

    app = web.Application(client_max_size=_MAX_BODY)
    app.router.add_post("/v1/chat/completions", answer)
    app.router.add_post("/v1/completions", answer)
    app.router.add_get("/v1/models", models)
    return app


def _refused(message: str) -> web.Response:
    error: dict[str, Any] = {"message": message, "type": "invalid_request_error", "code": None}
    return web.json_response({"error": error}, status=400)


async def _serve(folder: Path, name: str, port: int, most: int, parent: int | None) -> None:
    batcher = Batcher(folder, most)
    runner = web.AppRunner(application(batcher, name), handler_cancellation=True)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port)
    await site.start()
    host, bound = runner.addresses[0][:2]
    print(f"{name} at http://{host}:{bound}/v1", flush=True)
    end = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end.set)
    while not end.is_set() and parent in (None, os.getppid()):
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(end.wait(), _PARENT_S)
    await runner.cleanup()


def main() -> None:
    """Serve until a signal comes, or until the parent is gone."""
    parser = argparse.ArgumentParser(prog="python -m dianjin_ext.inference.local")
    parser.add_argument("model", type=Path, help="folder of the model")
    parser.add_argument("--name", help="what it is called; the folder's name unless given")
    parser.add_argument("--port", type=int, default=8000, help="0 takes a free one, and says which")
    parser.add_argument("--batch", type=int, default=32, help="the most replies at a time")
    parser.add_argument("--parent", type=int, help="end when this is no more the parent process")
    given = parser.parse_args()
    if not (given.model / "config.json").is_file():
        parser.error(f"{given.model} holds no config.json; name the folder of a model")
    name = given.name or given.model.resolve().name
    asyncio.run(_serve(given.model, name, given.port, given.batch, given.parent))


if __name__ == "__main__":
    main()
