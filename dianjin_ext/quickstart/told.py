"""How far a run is: bars on a terminal, else a line a stage and a line a minute."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Final, Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from dianjin_ext.quickstart.progress import Progress as Reading

_LINE_S: Final = 60.0
_DRAWN: Final = 2  # times a second that bars are drawn


class Told(Protocol):
    """Who is told."""

    def before(self, title: str) -> None:
        """A stage was done in an earlier run."""

    def running(self, title: str, read: Reading) -> AbstractContextManager[Callable[[], None]]:
        """A stage runs for as long as the context lasts; what it yields is called now and then."""


@contextmanager
def telling(console: Console | None = None) -> Iterator[Told]:
    """Yield who is told."""
    console = console or Console(highlight=False, emoji=False)
    if not console.is_terminal:
        yield _Lines(console)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, refresh_per_second=_DRAWN) as progress:
        yield _Bars(progress)


class _Bars:
    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def before(self, title: str) -> None:
        self._progress.add_task(f"{title} (done before)", total=1, completed=1)

    @contextmanager
    def running(self, title: str, read: Reading) -> Iterator[Callable[[], None]]:
        task = self._progress.add_task(title, total=None)

        def tick() -> None:
            if found := read():
                self._progress.update(task, completed=found[0], total=found[1])

        yield tick
        tick()
        total = self._progress.tasks[task].total or 1
        self._progress.update(task, total=total, completed=total)


class _Lines:
    def __init__(self, console: Console) -> None:
        self._console = console

    def before(self, title: str) -> None:
        self._say(f"{title}: done before")

    @contextmanager
    def running(self, title: str, read: Reading) -> Iterator[Callable[[], None]]:
        self._say(title)
        started = time.monotonic()
        told = started

        def tick() -> None:
            nonlocal told
            now = time.monotonic()
            if now - told >= _LINE_S:
                told = now
                done, total = read() or (0, 0)
                far = f"{done} of {total}, " if total else ""
                self._say(f"  {far}{now - started:.0f} s")

        yield tick

    def _say(self, text: str) -> None:
        self._console.print(text, markup=False, soft_wrap=True)
