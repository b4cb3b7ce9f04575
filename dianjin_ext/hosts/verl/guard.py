"""Call a reward function so that it can neither stop training nor go unnoticed.

verl's own managers wait for a reward for ever and lose the rollout when it raises. Here a call
has a limit of wall-clock time, and every way to fail has a name.

A call runs in a thread of its own, never in a pool: a thread that hangs cannot be ended from
outside, and a pool whose threads all hang would stop for good. One function cannot be guarded
against: C code that never gives up the interpreter lock (a regular expression that backtracks for
ever) stops the whole process; such a reward needs a process of its own.
"""

import asyncio
import ctypes
import inspect
import threading
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Self

from pydantic import Field

from dianjin_ext.rewards.policy import Model, build

__all__ = ["MAX_HUNG_CALLS", "Guard", "GuardSettings", "RewardFailure"]

MAX_HUNG_CALLS = 64
"""Threads left behind by hung calls, in one process, before further calls are refused."""


class RewardFailure(Exception):
    """A reward function that gave no usable score; `reason` is one short word for the curves."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class GuardSettings(Model):
    """The keys under `reward.reward_kwargs` of the reward manager `dianjin`.

    Attributes:
        timeout_s: Seconds of wall-clock time for one response, counted from the start of the call.
        failure_score: The score of a response whose reward function failed.
        max_concurrency: Calls that run at the same time in one of the `reward.num_workers`
            processes. Does not limit `async` reward functions.
    """

    timeout_s: float = Field(default=60.0, gt=0, strict=True)
    failure_score: float = Field(default=0.0, strict=True)
    max_concurrency: int = Field(default=32, gt=0, strict=True)

    @classmethod
    def from_config(cls, reward_kwargs: Mapping[str, Any] | None) -> Self:
        """Read and check the settings.

        Raises:
            DianjinError: A key is unknown or a value is out of range.
        """
        return build(cls, reward_kwargs or {}, "reward.reward_kwargs")


class Guard:
    """Calls one reward function, sync or async, within the limits of `settings`."""

    def __init__(self, function: Callable[..., Any], settings: GuardSettings) -> None:
        self.function = function
        self.settings = settings
        self._slots = asyncio.Semaphore(settings.max_concurrency)
        self._hung: list[threading.Thread] = []

    async def __call__(self, **arguments: Any) -> Any:
        """Return what the function returns; await it where it is awaitable.

        Raises:
            RewardFailure: The function raised, or was not done in time.
        """
        if inspect.iscoroutinefunction(self.function):
            return await self._await(self.function(**arguments))
        async with self._slots:
            result = await self._call_in_thread(arguments)
        # An object with an async `__call__`, or a lambda around a coroutine function.
        return await self._await(result) if inspect.isawaitable(result) else result

    async def _call_in_thread(self, arguments: dict[str, Any]) -> Any:
        self._hung = [thread for thread in self._hung if thread.is_alive()]
        if len(self._hung) >= MAX_HUNG_CALLS:
            raise RewardFailure("timeout", f"not called: {len(self._hung)} calls hang")

        loop = asyncio.get_running_loop()
        finished: asyncio.Future[tuple[bool, Any]] = loop.create_future()

        def settle(outcome: tuple[bool, Any]) -> None:
            if not finished.done():
                finished.set_result(outcome)

        def work() -> None:
            try:
                outcome = True, self.function(**arguments)
            except BaseException as error:  # also SystemExit: a reward must not end the process
                outcome = False, error
            if not loop.is_closed():
                loop.call_soon_threadsafe(settle, outcome)

        thread = threading.Thread(target=work, name="reward", daemon=True)
        thread.start()
        if not (await asyncio.wait({finished}, timeout=self.settings.timeout_s))[0]:
            finished.cancel()
            self._hung.append(thread)
            _ask_to_stop(thread)
            raise self._late()
        succeeded, value = finished.result()
        if succeeded:
            return value
        raise RewardFailure("error", f"{type(value).__name__}: {value}") from value

    async def _await(self, awaitable: Awaitable[Any]) -> Any:
        task = asyncio.ensure_future(awaitable)
        if not (await asyncio.wait({task}, timeout=self.settings.timeout_s))[0]:
            task.cancel()  # not awaited: it may swallow the cancellation
            task.add_done_callback(lambda late: late.cancelled() or late.exception())
            raise self._late()
        try:
            return task.result()
        except (Exception, asyncio.CancelledError) as error:
            raise RewardFailure("error", f"{type(error).__name__}: {error}") from error

    def _late(self) -> RewardFailure:
        limit = f"reward.reward_kwargs.timeout_s={self.settings.timeout_s:g}"
        return RewardFailure("timeout", f"not done within {limit}")


def _ask_to_stop(thread: threading.Thread) -> None:
    """Raise SystemExit in the thread: ends a loop in Python, but nothing that waits in C."""
    if thread.ident is not None:
        ctypes.pythonapi.PyThreadState_SetAsyncExc(
            ctypes.c_ulong(thread.ident), ctypes.py_object(SystemExit)
        )
