"""OpenAI's chat and completion requests to a local model, and its replies."""

import secrets
import time
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, NonNegativeFloat, PositiveInt

from dianjin_ext.inference.sampling import Request, Response

__all__ = ["Body", "Message", "finished_text", "render", "reply", "to_requests", "usage"]

_DEFAULT_TOKENS: Final = 512


class Message(BaseModel):
    """One turn; a template may read more keys of it."""

    model_config = ConfigDict(extra="allow")
    role: str
    content: str


class Body(BaseModel):
    """What may be asked. Fields that are not known are refused, not passed over."""

    model_config = ConfigDict(extra="forbid")
    model: str | None = None
    messages: list[Message] | None = Field(default=None, min_length=1)
    prompt: str | list[str] | None = None
    n: int = Field(default=1, ge=1, le=128)
    max_tokens: PositiveInt | None = None
    max_completion_tokens: PositiveInt | None = None
    temperature: NonNegativeFloat = 1.0
    top_p: float = Field(default=1.0, gt=0, le=1)
    top_k: int = -1
    seed: int | None = None
    stop: str | list[str] | None = None
    logprobs: bool | int | None = None
    stream: bool = False
    stream_options: dict[str, bool] = Field(default_factory=dict)
    logit_bias: dict[int, float] = Field(default_factory=dict)
    return_token_ids: bool = False  # as vLLM has it
    user: str | None = None
    chat_template_kwargs: dict[str, Any] = Field(default_factory=dict)

    @property
    def stops(self) -> list[str]:
        """The texts that end a reply."""
        given = [self.stop] if isinstance(self.stop, str) else self.stop or []
        return [text for text in given if text]


def to_requests(body: Body, tokenizer: Any, context: int) -> list[Request]:
    """Return `n` requests to the model for each prompt of the body.

    Args:
        body: The body of a request.
        tokenizer: Its chat template writes the prompt.
        context: The most tokens of prompt and reply together.

    Raises:
        ValueError: It can't be answered; the message says why.
    """
    if body.stream and body.logprobs:
        raise ValueError("logprobs are not streamed")
    if unknown := [token for token in body.logit_bias if not 0 <= token < len(tokenizer)]:
        raise ValueError(f"logit_bias: there is no token {unknown[0]}")
    if body.messages is not None:
        prompts = [render(body.messages, tokenizer, body.chat_template_kwargs)]
    elif body.prompt:
        texts = [body.prompt] if isinstance(body.prompt, str) else body.prompt
        prompts = [tokenizer(text)["input_ids"] for text in texts]
    else:
        raise ValueError("messages or prompt is expected")
    found = []
    for ids in prompts:
        room = context - len(ids)
        if not ids or room < 1:
            raise ValueError(f"the prompt has {len(ids)} tokens, expected 1 to {context - 1}")
        most = body.max_completion_tokens or body.max_tokens
        if most is not None and most > room:
            raise ValueError(f"max_tokens is {most}, but {room} are left of the context {context}")
        for sample in range(body.n):
            seed = secrets.token_hex(8) if body.seed is None else f"{body.seed}/{sample}"
            found.append(
                Request(
                    tuple(ids),
                    most or min(room, _DEFAULT_TOKENS),
                    temperature=body.temperature,
                    top_k=body.top_k,
                    top_p=body.top_p,
                    seed=seed,
                    bias=tuple(body.logit_bias.items()),
                )
            )
    return found


def render(
    messages: list[Message],
    tokenizer: Any,
    template_kwargs: dict[str, Any],
    *,
    add_generation_prompt: bool = True,
) -> list[int]:
    """Return the tokens that the chat template makes of messages."""
    ids: list[int] = tokenizer.apply_chat_template(
        [message.model_dump() for message in messages],
        add_generation_prompt=add_generation_prompt,
        tokenize=True,
        return_dict=False,
        **template_kwargs,
    )
    return ids


def reply(
    body: Body,
    requests: list[Request],
    responses: list[Response],
    tokenizer: Any,
    model: str,
) -> dict[str, Any]:
    """Return the body of the reply."""
    chat = body.messages is not None
    choices = []
    for index, response in enumerate(responses):
        text, reason = finished_text(body, response, tokenizer)
        choice: dict[str, Any] = {"index": index, "finish_reason": reason}
        if chat:
            choice["message"] = {"role": "assistant", "content": text}
        else:
            choice["text"] = text
        # 0 asks completions for the chosen token alone, False asks for nothing
        wanted = body.logprobs is not None and body.logprobs is not False
        choice["logprobs"] = _log_probs(response, tokenizer, chat) if wanted else None
        if body.return_token_ids:
            choice["token_ids"] = response.tokens
        choices.append(choice)
    return {
        "id": f"local-{secrets.token_hex(8)}",
        "object": "chat.completion" if chat else "text_completion",
        "created": int(time.time()),
        "model": model,
        "choices": choices,
        "usage": usage(body, requests, responses),
    }


def finished_text(body: Body, response: Response, tokenizer: Any) -> tuple[str, str]:
    """Return the text of a response, up to what ends it, and the `finish_reason`."""
    text = tokenizer.decode(response.tokens, skip_special_tokens=True)
    ends = [at for stop in body.stops if (at := text.find(stop)) >= 0]
    if ends:
        return text[: min(ends)], "stop"
    return text, "stop" if response.finished else "length"


def usage(body: Body, requests: list[Request], responses: list[Response]) -> dict[str, int]:
    """Return the counts of tokens; a prompt that has several replies counts once."""
    prompt_tokens = sum(len(request.prompt) for request in requests[:: body.n])
    completion_tokens = sum(len(response.tokens) for response in responses)
    return {
        "prompt_tokens": prompt_tokens,
        "completion_tokens": completion_tokens,
        "total_tokens": prompt_tokens + completion_tokens,
    }


def _log_probs(response: Response, tokenizer: Any, chat: bool) -> dict[str, Any]:
    tokens = [tokenizer.decode([token]) for token in response.tokens]
    if not chat:
        return {"tokens": tokens, "token_logprobs": response.log_probs}
    pairs = zip(tokens, response.log_probs, strict=True)
    return {
        "content": [
            {"token": token, "logprob": value, "bytes": list(token.encode()), "top_logprobs": []}
            for token, value in pairs
        ]
    }
