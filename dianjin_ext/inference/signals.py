"""Ctrl-C and SIGTERM, between the steps of an event loop rather than in the middle of one."""

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Final

_RAISE: Final = (
    (signal.SIGINT, KeyboardInterrupt),
    (signal.SIGTERM, partial(SystemExit, 128 + signal.SIGTERM)),
)


@contextmanager
def raising(loop: asyncio.AbstractEventLoop) -> Iterator[None]:
    """Let the loop raise KeyboardInterrupt at SIGINT and SystemExit at SIGTERM, for a while.

    Raised where the signal meets the program, they would end up in whatever task is at work, which
    may be none that anybody waits for. Does nothing outside of the main thread, and leaves a signal
    that is ignored.
    """
    before = {}
    for number, made in _RAISE:
        known = signal.getsignal(number)
        if known in (signal.SIG_IGN, None):
            continue
        try:
            loop.add_signal_handler(number, _raise, made)
        except (NotImplementedError, RuntimeError, ValueError):
            continue
        before[number] = known
    try:
        yield
    finally:
        for number, known in before.items():
            loop.remove_signal_handler(number)
            signal.signal(number, known)


def _raise(made: Callable[[], BaseException]) -> None:
    raise made()
