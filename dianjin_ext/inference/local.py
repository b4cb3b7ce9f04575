"""A small OpenAI-compatible server: `python -m dianjin_ext.inference.local MODEL --port 8000`.

For a CPU, tests and small models; `dianjin_ext.inference.server` starts it where there is no GPU.
A sequence classifier is served as vLLM does it, at `/classify`.
"""

import argparse
import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from aiohttp import web
from pydantic import ValidationError

from dianjin_ext.inference.batcher import Batcher
from dianjin_ext.inference.classifier import Classified, Classifier, classify, is_classifier
from dianjin_ext.inference.protocol import Body, reply, to_requests
from dianjin_ext.inference.rendering import Tokenized, tokenize
from dianjin_ext.inference.serve import refused, serve
from dianjin_ext.inference.stream import stream

__all__ = ["application"]

_MAX_BODY: Final = 64 << 20  # bytes
_WRITING: Final = ("/v1/chat/completions", "/v1/completions")
_CLASSIFYING: Final = "/classify"


def application(model: Batcher | Classifier, name: str) -> web.Application:
    """Return the application.

    Args:
        model: The model.
        name: What it is called in replies and in `/v1/models`.
    """

    async def tokens(request: web.Request) -> web.Response:
        try:
            body = Tokenized(**await request.json())
            return web.json_response(tokenize(body, model.tokenizer, model.context))
        except Exception as error:
            return _refused(error)

    async def models(_: web.Request) -> web.Response:
        entry = {"id": name, "object": "model", "max_model_len": model.context}
        entry["root"] = str(model.folder.resolve())
        return web.json_response({"object": "list", "data": [entry]})

    app = web.Application(client_max_size=_MAX_BODY)
    app.router.add_get("/v1/models", models)
    app.router.add_post("/tokenize", tokens)
    if isinstance(model, Classifier):
        _add_classifying(app, model, name)
    else:
        _add_answering(app, model, name)
    return app


def _add_answering(app: web.Application, batcher: Batcher, name: str) -> None:
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

    for path in _WRITING:
        app.router.add_post(path, answer)
    app.router.add_post(
        _CLASSIFYING, _not_here(f"{name} is no classifier; ask it at {_WRITING[0]}")
    )


def _add_classifying(app: web.Application, classifier: Classifier, name: str) -> None:
    async def answer(request: web.Request) -> web.Response:
        try:
            body = Classified(**await request.json())
            return web.json_response(await classify(body, classifier, name))
        except Exception as error:
            return _refused(error)

    app.router.add_post(_CLASSIFYING, answer)
    for path in _WRITING:
        app.router.add_post(path, _not_here(f"{name} is a classifier; ask it at {_CLASSIFYING}"))


def _not_here(message: str) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def answer(_: web.Request) -> web.Response:
        return refused(message, status=404)

    return answer


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
    model = Classifier(folder) if is_classifier(folder) else Batcher(folder, most)
    await serve(application(model, name), name, port, parent)
    os._exit(0)  # a batch under way, in its thread, would hold the process until its last token


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
