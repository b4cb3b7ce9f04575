"""One benchmark under one protocol: which questions are asked, and what becomes of each."""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

from dianjin_ext.evaluation.benchmarks.base import Benchmark, Source, questions
from dianjin_ext.evaluation.benchmarks.counting import Survey
from dianjin_ext.evaluation.benchmarks.subset import Subset
from dianjin_ext.evaluation.grading import Grading
from dianjin_ext.evaluation.protocol import Rules, Sampling
from dianjin_ext.inference.answer import Answer
from dianjin_ext.inference.asking import Asking
from dianjin_ext.inference.request import Request
from dianjin_ext.questions.question import Question, Turn

__all__ = ["MODEL", "Task", "unit"]

MODEL = "model"
"""The role of the model that is evaluated."""

Row = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A benchmark under a protocol.

    Attributes:
        benchmark: What is asked.
        source: Its files, or its name on the hub.
        found: What they hold.
        subset: Which of their questions are asked.
        protocol: Its name.
        rules: What it says of the benchmark.
        sampling: How replies are sampled: as the protocol says, or as the user does.
        seed: Of the sampling.
        departures: In what this differs from the protocol, each in a few words.
    """

    benchmark: Benchmark
    source: Source
    found: Survey
    subset: Subset
    protocol: str
    rules: Rules
    sampling: Sampling
    seed: int
    departures: tuple[str, ...]

    @property
    def name(self) -> str:
        """Name of its file of responses, without the ending."""
        return f"{self.benchmark.name.replace(':', '-').replace('/', '-')}.{self.protocol}"

    @property
    def options(self) -> dict[str, Any]:
        """What a request says beside its messages."""
        options: dict[str, Any] = {
            "temperature": self.sampling.temperature,
            "max_tokens": self.sampling.max_tokens,
        }
        if self.sampling.temperature > 0:
            options |= {"top_p": self.sampling.top_p, "seed": self.seed}
        return options

    def units(self) -> Iterator[list[Question]]:
        """Yield what is asked together: a question, or all turns of a conversation.

        That is where the model's own answers are shown.
        """
        asked = self.subset.of(questions(self.benchmark, self.source, split=self.found.split))
        if self.rules.history == "given":
            yield from ([question] for question in asked)
            return
        numbered = enumerate(asked)
        for _, turns in groupby(
            numbered, lambda each: self.benchmark.conversation(each[1]) or each[0]
        ):
            yield [question for _, question in turns]


async def unit(task: Task, asked: list[Question], asking: Asking, grading: Grading) -> list[Row]:
    """Ask the questions of a unit and grade the replies; returns the rows question by question.

    Raises:
        NoReply: A question, or the judge, has no reply.
    """
    if len(asked) == 1:
        question = asked[0]
        samples = task.sampling.samples
        request = Request(
            question.id, task.rules.messages(question), samples=samples, options=task.options
        )
        graded = [
            _row(task, question, request, answer, asking, grading)
            for answer in await asking.samples(MODEL, request)
        ]
        return [await graded[0]] if samples == 1 else await asyncio.gather(*graded)
    chains = await asyncio.gather(
        *(_chain(task, asked, sample, asking, grading) for sample in range(task.sampling.samples))
    )
    return [row for of_question in zip(*chains, strict=True) for row in of_question]


async def _chain(
    task: Task, asked: list[Question], sample: int, asking: Asking, grading: Grading
) -> list[Row]:
    """Ask the turns of a conversation one after another; each shows the answers before it."""
    rows: list[Row] = []
    options = task.options
    if "seed" in options:
        options["seed"] += sample
    own: dict[str, str] = {}
    for question in asked:
        turns = tuple(Turn(turn.question, own.get(turn.question, "")) for turn in question.turns)
        shown = replace(question, turns=turns)
        request = Request(f"{question.id}#{sample}", task.rules.messages(shown), options=options)
        answer = replace(await asking.one(MODEL, request), sample=sample)
        row = await _row(task, question, request, answer, asking, grading)
        own[question.question] = row["pred"]
        rows.append(row)
    return rows


async def _row(
    task: Task,
    question: Question,
    request: Request,
    answer: Answer,
    asking: Asking,
    grading: Grading,
) -> Row:
    reply = answer.reply
    text = reply.text if reply is not None else ""
    graded: Mapping[str, Any] = await grading.grade(question, answer, asking)
    return {
        "id": question.id,
        "benchmark": task.benchmark.name,
        "protocol": task.protocol,
        "model": asking.model(MODEL),
        "sample": answer.sample,
        "data_source": question.data_source,
        "kind": question.kind,
        "category": task.benchmark.category(question),
        "conversation": task.benchmark.conversation(question),
        "language": question.language,
        "messages": list(request.messages),
        **question.extra_info,
        "ground_truth": question.answer,
        "response": text,
        "finish_reason": reply.finish_reason if reply is not None else "",
        "outcome": answer.outcome,
        "error": answer.error or "",
        "prompt_tokens": reply.prompt_tokens if reply is not None else 0,
        "completion_tokens": reply.completion_tokens if reply is not None else 0,
        **graded,
    }
