"""Random draws that depend on nothing but what was asked."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, Self, TypeVar

T = TypeVar("T")

_WHOLE: Final = 2**64


class Draws:
    """Draws of one reply; each has a name, so that one more of them moves no other.

    Args:
        key: What they depend on, 64 bytes at most.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key

    @classmethod
    def of(cls, seed: int, said: Any, body: Mapping[str, Any], index: int) -> Self:
        """Return the draws of a request's reply.

        Args:
            seed: Of the server.
            said: The messages, or what counts of them.
            body: Of the request. The temperature counts too: who asks again with another one, as
                after a reply that can't be read, gets another reply, as from a model.
            index: Which of the request's `n` replies.
        """
        asked = [seed, said, body.get("seed"), body.get("temperature"), index]
        return cls(hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).digest())

    def unit(self, name: str) -> float:
        """Return a number in [0, 1)."""
        digest = hashlib.blake2b(name.encode(), key=self._key, digest_size=8).digest()
        return int.from_bytes(digest, "big") / _WHOLE

    def chance(self, name: str, probability: float) -> bool:
        """Return True with a probability."""
        return self.unit(name) < probability

    def pick(self, name: str, items: Sequence[T]) -> T:
        """Return one of the items, each with the same probability."""
        return items[int(self.unit(name) * len(items))]
