"""Batched sampling from a transformers causal language model.

`generate()` of transformers spends most of a small model's time outside the model. This loop
computes each distinct prompt once, drops rows as they finish, and gives every row its own random
numbers, so that a response doesn't depend on which rows happened to share its batch.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from transformers import DynamicCache

__all__ = ["Request", "Response", "generate"]


@dataclass(frozen=True)
class Request:
    """One response to sample.

    Attributes:
        prompt: Token ids, at least one.
        max_tokens: The most tokens to generate, at least one.
        temperature: 0 chooses the most probable token.
        top_k: Sample among this many most probable tokens; 0 and below mean all.
        top_p: Sample among the fewest tokens whose probabilities sum to at least this.
        seed: What is random about this response; the same seed gives the same response.
        bias: (token, value) pairs: what is added to the logits of single tokens.
    """

    prompt: tuple[int, ...]
    max_tokens: int
    temperature: float = 1.0
    top_k: int = -1
    top_p: float = 1.0
    seed: str = ""
    bias: tuple[tuple[int, float], ...] = ()


@dataclass(frozen=True)
class Response:
    """What was sampled.

    Attributes:
        tokens: Token ids, the end-of-sequence token included when it was reached.
        log_probs: For each token its log-probability under the distribution it was drawn from
            (after temperature, top_k and top_p; at temperature 0 under the model's own).
        finished: Whether the response ended by itself, not at `max_tokens`.
    """

    tokens: list[int]
    log_probs: list[float]
    finished: bool


@torch.inference_mode()  # type: ignore[untyped-decorator]
def generate(
    model: Any,
    requests: Sequence[Request],
    *,
    eos_ids: Sequence[int],
    pad_id: int = 0,
    drawn_now: Callable[[list[int], list[int]], None] | None = None,
) -> list[Response]:
    """Sample one response for each request.

    Args:
        model: A transformers causal language model whose cache is a `DynamicCache`.
        requests: They share temperature, top_k and top_p.
        eos_ids: Tokens that end a response.
        pad_id: Fills prompts on the left; masked out.
        drawn_now: Called at each step with the indices of the requests that go on, and the token
            of each.

    Returns:
        The responses, in the order of the requests.
    """
    first = requests[0]
    prompts = list(dict.fromkeys(request.prompt for request in requests))
    row_of = {prompt: row for row, prompt in enumerate(prompts)}
    rows = torch.tensor([row_of[request.prompt] for request in requests])
    steps = max(request.max_tokens for request in requests)

    ids, mask = _pad_left(prompts, pad_id)
    positions = (mask.cumsum(-1) - 1).clamp(min=0)
    cache = DynamicCache(config=model.config)
    logits = model(
        input_ids=ids,
        attention_mask=mask,
        position_ids=positions,
        past_key_values=cache,
        use_cache=True,
        logits_to_keep=1,
    ).logits[:, -1][rows]
    cache.batch_select_indices(rows)
    mask, position = mask[rows], positions[rows, -1:]

    limits = torch.tensor([request.max_tokens for request in requests])
    uniforms = _uniforms(requests, steps) if first.temperature > 0 else None
    eos = torch.tensor(list(eos_ids))
    tokens = torch.full((len(requests), steps), pad_id)
    log_probs = torch.zeros(len(requests), steps)
    lengths = torch.zeros(len(requests), dtype=torch.long)
    ended = torch.zeros(len(requests), dtype=torch.bool)
    alive = torch.arange(len(requests))  # row of the model's batch -> request

    bias = _bias(requests, logits.shape[-1])

    for step in range(steps):
        logits = logits.float() if bias is None else logits.float() + bias[alive]
        drawn, drawn_log_probs = _draw(
            logits, first, None if uniforms is None else uniforms[alive, step]
        )
        if drawn_now is not None:
            drawn_now(alive.tolist(), drawn.tolist())
        tokens[alive, step], log_probs[alive, step] = drawn, drawn_log_probs
        lengths[alive] = step + 1
        stop = torch.isin(drawn, eos)
        ended[alive] = stop
        keep = (~(stop | (limits[alive] == step + 1))).nonzero().squeeze(-1)
        if not len(keep):
            break
        if len(keep) < len(alive):
            alive, drawn, mask, position = alive[keep], drawn[keep], mask[keep], position[keep]
            cache.batch_select_indices(keep)
        position = position + 1
        mask = torch.cat([mask, mask.new_ones(len(mask), 1)], dim=-1)
        logits = model(
            input_ids=drawn.unsqueeze(-1),
            attention_mask=mask,
            position_ids=position,
            past_key_values=cache,
            use_cache=True,
        ).logits[:, -1]

    return [
        Response(tokens[i, :n].tolist(), log_probs[i, :n].tolist(), bool(ended[i]))
        for i, n in enumerate(lengths.tolist())
    ]


def _pad_left(prompts: Sequence[Sequence[int]], pad_id: int) -> tuple[torch.Tensor, torch.Tensor]:
    width = max(map(len, prompts))
    ids = [[pad_id] * (width - len(prompt)) + list(prompt) for prompt in prompts]
    mask = [[0] * (width - len(prompt)) + [1] * len(prompt) for prompt in prompts]
    return torch.tensor(ids), torch.tensor(mask)


def _bias(requests: Sequence[Request], vocabulary: int) -> torch.Tensor | None:
    """Return what is added to the logits, (requests, vocabulary); None for nothing."""
    if not any(request.bias for request in requests):
        return None
    bias = torch.zeros(len(requests), vocabulary)
    for row, request in enumerate(requests):
        for token, value in request.bias:
            bias[row, token] += value
    return bias


def _uniforms(requests: Sequence[Request], steps: int) -> torch.Tensor:
    """Random numbers in [0, 1) of shape (requests, steps), each row from its request's seed."""
    generator = torch.Generator()
    rows = []
    for request in requests:
        digest = hashlib.blake2b(repr((request.seed, request.prompt)).encode(), digest_size=8)
        generator.manual_seed(int.from_bytes(digest.digest(), "big", signed=True))
        rows.append(torch.rand(steps, generator=generator))
    return torch.stack(rows)


def _draw(
    logits: torch.Tensor, request: Request, uniforms: torch.Tensor | None
) -> tuple[torch.Tensor, torch.Tensor]:
    """Draw one token a row from `logits` (rows, vocabulary); also give its log-probability."""
    if uniforms is None:
        tokens = logits.argmax(-1)
    else:
        logits = _truncate(logits / request.temperature, request.top_k, request.top_p)
        cumulative = logits.double().softmax(-1).cumsum(-1)
        # right=True: a token of probability 0 is never the first to exceed the threshold
        threshold = uniforms.double().unsqueeze(-1) * cumulative[:, -1:]
        tokens = torch.searchsorted(cumulative, threshold, right=True).squeeze(-1)
    return tokens, logits.log_softmax(-1).gather(-1, tokens.unsqueeze(-1)).squeeze(-1)


def _truncate(logits: torch.Tensor, top_k: int, top_p: float) -> torch.Tensor:
    """Give every token outside top_k and top_p the logit -inf."""
    if 0 < top_k < logits.shape[-1]:
        threshold = logits.topk(top_k).values[:, -1:]
        logits = logits.masked_fill(logits < threshold, -torch.inf)
    if top_p < 1:
        ordered, order = logits.sort(descending=True)
        probabilities = ordered.softmax(-1)
        outside = probabilities.cumsum(-1) - probabilities >= top_p
        logits = logits.masked_fill(outside.scatter(-1, order, outside), -torch.inf)
    return logits
