"""Many questions to one model: in any number, at the server's pace, none lost."""

import asyncio
import sqlite3
from collections.abc import AsyncGenerator, Iterable
from pathlib import Path
from typing import Any, Final, Self

from tenacity import (
    AsyncRetrying,
    retry_if_exception_type,
    stop_after_attempt,
    wait_random_exponential,
)

from dianjin_ext.errors import DianjinError
from dianjin_ext.inference.accounts import open_account
from dianjin_ext.inference.answer import UNANSWERED, Answer, Outcome, Tally
from dianjin_ext.inference.blocks import Blocks, block_lease
from dianjin_ext.inference.client import Client, Endpoint
from dianjin_ext.inference.fast_json import dumps
from dianjin_ext.inference.faults import Refused, Spent, Transient
from dianjin_ext.inference.journal import Journal, SharedJournal
from dianjin_ext.inference.ledger import Limits
from dianjin_ext.inference.places import Places
from dianjin_ext.inference.replicas import Replicas
from dianjin_ext.inference.reply import Reply, read_reply
from dianjin_ext.inference.request import Question, Request, questions
from dianjin_ext.inference.settings import AskSettings
from dianjin_ext.inference.tokens import Expected
from dianjin_ext.inference.window import Window

__all__ = ["Asker"]

_back_off = wait_random_exponential(multiplier=0.5, max=30.0)  # seconds, with full jitter
_ALL_REFUSED: Final = 20
_OUTCOMES: Final[dict[str, Outcome]] = {"length": "cut", "content_filter": "content_filter"}


