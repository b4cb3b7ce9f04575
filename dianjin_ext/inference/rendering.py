"""What the chat template makes of messages: vLLM's `/tokenize`, for the local server."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from dianjin_ext.inference.protocol import Message, render

__all__ = ["Tokenized", "tokenize"]


class Tokenized(BaseModel):
    """What may be asked: messages or a prompt. Fields that are not known are refused."""

    model_config = ConfigDict(extra="forbid")
    model: str | None = None
    messages: list[Message] | None = Field(default=None, min_length=1)
    prompt: str | None = None
    add_generation_prompt: bool = True
    add_special_tokens: bool | None = None
    return_token_strs: bool = False
    chat_template_kwargs: dict[str, Any] = Field(default_factory=dict)


def tokenize(body: Tokenized, tokenizer: Any, context: int) -> dict[str, Any]:
    """Return the body of the reply.

    Args:
        body: What was asked.
        tokenizer: It, and its chat template.
        context: The most tokens of prompt and reply together.

    Raises:
        ValueError: Not just one of messages and prompt is given.
    """
    if (body.messages is None) == (body.prompt is None):
        raise ValueError("messages or prompt is expected, one of them")
    if body.messages is not None:
        tokens = render(
            body.messages,
            tokenizer,
            body.chat_template_kwargs,
            add_generation_prompt=body.add_generation_prompt,
        )
    else:
        special = body.add_special_tokens is not False
        tokens = tokenizer(body.prompt, add_special_tokens=special)["input_ids"]
    strings = tokenizer.convert_ids_to_tokens(tokens) if body.return_token_strs else None
    return {
        "count": len(tokens),
        "max_model_len": context,
        "tokens": list(tokens),
        "token_strs": strings,
    }
