"""The judge: from an answer to a verdict, whatever the network does."""

import asyncio
import logging
import sqlite3
from collections import Counter

from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception_type,
    stop_after_attempt,
    stop_before_delay,
    wait_random_exponential,
)

from dianjin_ext.inference.accounts import open_account
from dianjin_ext.inference.faults import Outage, Transient, Unclear
from dianjin_ext.inference.ledger import Limits
from dianjin_ext.inference.limiter import Limiter
from dianjin_ext.rewards.judge.cache import VerdictCache, cache_key
from dianjin_ext.rewards.judge.client import JudgeClient
from dianjin_ext.rewards.judge.prompt import PROMPT_VERSION, Verdict
from dianjin_ext.rewards.judge.settings import JudgeSettings

__all__ = ["Judge"]

logger = logging.getLogger(__name__)

_LEASE_MARGIN_S = 5.0  # for an event loop that is busy when a call times out
_back_off = wait_random_exponential(multiplier=0.5, max=15.0)  # seconds, with full jitter


class Judge:
    """Judges answers in one event loop.

    Args:
        settings: Whom to ask, and how.
        router: `HOST:PORT` of verl's reward-model router, where there is one.

    Raises:
        DianjinError: The settings can't work on this machine.
    """

    def __init__(self, settings: JudgeSettings, router: str | None = None) -> None:
        self.settings = settings
        self._client = JudgeClient(settings, router)
        self._cache = VerdictCache(
            settings.cache_dir, claim_s=settings.deadline_s + _LEASE_MARGIN_S
        )
        limits = Limits(
            endpoint=self._client.url,
            max_concurrency=settings.max_concurrency,
            requests_per_minute=settings.requests_per_minute,
            lease_s=settings.timeout_s + _LEASE_MARGIN_S,
            run=settings.run,
            budget=settings.budget,
        )
        self._limiter = Limiter(open_account(settings.cache_dir, "judge.cache_dir"), limits)
        self._made_by = [settings.kind, settings.model, PROMPT_VERSION]
        if settings.kind == "classifier":
            self._made_by += [settings.template or "", str(settings.threshold)]
        self._flights: dict[str, asyncio.Task[Verdict | None]] = {}
        self._faults: Counter[str] = Counter()

    async def decide(self, question: str, gold: str, answer: str) -> Verdict | None:
        """Return whether `answer` says what `gold` says; None where no reply can be read.

        Equal texts are asked about once: the verdict is kept on disk, and whoever comes meanwhile
        waits for it, also in another process of this machine.

        Raises:
            Outage: There is no verdict to be had; says nothing about the answer.
            DianjinError: The endpoint refuses every request.
        """
        key = cache_key(*self._made_by, question, gold, answer)
        flight = self._flights.get(key)
        if flight is None:
            flight = asyncio.create_task(self._in_time(key, question, gold, answer))
            self._flights[key] = flight
            flight.add_done_callback(lambda done: self._landed(key, done))
        # A caller that gives up must not take the verdict from the others.
        return await asyncio.shield(flight)

    async def close(self) -> None:
        """Close the connections; it can be asked again."""
        await self._client.close()

    def _landed(self, key: str, flight: asyncio.Task[Verdict | None]) -> None:
        del self._flights[key]
        error = None if flight.cancelled() else flight.exception()
        if error is not None:
            kind = type(error).__name__
            self._faults[kind] += 1
            if not self._faults[kind] & (self._faults[kind] - 1):  # the 1st, 2nd, 4th, 8th …
                logger.warning(
                    "No verdict from the judge: %s (number %d in this process)",
                    error,
                    self._faults[kind],
                )

    async def _in_time(self, key: str, question: str, gold: str, answer: str) -> Verdict | None:
        try:
            async with asyncio.timeout(self.settings.deadline_s):
                if found := self._cache.get(key):
                    return found
                async with self._cache.fetching(key) as found:
                    return found or await self._fetch(key, question, gold, answer)
        except TimeoutError:
            raise Outage(
                f"no verdict within judge.deadline_s={self.settings.deadline_s:g}, with queueing"
            ) from None
        except sqlite3.Error as error:
            raise Outage(f"judge.cache_dir: {error}") from error

    async def _fetch(self, key: str, question: str, gold: str, answer: str) -> Verdict | None:
        attempts = AsyncRetrying(
            retry=retry_if_exception_type((Transient, Unclear)),
            wait=_wait,
            stop=stop_after_attempt(self.settings.max_attempts)
            | stop_before_delay(self.settings.deadline_s),
            reraise=True,
        )
        try:
            verdict: Verdict = await attempts(self._attempt, question, gold, answer)
        except Unclear as error:
            logger.info("The judge's reply can't be read: %s", error)
            return None  # not kept: another time it may be
        self._cache.put(key, verdict)
        return verdict

    async def _attempt(self, question: str, gold: str, answer: str) -> Verdict:
        try:
            async with self._limiter.place():
                return await self._client.ask(question, gold, answer)
        except Transient as error:
            if error.retry_after:
                await self._limiter.pause(error.retry_after)
            raise


def _wait(state: RetryCallState) -> float:
    """Return the seconds before the next attempt."""
    error = state.outcome.exception() if state.outcome else None
    if isinstance(error, Unclear):
        return 0.0
    asked_for = error.retry_after if isinstance(error, Transient) else None
    return (asked_for or 0.0) + _back_off(state)
