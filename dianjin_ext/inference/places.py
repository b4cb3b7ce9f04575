"""How many requests of this process are under way: as many as the server bears."""

import asyncio
from collections import deque
from typing import Final

__all__ = ["Places"]

_FIRST: Final = 100
_MAX_PAUSE_S: Final = 60.0  # a server's wish for longer must not outlive its reason


class Places:
    """Places in flight, in one event loop.

    The number doubles with each round of replies until the server first says that it gets too
    much (429, 503); then it is halved, once for all requests that were under way together, and
    grows by one place a round (additive increase, multiplicative decrease, as in RFC 5681).

    Args:
        most: The most places there ever are.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.in_flight = 0
        self.limit = float(min(most, _FIRST))
        self._doubling = True
        self._halved_at = 0.0
        self._paused_until = 0.0
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def take(self) -> float:
        """Wait for a place and take it; return the moment, for `give`.

        Who came first gets it first.
        """
        loop = asyncio.get_running_loop()
        while True:
            if (pause := self._paused_until - loop.time()) > 0:
                await asyncio.sleep(pause)
            elif not self._waiting and self.in_flight < int(self.limit):
                self.in_flight += 1
                return loop.time()
            else:
                await self._turn(loop)
                if self._paused_until <= loop.time():
                    return loop.time()
                self._leave()

    def give(self, taken: float, *, replied: bool, crowded: bool) -> None:
        """Give a place back.

        Args:
            taken: What `take` returned.
            replied: The server replied as it should.
            crowded: The server said that it gets too much.
        """
        if crowded and taken >= self._halved_at:
            self.limit = max(1.0, self.limit / 2)
            self._doubling = False
            self._halved_at = asyncio.get_running_loop().time()
        elif replied:
            self.limit = min(self.most, self.limit + (1 if self._doubling else 1 / self.limit))
        self._leave()

    def pause(self, seconds: float) -> None:
        """Give no place for so long; a minute at most."""
        until = asyncio.get_running_loop().time() + min(seconds, _MAX_PAUSE_S)
        self._paused_until = max(self._paused_until, until)

    async def _turn(self, loop: asyncio.AbstractEventLoop) -> None:
        """Stand in line until a place is handed over."""
        turn = loop.create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn in self._waiting:
                self._waiting.remove(turn)
            elif not turn.cancelled():  # its place goes to the next
                self._leave()
            raise

    def _leave(self) -> None:
        self.in_flight -= 1
        free = int(self.limit) - self.in_flight
        while free > 0 and self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                self.in_flight += 1  # handed over: else one that comes meanwhile would take it
                turn.set_result(None)
                free -= 1
