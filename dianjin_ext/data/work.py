"""A step at work on rows, in one event loop: several rows at a time, in order."""

import asyncio
from collections.abc import AsyncGenerator, Iterable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final, NamedTuple, Self

from dianjin_ext.data.asking import NoReply, Row, Spent
from dianjin_ext.data.candidate import Candidate
from dianjin_ext.data.models import Models
from dianjin_ext.data.steps.base import Result, RowStep
from dianjin_ext.errors import DianjinError
from dianjin_ext.inference.journal import SharedJournal

_AHEAD: Final = 4  # rows under way for each request that may be
_WAITING: Final = 4000  # rows that are done and wait for an earlier one


class Done(NamedTuple):
    """What became of a row.

    Attributes:
        result: Of the step; None where a question had no reply.
        spent: On its replies, by role.
        error: Why a question had none.
    """

    result: Result | None
    spent: dict[str, Spent]
    error: str = ""


class Work:
    """A step with the models that it asks; a context manager.

    Args:
        step: What is done with each row.
        settings: Of the step.
        models: Whom it asks.
        journal: Folder of the replies.

    Raises:
        DianjinError: A model that the step asks is not named, or can't be asked.
    """

    def __init__(self, step: RowStep, settings: Any, models: Models, journal: Path) -> None:
        self.step, self.settings = step, settings
        self._models = {role: models[role] for role in step.roles if role in models}
        self._journal = journal
        self.askers: dict[str, Any] = {}
        self._width = max([1, *(_AHEAD * m.max_in_flight for m in self._models.values())])

    async def __aenter__(self) -> Self:
        if self._models:
            try:
                from dianjin_ext.inference.asker import Asker
            except ModuleNotFoundError as error:
                raise DianjinError(
                    f"asking a model needs {error.name}; pip install 'dianjin-ext[ask]'"
                ) from error
        self._open = AsyncExitStack()
        for role, settings in self._models.items():
            journal = SharedJournal(self._journal, role)
            asker = Asker(settings, journal, role=role)
            self.askers[role] = await self._open.enter_async_context(asker)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._open.aclose()

    async def one(self, row: Any) -> Done:
        """Do the step on one row."""
        if isinstance(row, Candidate) and row.dropped:
            return Done(Result([row]), {})
        asking = Row(self.askers)
        try:
            return Done(await self.step.work(row, self.settings, asking), asking.spent)
        except NoReply as error:
            return Done(None, asking.spent, str(error))

    async def all(self, rows: Iterable[Any]) -> AsyncGenerator[Done, None]:
        """Do the step on rows, taken as places get free; yields in their order.

        A row that takes long holds up no other, until `_WAITING` of them wait for it. When no more
        is asked, as after a budget, the rows whose replies are recorded are still done.
        """
        places = asyncio.Semaphore(self._width)
        ahead = asyncio.Semaphore(self._width + _WAITING)
        taken: asyncio.Queue[asyncio.Task[Done] | None] = asyncio.Queue()
        under_way: set[asyncio.Task[Any]] = set()
        failed: list[BaseException] = []

        def ended(task: asyncio.Task[Done]) -> None:
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
                    task = asyncio.ensure_future(self.one(row))
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
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
