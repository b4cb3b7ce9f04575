"""The whole text of a model, in hosts that take the thinking out of it.

EvalScope's and inspect-ai's messages take the first `<think>…</think>` out of a text, wherever it
stands, trim what is left of both, and keep no trace of where it was.
"""

from typing import Any, Final, Protocol

from openai import APIStatusError
from openai.types.chat import ChatCompletion

from dianjin_ext.errors import DianjinError
from dianjin_ext.inference.answer import Outcome
from dianjin_ext.inference.client import error_of, refusal
from dianjin_ext.inference.reply import Reply, read_reply

__all__ = [
    "FAULTS_OF_SETUP",
    "keep_text",
    "refuse",
    "refused",
    "storable",
    "unusable",
    "whole_text",
]

FAULTS_OF_SETUP: Final = frozenset({401, 403, 404})
"""HTTP status of a server that would refuse every request."""

_TEXT: Final = "dianjin_text"  # in the metadata of a message
_REFUSED: Final = "dianjin_refused"
_SHORTEST_SECRET: Final = 8  # a server without keys takes any word, such as EMPTY
_FIELDS: Final = ("content", "reasoning_content", "reasoning")


class Message(Protocol):
    """A model's message, of either host."""

    content: Any
    metadata: dict[str, Any] | None

    @property
    def text(self) -> str:
        """What is left without thinking."""


def storable(completion: ChatCompletion) -> Reply:
    """Return the reply of a completion, and take from both what neither host can write.

    Raises:
        Transient: It is no reply in OpenAI's protocol.
    """
    for choice in completion.choices or ():
        for field in _FIELDS:
            if isinstance(text := getattr(choice.message, field, None), str):
                setattr(choice.message, field, _without_surrogates(text))
    return read_reply(completion.model_dump(warnings=False), _without_surrogates)


def keep_text(message: Message, reply: Reply) -> None:
    """Have a message keep the text of the reply that it was made of, if its parts don't tell it."""
    if whole_text(message) != reply.text:
        message.metadata = {**(message.metadata or {}), _TEXT: reply.text}


def whole_text(message: Message) -> str:
    """Return the text that the model wrote, thinking and its tags included.

    Where nobody kept it, the thinking stands first, whatever stood before it.
    """
    kept = (message.metadata or {}).get(_TEXT)
    if isinstance(kept, str):
        return kept
    parts = [] if isinstance(message.content, str) else message.content
    thinking = [part.reasoning for part in parts if part.type == "reasoning"]
    return Reply(message.text, "\n".join(thinking) if thinking else None, "").text


def refuse(message: Message, error: APIStatusError, key: str) -> None:
    """Have a message stand for a request that the server refused; the key is not quoted."""
    said, code = error_of(error.response.content)
    told = f"HTTP {error.status_code}: {said}"
    told = (told if len(key) < _SHORTEST_SECRET else told.replace(key, "***"))[:300]
    outcome: Outcome = "content_filter" if refusal(told, said, code).filtered else "refused"
    message.metadata = {_REFUSED: [outcome, told]}


def refused(message: Message) -> tuple[Outcome, str] | None:
    """Return how and why the server refused the request that a message stands for."""
    found = (message.metadata or {}).get(_REFUSED)
    return None if found is None else (found[0], found[1])


def unusable(status: int) -> DianjinError:
    """Return the error that a server refuses every request with this status."""
    return DianjinError(
        f"the server answers HTTP {status}; check its address, the name of the model and the key "
        "in OPENAI_API_KEY"
    )


def _without_surrogates(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")