class Asker:
    """Asks one model, in one event loop; a context manager.

    Args:
        settings: Whom to ask, how fast, and for how much.
        journal: The file that keeps the replies, or what several processes share. What is in it is
            not asked again. It is closed at the end.
        role: What the settings stand under, for messages, such as `teacher`.

    Raises:
        DianjinError: The settings can't work on this machine, or the journal can't be used.
    """

    def __init__(
        self, settings: AskSettings, journal: Path | SharedJournal, *, role: str = "model"
    ) -> None:
        self.settings = settings
        self.tally = Tally()
        urls = settings.base_url if isinstance(settings.base_url, tuple) else [settings.base_url]
        key, keyless = settings.api_key_env, settings.keyless
        self._client = Replicas(
            [
                Client(Endpoint(role, settings.model, url, key, settings.timeout_s, keyless))
                for url in urls
            ]
        )
        self.places = Places(settings.max_in_flight)
        self._account = open_account(settings.state_dir, f"{role}.state_dir")
        limits = Limits(
            endpoint=self._client.url,
            max_concurrency=None,
            requests_per_minute=settings.requests_per_minute,
            lease_s=block_lease(settings.timeout_s),
            run=settings.run,
            budget=settings.budget_requests,
            tokens_per_minute=settings.tokens_per_minute,
        )
        self._expected = Expected(settings.tokens_per_minute)
        self._blocks = Blocks(self._account, limits)
        self._attempts = AsyncRetrying(
            retry=retry_if_exception_type(Transient),
            wait=lambda state: _back_off(state),
            stop=stop_after_attempt(settings.max_attempts),
            reraise=True,
        )
        self._flights: dict[str, asyncio.Future[Answer]] = {}
        self._failed_in_a_row = 0
        self._journal = Journal(journal) if isinstance(journal, Path) else journal

    async def __aenter__(self) -> Self:
        await self._count_spending(0, 0.0)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._blocks.close()
        await self._client.close()
        self._journal.__exit__()

    async def ask(
        self, requests: Iterable[Request], *, ordered: bool = False
    ) -> AsyncGenerator[Answer, None]:
        """Ask about rows and yield each sample's answer as it comes.

        Rows are taken from `requests` only as places get free, so there may be any number of them,
        and a slow reply holds up no other. Close the iterator (`aclosing`) to end early.

        Args:
            requests: Taken lazily, in the event loop: they should come fast.
            ordered: Yield in the order of `requests`. Up to `Window.ORDERED` answers wait on disk
                for an earlier one.

        Raises:
            DianjinError: The server refuses every request, or the journal can't be written.
        """
        most = self.settings.max_in_flight
        async with Window(most, self._recorded if ordered else None) as window:
            window.fill(self._answers(requests))
            async for answer in window:
                yield answer

    async def one(self, question: Question) -> Answer:
        """Ask one question, or return what the journal has; see `ask`."""
        if (record := self._journal.get(question.key)) is not None:
            answer = Answer.recorded(question, record)
            self.tally.from_journal += 1
        elif (flight := self._flights.get(question.key)) is not None:
            answer = await asyncio.shield(flight)
        else:
            answer = await self._first(question)
        self.tally.add(answer)
        return answer

    def _answers(self, requests: Iterable[Request]) -> Any:
        for request in requests:
            for question in questions(request, self.settings.model, self.settings.options):
                if self.tally.stopped is not None and question.key not in self._journal:
                    return
                yield question, self.one

    def _recorded(self, question: Question) -> Answer | None:
        record = self._journal.get(question.key)
        return None if record is None else Answer.recorded(question, record)

    async def _first(self, question: Question) -> Answer:
        """Fetch an answer; who asks the same meanwhile gets it, or what went wrong, too."""
        flight = self._flights[question.key] = asyncio.get_running_loop().create_future()
        try:
            answer = await self._fetch(question)
        except asyncio.CancelledError:
            flight.cancel()
            raise
        except BaseException as error:
            flight.set_exception(error)
            flight.exception()  # told here, also where nobody else waits for it
            raise
        finally:
            del self._flights[question.key]
        flight.set_result(answer)
        return answer

    async def _fetch(self, question: Question) -> Answer:
        request, sample = question.request, question.sample
        if self.tally.stopped is not None:
            return Answer(request, sample, "unasked", None, self.tally.stopped)
        try:
            answer = await self._attempted(question)
        except Refused as error:
            refusal: Outcome = "content_filter" if error.filtered else "refused"
            answer = Answer(request, sample, refusal, None, str(error))
            self._record(question, answer)
        except Transient as error:
            failure: Outcome = "unreadable" if error.unreadable else "unreachable"
            answer = Answer(request, sample, failure, None, str(error))
        except Spent as error:
            self._stop(str(error))
            return Answer(request, sample, "unasked", None, str(error))
        except sqlite3.Error as error:
            raise DianjinError(
                f"state_dir: the counts can't be written ({error}); is its disk full?"
            ) from error
        except DianjinError as error:  # such as a wrong key: those in line aren't sent any more
            self._stop(str(error))
            raise
        self._watch(answer)
        return answer

    async def _attempted(self, question: Question) -> Answer:
        try:
            return await self._attempt(question)  # nearly always all it takes
        except Transient as error:
            failed: list[Transient] = [error]

        async def again() -> Answer:
            if failed:  # counts as the first attempt
                raise failed.pop()
            return await self._attempt(question)

        answer: Answer = await self._attempts.copy()(again)
        return answer

    def _record(self, question: Question, answer: Answer) -> None:
        line = dumps(answer.record(question)).decode()
        self._journal.put(question.key, self._client.without_key(line))

    async def _attempt(self, question: Question) -> Answer:
        taken = await self.places.take()
        replied = crowded = False
        try:
            if self.tally.stopped is not None:
                raise Spent(self.tally.stopped)
            tokens = unused = self._expected.most(question.payload)
            block = await self._blocks.take(tokens)
            try:
                self.tally.requests += 1
                unused = 0  # whatever becomes of it, the server may have worked on it
                body = await self._client.post("/chat/completions", question.payload)
                replied = True
                reply = read_reply(body, self._client.without_key)
                unused = tokens - self._expected.took(question.payload, reply)
                outcome = _OUTCOMES.get(reply.finish_reason, "answered")
                answer = Answer(question.request, question.sample, outcome, reply)
                self._record(question, answer)  # before anything else is awaited
                await self._count(reply)
                return answer
            except Transient as error:
                crowded = error.crowded
                unused = tokens if crowded else 0
                if error.retry_after:
                    self.places.pause(error.retry_after)
                    await self._account.pause(self._client.url, error.retry_after)
                raise
            finally:
                await self._blocks.give(block, unused)
        finally:
            self.places.give(taken, replied=replied, crowded=crowded)

    async def _count(self, reply: Reply) -> None:
        self.tally.prompt_tokens += reply.prompt_tokens
        self.tally.completion_tokens += reply.completion_tokens
        prices = self.settings.prices
        cost = prices.cost(reply.prompt_tokens, reply.completion_tokens) if prices else 0.0
        self.tally.cost += cost
        tokens = reply.prompt_tokens + reply.completion_tokens
        if not tokens and (self.settings.budget_tokens or self.settings.budget_money):
            self._stop("the server counts no tokens, so no budget of tokens or money can be kept")
        await self._count_spending(tokens, cost)

    async def _count_spending(self, tokens: int, cost: float) -> None:
        most_tokens, most_money = self.settings.budget_tokens, self.settings.budget_money
        if self.settings.run is None or (most_tokens is None and most_money is None):
            return
        all_tokens, all_money = await self._account.spend(self.settings.run, tokens, cost)
        run = f"of the run {self.settings.run!r} are spent"
        if most_tokens is not None and all_tokens >= most_tokens:
            self._stop(f"budget_tokens: the {most_tokens} tokens {run}")
        if most_money is not None and all_money >= most_money:
            self._stop(f"budget_money: the {most_money:g} {run}")

    def _watch(self, answer: Answer) -> None:
        """End a run that leads nowhere."""
        if answer.outcome not in UNANSWERED:
            self._failed_in_a_row = 0
        else:
            self._failed_in_a_row += 1
            if self._failed_in_a_row >= self.settings.give_up_after:
                rows = self._failed_in_a_row
                self._stop(f"the last {rows} questions stayed without a reply: {answer.error}")
        counts = self.tally.outcomes
        refused = counts["refused"] + (answer.outcome == "refused")
        if answer.outcome == "refused" and _ALL_REFUSED <= refused == counts.total() + 1:
            raise DianjinError(
                f"the first {refused} requests were all refused: {answer.error}; "
                "check the model's options and the length of the prompts"
            )

    def _stop(self, why: str) -> None:
        self.tally.stopped = self.tally.stopped or why
