"""OpenAI's chat protocol: what is read of a request, and the body of a reply."""

import json
import time
from collections.abc import Mapping
from typing import Any, Final

from dianjin_ext.quickstart.teacher.draws import Draws
from dianjin_ext.quickstart.teacher.saying import Reply

_BYTES: Final = 4  # of a token, about: four letters, or a Chinese character and a third
_MOST: Final = 128


def read_body(data: bytes) -> dict[str, Any]:
    """Return the body of a request to /v1/chat/completions.

    Raises:
        ValueError: It is none; the message says why.
    """
    body = json.loads(data)
    if not isinstance(body, dict):
        raise ValueError("the body is expected as an object")
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages or not all(map(_is_message, messages)):
        raise ValueError("messages is expected as a list of objects with the texts role, content")
    if body.get("stream"):
        raise ValueError("stream is not supported")
    body["n"] = 1 if body.get("n") is None else _whole(body["n"], "n", _MOST)
    for name in ("max_tokens", "max_completion_tokens"):
        if body.get(name) is not None:
            _whole(body[name], name)
    return body


def _is_message(message: object) -> bool:
    if not isinstance(message, Mapping):
        return False
    return all(isinstance(message.get(key), str) for key in ("role", "content"))


def _whole(value: Any, name: str, most: int | None = None) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(f"{name} is expected as a whole number from 1 on")
    if most is not None and value > most:
        raise ValueError(f"{name} is {value}; expected {most} at most")
    return value


def tokens(text: str) -> int:
    """Return about how many tokens a text has."""
    return -(-len(text.encode()) // _BYTES)


def shortened(reply: Reply, most: int | None) -> Reply:
    """Return a reply that ends after `most` tokens, thinking included."""
    thinking = reply.reasoning or ""
    if most is None or tokens(thinking) + tokens(reply.content) <= most:
        return reply
    left = most - tokens(thinking)
    if left <= 0:
        return Reply("", _first(thinking, most), "length")
    return Reply(_first(reply.content, left), reply.reasoning, "length")


def _first(text: str, most: int) -> str:
    return text.encode()[: most * _BYTES].decode(errors="ignore")


def completion(body: Mapping[str, Any], replies: list[Reply], draws: Draws) -> dict[str, Any]:
    """Return the body of the reply; its name depends on the request alone."""
    choices, written = [], 0
    for index, reply in enumerate(replies):
        message = {"role": "assistant", "content": reply.content}
        if reply.reasoning is not None:
            message["reasoning_content"] = reply.reasoning
        written += tokens(reply.reasoning or "") + tokens(reply.content)
        choices.append({"index": index, "message": message, "finish_reason": reply.finish_reason})
    read = sum(tokens(message["content"]) for message in body["messages"])
    return {
        "id": f"teacher-{int(draws.unit('id') * 1e15):015}",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": str(body.get("model") or "teacher"),
        "choices": choices,
        "usage": {
            "prompt_tokens": read,
            "completion_tokens": written,
            "total_tokens": read + written,
        },
    }
