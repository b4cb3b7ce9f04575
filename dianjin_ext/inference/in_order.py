"""Several rows at work at a time, their results in order."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from typing import Any, Final, TypeVar

__all__ = ["in_order"]

R = TypeVar("R")
D = TypeVar("D")

_WAITING: Final = 4000  # rows that are done and wait for an earlier one


async def in_order(
    rows: Iterable[R], work: Callable[[R], Awaitable[D]], *, width: int
) -> AsyncGenerator[D, None]:
    """Do `work` on rows, which are taken as places get free; yields the results in their order.

    A row that takes long holds up no other, until `_WAITING` of them wait for it.

    Args:
        rows: There may be any number of them.
        work: What is done with each. When it raises, everything under way ends, and what it raised
            is raised.
        width: Rows under way.
    """
    places = asyncio.Semaphore(width)
    ahead = asyncio.Semaphore(width + _WAITING)
    taken: asyncio.Queue[asyncio.Task[D] | None] = asyncio.Queue()
    under_way: set[asyncio.Task[Any]] = set()
    failed: list[BaseException] = []

    def ended(task: asyncio.Task[D]) -> None:
        under_way.discard(task)
        places.release()
        if not task.cancelled() and (error := task.exception()) is not None:
            failed.append(error)  # such as a full disk: no reply can be recorded any more
            for other in (feeding, *under_way):
                other.cancel()

    async def feed() -> None:
        try:
            for row in rows:
                await ahead.acquire()
                await places.acquire()
                task = asyncio.ensure_future(work(row))
                under_way.add(task)
                task.add_done_callback(ended)
                taken.put_nowait(task)
        finally:
            taken.put_nowait(None)

    feeding = asyncio.ensure_future(feed())
    try:
        while (task := await taken.get()) is not None:
            done = await asyncio.shield(task)  # a row may swallow that it is cancelled
            ahead.release()
            yield done
        await feeding
    except asyncio.CancelledError:
        if failed:
            raise failed[0] from None
        raise
    finally:
        tasks = [feeding, *under_way]
        for each in tasks:
            each.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
