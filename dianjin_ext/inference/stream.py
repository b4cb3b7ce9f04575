"""A reply as it is written: server-sent events of OpenAI's protocol from a local model."""

import asyncio
import json
import secrets
import time
from typing import Any

from aiohttp import web

from dianjin_ext.inference.batcher import Batcher, Heard
from dianjin_ext.inference.protocol import Body, finished_text, usage
from dianjin_ext.inference.sampling import Request

__all__ = ["stream"]


class _Growing:
    """The text of one reply, of which only what can't change any more is shown."""

    def __init__(self, tokenizer: Any, stops: list[str]) -> None:
        self._tokenizer = tokenizer
        self._stops = stops
        self._held = max(map(len, stops), default=1) - 1  # may be the beginning of such a text
        self._tokens: list[int] = []
        self._shown = ""
        self._ended = False

    def add(self, token: int) -> str:
        """Return what is new since the last token; empty where that is not sure yet."""
        if self._ended:
            return ""
        self._tokens.append(token)
        text = self._tokenizer.decode(self._tokens, skip_special_tokens=True)
        if text.endswith("\ufffd"):  # a character whose last bytes are to come
            return ""
        ends = [at for stop in self._stops if (at := text.find(stop)) >= 0]
        self._ended = bool(ends)
        return self.rest(text[: min(ends)] if ends else text[: len(text) - self._held])

    def rest(self, text: str) -> str:
        """Return what `text` has beyond what was shown."""
        if not text.startswith(self._shown):
            return ""
        new = text[len(self._shown) :]
        self._shown = text
        return new


async def stream(
    request: web.Request, body: Body, requests: list[Request], batcher: Batcher, name: str
) -> web.StreamResponse:
    """Answer `request` with one event for each piece of text.

    Args:
        request: Whom to answer.
        body: What was asked.
        requests: What it asks of the model.
        batcher: The model.
        name: What it is called.
    """
    chat = body.messages is not None
    head = {
        "id": f"local-{secrets.token_hex(8)}",
        "object": "chat.completion.chunk" if chat else "text_completion",
        "created": int(time.time()),
        "model": name,
    }
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)

    async def send(choices: list[dict[str, Any]], **more: Any) -> None:
        event = json.dumps({**head, "choices": choices, **more}, ensure_ascii=False)
        await response.write(f"data: {event}\n\n".encode())

    async def say(index: int, text: str, reason: str | None = None) -> None:
        choice: dict[str, Any] = {"index": index, "finish_reason": reason}
        choice |= {"delta": {"content": text}} if chat else {"text": text}
        await send([choice])

    tokens: asyncio.Queue[tuple[int, int] | None] = asyncio.Queue()

    def listener(index: int) -> Heard:
        return lambda token: tokens.put_nowait((index, token))

    growing = [_Growing(batcher.tokenizer, body.stops) for _ in requests]
    heard = [listener(index) for index in range(len(requests))]
    sampled = asyncio.ensure_future(batcher.sample(requests, heard))
    sampled.add_done_callback(lambda _: tokens.put_nowait(None))
    try:
        if chat:
            for index in range(len(growing)):
                delta = {"role": "assistant", "content": ""}
                await send([{"index": index, "delta": delta, "finish_reason": None}])
        while (drawn := await tokens.get()) is not None:
            index, token = drawn
            if text := growing[index].add(token):
                await say(index, text)
        responses = await sampled
        for index, one in enumerate(responses):
            whole, reason = finished_text(body, one, batcher.tokenizer)
            await say(index, growing[index].rest(whole), reason)
        if body.stream_options.get("include_usage"):
            await send([], usage=usage(body, requests, responses))
        await response.write(b"data: [DONE]\n\n")
    finally:
        sampled.cancel()
    return response
