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
    """Places that were taken together, and the tokens that their calls may take."""

    left: int
    expires: float
    tokens: int = 0
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
        self._open: set[Block] = set()  # not the present one, and with calls under way
        self._turn = asyncio.Lock()

    async def take(self, tokens: int = 0) -> Block:
        """Take a place for one call, to be given back with `give`.

        Args:
            tokens: The most that the call may take, for a limit of tokens a minute; not more
                than that limit.

        Raises:
            Spent: The budget of requests is spent.
        """
        if not self._usable(tokens):
            async with self._turn:
                while not self._usable(tokens):
                    await self._next(tokens)
        self._block.left -= 1
        self._block.tokens -= tokens
        self._block.under_way += 1
        return self._block

    async def give(self, block: Block, unused: int = 0) -> None:
        """Note that a call is over.

        Args:
            block: What `take` returned.
            unused: Tokens that it took less than was said; below 0 where it took more.
        """
        block.under_way -= 1
        block.tokens += unused
        if not block.under_way and (not block.left or block is not self._block):
            await self._release(block)

    async def close(self) -> None:
        """Give back the places that were not used."""
        block, self._block = self._block, Block(0, 0.0)
        if block.left and not block.under_way:
            await self._release(block)

    def _usable(self, tokens: int) -> bool:
        block = self._block
        if block.left <= 0 or block.tokens < tokens:
            return False
        return asyncio.get_running_loop().time() < block.expires

    async def _next(self, tokens: int) -> None:
        old, self._block = self._block, Block(0, 0.0)
        if old.under_way:
            self._open.add(old)
        elif old.left:  # it expired, or has too few tokens left
            await self._release(old)
        for block in list(self._open):
            # what its calls did not take is free now, not when the last of them is over
            if unused := block.tokens:
                block.tokens = 0
                await self.account.refund(block.name, unused)
        size = self._size
        if (rate := self.limits.tokens_per_minute) is not None and tokens:
            size = max(1, min(size, rate // tokens // 60))
        new = Block(0, asyncio.get_running_loop().time() + _BLOCK_S)
        new.left, wait = await self.account.take(new.name, self.limits, size, tokens)
        new.tokens = new.left * tokens
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
        self._open.discard(block)
        if unused := block.tokens:
            block.tokens = 0
            await self.account.refund(block.name, unused)
        left, block.left = block.left, 0
        await self.account.release(block.name, left, self.limits.run)
