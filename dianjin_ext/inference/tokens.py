"""How many tokens a request takes at the most, before its reply is there."""

import json
from collections.abc import Mapping
from typing import Any, Final

from dianjin_ext.inference.reply import Reply

__all__ = ["Expected", "most_tokens"]

_UNKNOWN: Final = 1024  # tokens of a reply without a limit, until a longer one comes


def most_tokens(options: Mapping[str, Any]) -> int | None:
    """Return the limit that a request sets for its reply; None where it sets none."""
    most = options.get("max_completion_tokens") or options.get("max_tokens")
    return most if isinstance(most, int) else None


class Expected:
    """The tokens to count for requests under way.

    A prompt has at most a token a byte, as in all byte-level vocabularies; once replies came, the
    largest part of that which a prompt had. A reply has at most its limit; where it has none, the
    most that a reply had so far.

    Args:
        per_minute: The limit of tokens; a single request never counts for more. None counts
            nothing.
    """

    def __init__(self, per_minute: int | None) -> None:
        self._per_minute = per_minute
        self._per_byte: float | None = None
        self._longest = _UNKNOWN

    def most(self, payload: Mapping[str, Any]) -> int:
        """Return the most that a request may take."""
        if self._per_minute is None:
            return 0
        per_byte = 1.0 if self._per_byte is None else self._per_byte
        prompt = int(per_byte * _bytes(payload)) + 1
        return min(self._per_minute, prompt + (most_tokens(payload) or self._longest))

    def took(self, payload: Mapping[str, Any], reply: Reply) -> int:
        """Return what it took by its reply; by `most` where the server doesn't count."""
        if self._per_minute is None:
            return 0
        if not reply.prompt_tokens + reply.completion_tokens:
            return self.most(payload)
        self._per_byte = max(self._per_byte or 0.0, reply.prompt_tokens / _bytes(payload))
        self._longest = max(self._longest, reply.completion_tokens)
        return reply.prompt_tokens + reply.completion_tokens


def _bytes(payload: Mapping[str, Any]) -> int:
    return len(json.dumps(payload["messages"], ensure_ascii=False).encode(errors="surrogatepass"))
