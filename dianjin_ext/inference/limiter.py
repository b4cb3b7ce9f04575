"""Wait for a place at the endpoint, one call at a time."""

import asyncio
import math
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol

from dianjin_ext.inference.faults import Spent
from dianjin_ext.inference.ledger import Limits

__all__ = ["Limiter"]


class Account(Protocol):
    """A `Ledger`, here or in an actor."""

    async def ask(self, call: str, limits: Limits) -> float: ...
    async def take(
        self, block: str, limits: Limits, most: int, tokens: int = 0
    ) -> tuple[int, float]: ...
    async def release(self, block: str, unused: int = 0, run: str | None = None) -> None: ...
    async def refund(self, block: str, tokens: int) -> None: ...
    async def spend(self, run: str, tokens: int, money: float) -> tuple[int, float]: ...
    async def pause(self, endpoint: str, seconds: float) -> None: ...


class Limiter:
    """The calls of one process under limits that all processes share."""

    def __init__(self, account: Account, limits: Limits) -> None:
        self.account = account
        self.limits = limits
        self._turn = asyncio.Lock()  # one asks at a time, the others stand in line

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """Hold a place for one call.

        Raises:
            Spent: The budget is spent.
        """
        call = uuid.uuid4().hex
        try:
            async with self._turn:
                while wait := await self.account.ask(call, self.limits):
                    if wait == math.inf:
                        raise Spent(
                            f"the budget of {self.limits.budget} requests of the run "
                            f"{self.limits.run!r} is spent"
                        )
                    await asyncio.sleep(wait)
            yield
        finally:
            await self.account.release(call)

    async def pause(self, seconds: float) -> None:
        """Let no process call the endpoint for so many seconds."""
        await self.account.pause(self.limits.endpoint, seconds)
