"""Lines in batches, and batches to several processes."""

import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import Any, Final, NamedTuple, TypeVar

from dianjin_ext.errors import DianjinError

__all__ = ["BATCH_BYTES", "Batch", "batches", "worked"]

Job = TypeVar("Job")
Done = TypeVar("Done")

BATCH_BYTES: Final = 1 << 18
"""What one worker is given at a time. Memory is some such batches and the longest line."""


class Batch(NamedTuple):
    """Lines of a file, and the number of the first, counted from 1."""

    first: int
    lines: list[bytes]


def batches(lines: Iterable[bytes]) -> Iterator[Batch]:
    """Yield the lines of a file in batches."""
    batch, size, first, number = [], 0, 1, 0
    for number, line in enumerate(lines, 1):
        batch.append(line)
        size += len(line)
        if size >= BATCH_BYTES:
            yield Batch(first, batch)
            batch, size, first = [], 0, number + 1
    if batch:
        yield Batch(first, batch)


def _nothing() -> None:
    pass


def worked(
    work: Callable[[Job], Done],
    jobs: Iterable[Job],
    *,
    workers: int,
    start: Callable[[], None] = _nothing,
) -> Iterator[Done]:
    """Yield what became of each job, in order; at most three wait for each worker.

    Args:
        work: Does a job; can be pickled, as `start` and the jobs can.
        jobs: What is to be done.
        workers: Processes; 1 is this one.
        start: Is called in each of them before its first job.

    Raises:
        DianjinError: A process was killed.
    """
    if workers == 1:
        start()
        yield from map(work, jobs)
        return
    pending: deque[Any] = deque()
    # spawn: forking a process that has threads (a progress bar's) may lock up
    pool = ProcessPoolExecutor(
        workers, get_context("spawn"), initializer=_begin_process, initargs=(start,)
    )
    try:
        for job in jobs:
            pending.append(pool.submit(work, job))
            if len(pending) >= 3 * workers:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    except BrokenProcessPool as error:
        raise DianjinError(
            "a worker process was killed, perhaps for want of memory; use fewer --workers"
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def _begin_process(start: Callable[[], None]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which stops us
    start()
