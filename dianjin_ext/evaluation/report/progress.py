"""How far the reading of responses is."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

_QUIET_S: Final = 2.0


@contextmanager
def telling(size: int) -> Iterator[Callable[[int], None]]:
    """Show a bar on a terminal, once the reading has taken two seconds.

    Args:
        size: Bytes in all.

    Yields:
        What is told of the bytes that have been read since the last time.
    """
    console = Console(stderr=True)
    columns = (
        TextColumn("reading the responses"),
        BarColumn(),
        DownloadColumn(),
        TimeRemainingColumn(),
    )
    progress = Progress(*columns, console=console, transient=True)
    task = progress.add_task("", total=size)
    began = time.monotonic()

    def tell(read: int) -> None:
        progress.update(task, advance=read)
        if console.is_terminal and time.monotonic() - began > _QUIET_S:
            progress.start()

    try:
        yield tell
    finally:
        if progress.live.is_started:
            progress.stop()
