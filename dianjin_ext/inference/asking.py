"""The models that a step asks about one row, and what that took."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeVar

from dianjin_ext.errors import DianjinError
from dianjin_ext.inference.answer import UNANSWERED, Answer
from dianjin_ext.inference.reply import Reply
from dianjin_ext.inference.request import Request, questions

if TYPE_CHECKING:
    from dianjin_ext.inference.asker import Asker

T = TypeVar("T")

_APART = 1_000_003
TRIES = 3
"""How often a model is asked that doesn't reply in the form asked for."""


class NoReply(Exception):
    """A question has no reply; says nothing about the row, which is left for another run."""


class Spent(NamedTuple):
    """What replies took, those of the journal included.

    Attributes:
        model: The name of the model.
        replies: How many came.
        prompt_tokens: As the server counts them.
        completion_tokens: As the server counts them, thinking included.
        cost: By the prices of the settings; 0 without.
    """

    model: str
    replies: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float = 0.0

    def plus(self, other: "Spent") -> "Spent":
        """Return the sum."""
        return Spent(
            self.model,
            self.replies + other.replies,
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
            self.cost + other.cost,
        )


class Asking(Protocol):
    """How a step asks its models about one row."""

    async def samples(self, role: str, request: Request) -> list[Answer]:
        """Return the answer to each sample of a request, in order.

        Raises:
            NoReply: One has none.
        """

    async def one(self, role: str, request: Request) -> Answer:
        """Return the answer to a request of one sample."""
        return (await self.samples(role, request))[0]

    def model(self, role: str) -> str:
        """Return the name of a model."""

    def has(self, role: str) -> bool:
        """Return whether there is a model in a role."""


class Row(Asking):
    """The questions about one row.

    Args:
        askers: By role.
    """

    def __init__(self, askers: "Mapping[str, Asker]") -> None:
        self._askers = askers
        self.spent: dict[str, Spent] = {}

    async def samples(self, role: str, request: Request) -> list[Answer]:
        """See `Asking.samples`; the run's own options replace those of a step."""
        asker = self._asker(role)
        settings = asker.settings
        if settings.options:
            request = replace(request, options={**request.options, **settings.options})
        asked = list(questions(request, settings.model, {}))
        if len(asked) == 1:  # as a rule; no task of its own
            answers = [await asker.one(asked[0])]
        else:
            answers = await asyncio.gather(*map(asker.one, asked))
        total = self.spent.get(role, Spent(settings.model))
        for answer in answers:
            if answer.outcome in UNANSWERED:
                unasked = answer.outcome == "unasked"
                raise NoReply(str(answer.error) if unasked else f"{answer.outcome}: {answer.error}")
            if (reply := answer.reply) is not None:
                tokens = reply.prompt_tokens, reply.completion_tokens
                cost = settings.prices.cost(*tokens) if settings.prices else 0.0
                total = total.plus(Spent(settings.model, 1, *tokens, cost))
        self.spent[role] = total
        return answers

    def model(self, role: str) -> str:
        """Return the name of a model."""
        return self._asker(role).settings.model

    def has(self, role: str) -> bool:
        """Return whether there is a model in a role."""
        return role in self._askers

    def _asker(self, role: str) -> "Asker":
        if role not in self._askers:
            raise DianjinError(f"the step asks a model in the role {role!r}; name one")
        return self._askers[role]


async def in_form(
    asking: Asking, role: str, request: Request, read: Callable[[str], T | None]
) -> T | None:
    """Ask until the reply has the form asked for, `TRIES` times at most.

    Repetitions are other rounds of the request.

    Args:
        asking: Whom to ask.
        role: Whom of them.
        request: Of one sample, in a round that is a multiple of `TRIES`.
        read: Returns what a reply says; None where it hasn't the form.

    Returns:
        None where no reply had the form, or none came.
    """
    for again in range(TRIES):
        # at temperature 0, or with the seed it had, the same words would come again
        seed = request.options.get("seed", 0) + again * _APART
        other = {"temperature": 0.7, "seed": seed} if again else {}
        options = {**request.options, **other}
        asked = replace(request, round=request.round + again, options=options)
        answer = await asking.one(role, asked)
        reply: Reply | None = answer.reply
        if reply is None or answer.outcome != "answered" or "<think>" in reply.content:
            continue  # cut, or thinking that doesn't end: what looks like the form may be a draft
        if (found := read(reply.content)) is not None:
            return found
    return None
