"""Several servers of one model, such as `vllm serve` on each machine, asked as one."""

import asyncio
import time
from collections.abc import Sequence
from typing import Any, Final

from dianjin_ext.inference.client import Client
from dianjin_ext.inference.faults import Transient

__all__ = ["Replicas"]

_REST_S: Final = 5.0


class Replicas:
    """Sends each request to the server with the fewest under way.

    A server that did not answer rests for some seconds, so that one which is down, and has nothing
    under way, does not draw every request. Where all rest, the one that rests longest is asked.

    Args:
        clients: One a server, of the same model.
    """

    def __init__(self, clients: Sequence[Client]) -> None:
        self._clients = list(clients)
        self._under_way = [0] * len(self._clients)
        self._asked = [0] * len(self._clients)
        self._rests_until = [0.0] * len(self._clients)

    @property
    def url(self) -> str:
        """What limits and budgets are counted under: all addresses."""
        return " ".join(sorted(client.url for client in self._clients))

    async def post(self, path: str, body: dict[str, Any]) -> Any:
        """Send a request; see `Client.post`."""
        place = self._choose()
        self._under_way[place] += 1
        self._asked[place] += 1
        try:
            return await self._clients[place].post(path, body)
        except Transient as error:
            if not error.crowded and len(self._clients) > 1:
                self._rests_until[place] = time.monotonic() + _REST_S
            raise
        finally:
            self._under_way[place] -= 1

    async def close(self) -> None:
        """Close the connections."""
        await asyncio.gather(*(client.close() for client in self._clients))

    def without_key(self, text: str) -> str:
        """Return a text in which the key does not stand."""
        return self._clients[0].without_key(text)

    def _choose(self) -> int:
        if len(self._clients) == 1:
            return 0
        now = time.monotonic()
        resting = [max(0.0, until - now) for until in self._rests_until]
        return min(
            range(len(self._clients)),
            key=lambda place: (resting[place], self._under_way[place], self._asked[place]),
        )
