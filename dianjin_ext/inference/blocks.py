"""Places under the limits that processes share, taken from the account many at a time."""

import asyncio
import math
import uuid
from dataclasses import dataclass, field
from typing import Final

from dianjin_ext.inference.faults import Spent
from dianjin_ext.inference.ledger import Limits
from dianjin_ext.inference.limiter import Account

__all__ = ["Block", "Blocks", "block_lease"]

_BLOCK_S: Final = 5.0  # a place that is not used by then goes back
_MARGIN_S: Final = 5.0  # for an event loop that is busy when a call times out
_MOST: Final = 64


def block_lease(timeout_s: float) -> float:
    """Return the seconds after which all calls of a block are over."""
    return _BLOCK_S + timeout_s + _MARGIN_S


@dataclass(eq=False)
class Block:
    """Places that were taken together."""

    left: int
    expires: float
    under_way: int = 0
    name: str = field(default_factory=lambda: uuid.uuid4().hex)


class Blocks:
    """The shared places of one process, in one event loop."""

    def __init__(self, account: Account, limits: Limits) -> None:
        self.account = account
        self.limits = limits
        rate = limits.requests_per_minute
        self._size = _MOST if rate is None else max(1, min(_MOST, rate // 60))
        self._block = Block(0, 0.0)
        self._turn = asyncio.Lock()

    async def take(self) -> Block:
        """Take a place for one call, to be given back with `give`.

        Raises:
            Spent: The budget of requests is spent.
        """
        if not self._usable():
            async with self._turn:
                while not self._usable():
                    await self._next()
        self._block.left -= 1
        self._block.under_way += 1
        return self._block

    async def give(self, block: Block) -> None:
        """Note that a call is over."""
        block.under_way -= 1
        if not block.under_way and (not block.left or block is not self._block):
            await self._release(block)

    async def close(self) -> None:
        """Give back the places that were not used."""
        block, self._block = self._block, Block(0, 0.0)
        if block.left and not block.under_way:
            await self._release(block)

    def _usable(self) -> bool:
        return self._block.left > 0 and asyncio.get_running_loop().time() < self._block.expires

    async def _next(self) -> None:
        old = self._block
        if old.left:  # it expired
            self._block = Block(0, 0.0)
            if not old.under_way:
                await self._release(old)
        new = Block(0, asyncio.get_running_loop().time() + _BLOCK_S)
        new.left, wait = await self.account.take(new.name, self.limits, self._size)
        if new.left:
            self._block = new
        elif wait == math.inf:
            raise Spent(
                f"budget_requests: the {self.limits.budget} requests of the run "
                f"{self.limits.run!r} are spent"
            )
        else:
            await asyncio.sleep(wait)

    async def _release(self, block: Block) -> None:
        await self.account.release(block.name, block.left, self.limits.run)
        block.left = 0
