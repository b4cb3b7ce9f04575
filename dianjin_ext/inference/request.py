"""What is asked, as a value."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

__all__ = ["Question", "Request"]


@dataclass(frozen=True)
class Request:
    """A row that is asked about.

    Attributes:
        row: The row's id; no two rows of a run share it within a round.
        messages: Of OpenAI's chat protocol: `role` and `content`.
        samples: How many replies are wanted.
        round: Which question of several to the same row, such as a second attempt.
        options: Settings of the model for this row alone; they replace those of the run.
        notes: Recorded with the replies and not sent, such as the version of a prompt.
    """

    row: str
    messages: Sequence[Mapping[str, Any]]
    samples: int = 1
    round: int = 0
    options: Mapping[str, Any] = field(default_factory=dict)
    notes: Mapping[str, Any] = field(default_factory=dict)


class Question(NamedTuple):
    """One sample of a request: what goes over the wire once.

    Attributes:
        request: Whose sample it is.
        sample: Counted from 0.
        payload: The body of the request to the server.
        key: What the journal records the reply under: 32 hexadecimal digits, equal where row,
            sample, round and payload are.
    """

    request: Request
    sample: int
    payload: dict[str, Any]
    key: str


def questions(request: Request, model: str, options: Mapping[str, Any]) -> Iterator[Question]:
    """Yield the samples of a request; a `seed` grows by one from sample to sample."""
    body = {"model": model, "messages": list(request.messages), **options, **request.options}
    for sample in range(request.samples):
        payload = body
        if body.get("seed") is not None:
            payload = {**body, "seed": body["seed"] + sample}
        yield Question(request, sample, payload, _key(request, sample, payload))


def _key(request: Request, sample: int, payload: Mapping[str, Any]) -> str:
    # ASCII: a lone surrogate has no UTF-8
    asked = json.dumps([request.row, sample, request.round, payload], sort_keys=True)
    return hashlib.sha256(asked.encode()).hexdigest()[:32]
