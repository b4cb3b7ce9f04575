"""What became of one question, and of all of them."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from dianjin_ext.errors import DianjinError
from dianjin_ext.inference.reply import Reply
from dianjin_ext.inference.request import Question, Request

__all__ = ["UNANSWERED", "Answer", "Outcome", "Tally", "Unanswered"]

Outcome = Literal[
    "answered",  # the model ended its reply
    "cut",  # at the limit of tokens
    "content_filter",  # the server's filter stopped it or refused the question
    "refused",  # HTTP 4xx: this request is not answered, however often it is asked
    "unreadable",  # no reply that can be read, after all attempts
    "unreachable",  # no reply, after all attempts
    "unasked",  # a budget was spent
]
UNANSWERED = frozenset(get_args(Outcome)[-3:])
"""Outcomes that are not recorded: the next run asks again."""

_NAMED = 5


@dataclass(frozen=True)
class Answer:
    """What became of one sample of a request.

    Attributes:
        request: What was asked.
        sample: Which sample, counted from 0.
        outcome: How it went.
        reply: The reply; None where there is none.
        error: Why there is none.
    """

    request: Request
    sample: int
    outcome: Outcome
    reply: Reply | None
    error: str | None = None

    def record(self, question: Question) -> dict[str, Any]:
        """Return what the journal keeps."""
        body = {k: v for k, v in question.payload.items() if k not in ("model", "messages")}
        return {
            "key": question.key,
            "row": self.request.row,
            "sample": self.sample,
            "round": self.request.round,
            "model": question.payload["model"],
            "options": body,
            "notes": dict(self.request.notes),
            "outcome": self.outcome,
            "error": self.error,
            "reply": None if self.reply is None else vars(self.reply),
        }

    @staticmethod
    def recorded(question: Question, record: dict[str, Any]) -> "Answer":
        """Return the answer that a record keeps."""
        reply = None if record["reply"] is None else Reply(**record["reply"])
        return Answer(question.request, question.sample, record["outcome"], reply, record["error"])


class Unanswered(DianjinError):
    """The run ended with rows that have no reply; the same command goes on with them."""


@dataclass
class Tally:
    """The counts of a run so far.

    Attributes:
        outcomes: Samples by outcome, those of the journal included.
        from_journal: Samples that were recorded before.
        requests: Requests sent, repetitions included.
        prompt_tokens: Of the replies that came in this run.
        completion_tokens: As above.
        cost: As above, by the prices of the settings.
        stopped: Why the run ended before its last row; None where it did not.
    """

    outcomes: Counter[Outcome] = field(default_factory=Counter)
    from_journal: int = 0
    requests: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float = 0.0
    stopped: str | None = None
    unanswered_rows: list[str] = field(default_factory=list)
    last_error: str | None = None

    @property
    def done(self) -> int:
        """Samples that are through, one way or another."""
        return self.outcomes.total()

    def add(self, answer: Answer) -> None:
        """Count an answer."""
        self.outcomes[answer.outcome] += 1
        if answer.outcome in UNANSWERED:
            self.last_error = answer.error
            if len(self.unanswered_rows) < _NAMED:
                self.unanswered_rows.append(answer.request.row)

    def check(self) -> None:
        """Raise where not every row has a reply.

        Raises:
            Unanswered: Names rows, the reason and what to do.
        """
        missing = sum(self.outcomes[outcome] for outcome in UNANSWERED)
        if not missing and self.stopped is None:
            return
        rows = ", ".join(self.unanswered_rows) + (", …" if missing > _NAMED else "")
        why = self.stopped or self.last_error
        named = f"{missing} questions have no reply ({rows})" if missing else "the run ended early"
        raise Unanswered(f"{named}: {why}; run the same command again to go on")
