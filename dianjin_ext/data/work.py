"""A step at work on rows, in one event loop: several rows at a time, in order."""

from collections.abc import AsyncGenerator, Iterable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final, NamedTuple, Self

from dianjin_ext.data.candidate import Candidate
from dianjin_ext.data.steps.base import Result, RowStep
from dianjin_ext.errors import DianjinError
from dianjin_ext.inference.asking import NoReply, Row, Spent
from dianjin_ext.inference.cycles import sought_seldom
from dianjin_ext.inference.in_order import in_order
from dianjin_ext.inference.journal import SharedJournal
from dianjin_ext.inference.models import Models

_AHEAD: Final = 4  # rows under way for each request that may be


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
        self._open.enter_context(sought_seldom())
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

    def all(self, rows: Iterable[Any]) -> AsyncGenerator[Done, None]:
        """Do the step on rows; yields in their order, see `in_order`.

        When no more is asked, as after a budget, the rows whose replies are recorded are still
        done.
        """
        return in_order(rows, self.one, width=self._width)
