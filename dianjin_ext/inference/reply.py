"""What came back, as a value."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from dianjin_ext.inference.faults import Transient

__all__ = ["Reply", "read_reply", "split_thinking"]


@dataclass(frozen=True)
class Reply:
    """One reply of a chat model.

    Attributes:
        content: The text after the thinking; empty where there is none.
        reasoning: The thinking, without its tags; None where there is none.
        finish_reason: `stop`, `length`, `content_filter` or what else the server says.
        prompt_tokens: As the server counts them; 0 where it doesn't.
        completion_tokens: Thinking included.
    """

    content: str
    reasoning: str | None
    finish_reason: str
    prompt_tokens: int = 0
    completion_tokens: int = 0


def read_reply(body: Any, clean: Callable[[str], str] = str) -> Reply:
    """Read the body of `/chat/completions`.

    Args:
        body: As parsed from JSON.
        clean: Applied to each text.

    Raises:
        Transient: It is no reply in OpenAI's protocol.
    """
    try:
        choice = body["choices"][0]
        message, finish_reason = choice["message"], choice["finish_reason"]
        content = message["content"] if message.get("content") is not None else ""
        reasoning = message.get("reasoning_content") or message.get("reasoning")
        usage = body.get("usage") or {}
        tokens = [int(usage.get(f"{name}_tokens") or 0) for name in ("prompt", "completion")]
        texts = [content, finish_reason, *([] if reasoning is None else [reasoning])]
        nothing = message.get("content") is None and not reasoning
        if not all(isinstance(text, str) for text in texts) or (
            nothing and finish_reason != "content_filter"
        ):
            raise TypeError
    except (KeyError, IndexError, TypeError, ValueError, AttributeError):
        found = clean(repr(body))[:200]
        raise Transient(
            f"the reply is no chat completion with content and finish_reason: {found}",
            unreadable=True,
        ) from None
    if reasoning is None:
        reasoning, content = split_thinking(content)
    return Reply(
        clean(content),
        None if reasoning is None else clean(reasoning),
        finish_reason,
        *tokens,
    )


def split_thinking(text: str) -> tuple[str | None, str]:
    """Split at the first `</think>` into thinking and answer; the opening tag may be missing.

    Templates that end the prompt with `<think>` leave only the closing tag in the reply. Thinking
    that was not closed stays part of the text.
    """
    thinking, closing, answer = text.partition("</think>")
    if not closing:
        return None, text
    return thinking.strip().removeprefix("<think>").strip(), answer.lstrip()
