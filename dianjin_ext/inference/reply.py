"""What came back, as a value."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from dianjin_ext.inference.faults import Transient

__all__ = ["Reply", "read_reply", "split_thinking"]

_OPENING: Final = "<think>"
_CLOSING: Final = "</think>"


@dataclass(frozen=True)
class Reply:
    """One reply of a chat model.

    Attributes:
        content: The text after the thinking; empty where there is none.
        reasoning: The thinking, without its tags; None where there is none.
        finish_reason: `stop`, `length`, `content_filter` or what else the server says.
        prompt_tokens: As the server counts them; 0 where it doesn't.
        completion_tokens: Thinking included.
        opening: What stood before the thinking in the text of the model; its usual tag where the
            server took the thinking apart.
        closing: What stood between the thinking and the content.
    """

    content: str
    reasoning: str | None
    finish_reason: str
    prompt_tokens: int = 0
    completion_tokens: int = 0
    opening: str = "<think>\n"
    closing: str = "\n</think>\n\n"

    @property
    def text(self) -> str:
        """The whole text of the model, thinking and its tags included."""
        if self.reasoning is None:
            return self.content
        return f"{self.opening}{self.reasoning}{self.closing}{self.content}"


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
        # vLLM's reasoning parsers make null of an empty text: the model ended at once
        ended = tokens[1] > 0 and not message.get("tool_calls")
        nothing = message.get("content") is None and not reasoning and not ended
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
    parts = split_thinking(content) if reasoning is None else None
    opening, closing = Reply.opening, Reply.closing
    if parts is not None:
        opening, reasoning, closing, content = parts
    return Reply(
        clean(content),
        None if reasoning is None else clean(reasoning),
        finish_reason,
        prompt_tokens=tokens[0],
        completion_tokens=tokens[1],
        opening=opening,
        closing=closing,
    )


def split_thinking(text: str) -> tuple[str, str, str, str] | None:
    """Split at the first `</think>` into opening tag, thinking, closing tag and content.

    Templates that end the prompt with `<think>` leave only the closing tag in the reply. Blanks
    around the tags go with them. None for a text without thinking that was closed.
    """
    before, tag, after = text.partition(_CLOSING)
    if not tag:
        return None
    content = after.lstrip()
    opened = before.lstrip()
    inner = opened.removeprefix(_OPENING).lstrip()
    thinking = inner.rstrip()
    opening = before[: len(before) - len(inner)]
    closing = inner[len(thinking) :] + tag + after[: len(after) - len(content)]
    return opening, thinking, closing, content
