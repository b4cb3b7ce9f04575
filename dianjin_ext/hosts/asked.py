"""Tasks of `dianjin eval` in hosts that ask the questions themselves: what is common to them."""

import asyncio
import atexit
import threading
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final, NamedTuple

from dianjin_ext.errors import DianjinError
from dianjin_ext.evaluation.command import load_models
from dianjin_ext.evaluation.models import Models, open_models
from dianjin_ext.evaluation.result import Results
from dianjin_ext.evaluation.standing import standing
from dianjin_ext.evaluation.task import MODEL, Row, Task, unit
from dianjin_ext.hosts.whole_text import Message, refused, whole_text
from dianjin_ext.inference.answer import Answer, Outcome
from dianjin_ext.inference.asking import NoReply
from dianjin_ext.inference.asking import Row as Asked
from dianjin_ext.inference.reply import Reply, split_thinking
from dianjin_ext.inference.request import Request
from dianjin_ext.questions.question import Question
from dianjin_ext.rewards.judge.settings import JudgeSettings, read_judge

__all__ = ["TEXTS", "HostGrading", "Said", "judge_of", "label", "options_of", "questions_of"]

TEXTS: Final = frozenset({"messages", "question", "choices", "response"})
"""Fields of a graded row that stand in the hosts' own files already."""

_OUTCOMES: Final[dict[str, Outcome]] = {"length": "cut", "content_filter": "content_filter"}
_FINISHES: Final = {"max_tokens": "length", "model_length": "length"}  # the hosts' words


def questions_of(task: Task, host: str) -> list[Question]:
    """Return the questions of a task, for a host that asks each by itself.

    Raises:
        DianjinError: A file can't be read, or the protocol shows the model its earlier answers.
    """
    units = list(task.units())
    if any(len(asked) > 1 for asked in units):
        raise DianjinError(
            f"{task.protocol} shows the model its own earlier answers, but {host} asks each "
            "question by itself; take a protocol with `history: given`, or `dianjin eval`"
        )
    return [question for asked in units for question in asked]


def options_of(task: Task, sample: int) -> dict[str, Any]:
    """Return what a request says beside its messages; samples, counted from 0, differ in seed."""
    options = task.options
    if "seed" in options:
        options["seed"] += sample
    return options


def judge_of(file: Path | None, host: str) -> JudgeSettings | None:
    """Return the judge of a file as `dianjin eval --settings` takes it; None where it names none.

    Raises:
        DianjinError: Something in it is wrong, or it says how the model is asked.
    """
    given = load_models(file)
    if given.get("model") is not None:
        raise DianjinError(f"{file}: model: {host} asks the model itself; leave this key out")
    return None if given.get("judge") is None else read_judge(given["judge"])


def label(task: Task, *, judged: bool) -> str:
    """Return what the numbers of a task may be called: the protocol, if nothing differs."""
    found = standing(task.protocol, task.departures, task.rules, Results(1), judged=judged)
    return str(found["label"])


class Said(NamedTuple):
    """A reply as a host has it.

    Attributes:
        model: Who said it.
        message: What was said.
        stop_reason: Why it ended, in the host's words.
        prompt_tokens: As the server counts them.
        completion_tokens: As above.
    """

    model: str
    message: Message
    stop_reason: str
    prompt_tokens: int = 0
    completion_tokens: int = 0

    def answer(self, question: Question, sample: int) -> Answer:
        """Return it as `dianjin eval` would have it."""
        request = Request(question.id, ())
        if (refusal := refused(self.message)) is not None:
            outcome, error = refusal
            return Answer(request, sample, outcome, None, error)
        finish = _FINISHES.get(self.stop_reason, self.stop_reason)
        text = whole_text(self.message)
        parts = split_thinking(text) or (Reply.opening, None, Reply.closing, text)
        opening, thinking, closing, content = parts
        reply = Reply(
            content,
            thinking,
            finish,
            prompt_tokens=self.prompt_tokens,
            completion_tokens=self.completion_tokens,
            opening=opening,
            closing=closing,
        )
        return Answer(request, sample, _OUTCOMES.get(finish, "answered"), reply)


class HostGrading:
    """Grades the replies to the questions of a task; thread-safe.

    Args:
        task: What is asked.
        out: Folder for what a judge says.
        judge: Who decides where protocol or rules leave it to a judge.

    Raises:
        DianjinError: The judge can't be asked on this machine.
    """

    def __init__(self, task: Task, out: Path, judge: JudgeSettings | None = None) -> None:
        self._task = task
        # a judge belongs to one event loop, and hosts call from threads
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        self._stack = AsyncExitStack()
        self._models = self._wait(self._open(out, judge))
        self._grading = self._models.grading(task.rules)
        atexit.register(self.close)

    def row(self, question: Question, sample: int, said: Said) -> Row:
        """Return the line of `responses/*.jsonl` that `dianjin eval` writes for a reply.

        Args:
            question: The question.
            sample: Which of its replies, counted from 0.
            said: The reply.

        Raises:
            DianjinError: The judge can't be asked; says nothing about the reply.
        """
        asking = _Given(self._models, said, said.answer(question, sample))
        try:
            (row,) = self._wait(unit(self._task, [question], asking, self._grading))
        except NoReply as error:
            raise DianjinError(f"{error}; run the same command again to go on") from None
        return dict(row)

    def close(self) -> None:
        """Close the connections; nothing can be graded any more."""
        atexit.unregister(self.close)
        if self._loop.is_running():
            self._wait(self._stack.aclose())
            self._loop.call_soon_threadsafe(self._loop.stop)

    async def _open(self, out: Path, judge: JudgeSettings | None) -> Models:
        models = open_models([self._task.rules], out, judge=judge)
        return await self._stack.enter_async_context(models)

    def _wait(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()


class _Given(Asked):
    """The one reply that a host has got to a question, and the models that a judge asks."""

    def __init__(self, models: Models, said: Said, answer: Answer) -> None:
        super().__init__(models.askers)
        self._said, self._answer = said, answer

    async def samples(self, role: str, request: Request) -> list[Answer]:
        """See `Asking.samples`."""
        return [self._answer] if role == MODEL else await super().samples(role, request)

    def model(self, role: str) -> str:
        """See `Asking.model`."""
        return self._said.model if role == MODEL else super().model(role)
