"""A small OpenAI-compatible server: `python -m dianjin_ext.inference.local MODEL --port 8000`.

For a CPU, tests and small models; `dianjin_ext.inference.server` starts it where there is no GPU.
"""

import argparse
import asyncio
from pathlib import Path
from typing import Final

from aiohttp import web
from pydantic import ValidationError

from dianjin_ext.inference.batcher import Batcher
from dianjin_ext.inference.protocol import Body, reply, to_requests
from dianjin_ext.inference.rendering import Tokenized, tokenize
from dianjin_ext.inference.serve import refused, serve
from dianjin_ext.inference.stream import stream

__all__ = ["application"]

_MAX_BODY: Final = 64 << 20  # bytes


def application(batcher: Batcher, name: str) -> web.Application:
    """Return the application.

    Args:
        batcher: The model.
        name: What it is called in replies and in `/v1/models`.
    """

    async def answer(request: web.Request) -> web.StreamResponse:
        try:
            body = Body(**await request.json())
            if (body.messages is None) == request.path.endswith("chat/completions"):
                raise ValueError("messages are for /v1/chat/completions, prompt for the other")
            requests = to_requests(body, batcher.tokenizer, batcher.context)
        except Exception as error:
            return _refused(error)
        if body.stream:
            return await stream(request, body, requests, batcher, name)
        responses = await batcher.sample(requests)
        return web.json_response(reply(body, requests, responses, batcher.tokenizer, name))

    async def tokens(request: web.Request) -> web.Response:
        try:
            body = Tokenized(**await request.json())
            return web.json_response(tokenize(body, batcher.tokenizer, batcher.context))
        except Exception as error:
            return _refused(error)

    async def models(_: web.Request) -> web.Response:
        model = {"id": name, "object": "model", "max_model_len": batcher.context}
        model["root"] = str(batcher.folder.resolve())
        return web.json_response({"object": "list", "data": [model]})

    app = web.Application(client_max_size=_MAX_BODY)
    app.router.add_post("/v1/chat/completions", answer)
    app.router.add_post("/v1/completions", answer)
    app.router.add_get("/v1/models", models)
    app.router.add_post("/tokenize", tokens)
    return app


def _refused(error: Exception) -> web.Response:
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        return refused(f"{where}: {first['msg']}")
    if isinstance(error, ValueError | TypeError):
        return refused(str(error))
    # what a chat template says of messages that it can't take
    return refused(f"{type(error).__name__}: {error}")


async def _serve(folder: Path, name: str, port: int, most: int, parent: int | None) -> None:
    await serve(application(Batcher(folder, most), name), name, port, parent)


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
