"""A rolling window of tasks over a stream of questions: no batch, no barrier, flat memory."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Final, Self

from dianjin_ext.inference.answer import Answer
from dianjin_ext.inference.request import Question

__all__ = ["Window"]

Job = tuple[Question, Callable[[Question], Awaitable[Answer]]]


class Window:
    """Runs jobs and yields their answers as they come, or in order.

    A job is taken from the stream when fewer than twice `width` are under way (some wait before a
    repetition) and the reader is not far behind.

    Args:
        width: Requests that may be under way.
        recall: None yields answers as they come. Else they come in order, and an answer that has
            to wait for an earlier one is dropped and recalled by this function; where it returns
            None, the answer itself is kept.
    """

    ORDERED: Final = 10_000
    """Answers that may wait for an earlier one; then no further job is taken until it comes."""

    def __init__(
        self, width: int, recall: Callable[[Question], Answer | None] | None = None
    ) -> None:
        self._open = asyncio.Semaphore(2 * width)
        self._behind = asyncio.Semaphore(4 * width if recall is None else self.ORDERED + 4 * width)
        self._recall = recall
        self._ready: deque[Answer] = deque()
        self._early: dict[int, tuple[Question, Answer | None]] = {}
        self._next = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()
        self._ended = False
        self._error: BaseException | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def fill(self, jobs: Iterator[Job]) -> None:
        """Begin to take jobs."""
        self._spawn(self._pull(jobs))

    async def __aiter__(self) -> AsyncIterator[Answer]:
        while True:
            while self._ready:
                self._behind.release()
                yield self._ready.popleft()
                if self._error is not None:
                    break
            if self._error is not None:
                raise self._error
            if self._ended and not self._tasks:
                return
            self._changed.clear()
            if not self._ready:
                await self._changed.wait()

    async def _pull(self, jobs: Iterator[Job]) -> None:
        number = 0
        while True:
            await self._behind.acquire()
            await self._open.acquire()
            job = next(jobs, None)
            if job is None:
                break
            self._spawn(self._run(number, *job))
            number += 1
        self._ended = True

    async def _run(
        self, number: int, question: Question, ask: Callable[[Question], Awaitable[Answer]]
    ) -> None:
        try:
            answer = await ask(question)
        finally:
            self._open.release()
        if self._recall is None or number == self._next:
            self._ready.append(answer)
            self._next += 1
        else:
            kept = self._recall(question) is None
            self._early[number] = question, answer if kept else None
        while self._recall is not None and self._next in self._early:
            question, early = self._early.pop(self._next)
            found = early or self._recall(question)
            assert found is not None
            self._ready.append(found)
            self._next += 1

    def _spawn(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._landed)

    def _landed(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._error = self._error or error
        self._changed.set()
