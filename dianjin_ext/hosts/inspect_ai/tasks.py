"""One task for all benchmarks: prompts, sampling and verdicts are those of `dianjin eval`."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from anyio import to_thread
from inspect_ai import Epochs, task
from inspect_ai import Task as HostTask
from inspect_ai._util.registry import registry_name
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import ChatMessage, ChatMessageSystem, ChatMessageUser
from inspect_ai.scorer import Score, Scorer, Target, accuracy, scorer, stderr
from inspect_ai.solver import Generate, Solver, TaskState, solver

from dianjin_ext.evaluation.benchmarks import BENCHMARKS
from dianjin_ext.evaluation.benchmarks.base import OWN
from dianjin_ext.evaluation.plan import Choices, plan
from dianjin_ext.evaluation.task import Task
from dianjin_ext.hosts.asked import (
    TEXTS,
    HostGrading,
    Said,
    judge_of,
    label,
    options_of,
    questions_of,
)
from dianjin_ext.questions.question import Question
from dianjin_ext.rewards.judge.settings import JudgeSettings
from dianjin_ext.rewards.policy import build

__all__ = ["TASKS"]

_HOST: Final = "inspect-ai"
_PACKAGE: Final = "dianjin_ext"  # the name of the entry point too
_MESSAGES: Final = {"system": ChatMessageSystem, "user": ChatMessageUser}


def _benchmark(
    name: str,
    data: str | Sequence[str] = (),
    protocol: str = "dianjin_r1",
    map: str | None = None,
    settings: str | None = None,
    **choices: Any,
) -> HostTask:
    """Return a benchmark under a protocol.

    Args:
        name: Of the benchmark, as in `dianjin eval`.
        data: Its published files or their folder.
        protocol: A name, or a file.
        map: With `own:NAME`: which column is what.
        settings: A file that names a judge.
        choices: Fields of `dianjin_ext.evaluation.plan.Choices`.

    Raises:
        DianjinError: A name is not known, or a file can't be used.
    """
    (planned,) = plan(
        [name],
        [protocol],
        data=[data] if isinstance(data, str) else data,
        mapping=None if map is None else Path(map),
        choices=build(Choices, choices, "-T"),
    )
    judge = judge_of(None if settings is None else Path(settings), _HOST)
    questions = {each.id: each for each in questions_of(planned, _HOST)}
    samples = planned.sampling.samples
    return HostTask(
        dataset=MemoryDataset([_sample(planned, each) for each in questions.values()], name=name),
        solver=_asked(planned),
        scorer=_graded(planned, questions, judge),
        epochs=Epochs(samples, ["mean", f"pass_at_{samples}"] if samples > 1 else "mean"),
        metadata={"protocol": label(planned, judged=judge is not None)},
    )


def _sample(planned: Task, question: Question) -> Sample:
    messages: list[ChatMessage] = [
        _MESSAGES[each["role"]](content=each["content"])
        for each in planned.rules.messages(question)
    ]
    metadata = {"category": planned.benchmark.category(question), "kind": question.kind}
    return Sample(messages, target=question.answer or "", id=question.id, metadata=metadata)


def _asked(planned: Task) -> Solver:
    @solver(name="asked")
    def asked() -> Solver:
        async def solve(state: TaskState, generate: Generate) -> TaskState:
            return await generate(state, **options_of(planned, state.epoch - 1))

        return solve

    return asked()


def _graded(planned: Task, questions: dict[str, Question], judge: JudgeSettings | None) -> Scorer:
    grading: HostGrading | None = None

    @scorer(name="graded", metrics=[accuracy(), stderr()])
    def graded() -> Scorer:
        async def score(state: TaskState, target: Target) -> Score:
            nonlocal grading
            if grading is None:
                out = Path(os.environ.get("INSPECT_LOG_DIR", "logs")) / "dianjin"
                grading = HostGrading(planned, out, judge)
            output, usage = state.output, state.output.usage
            tokens = (usage.input_tokens, usage.output_tokens) if usage else (0, 0)
            model = state.model.name
            said = Said(model, output.message, output.stop_reason, *tokens)
            question = questions[str(state.sample_id)]
            row = await to_thread.run_sync(grading.row, question, state.epoch - 1, said)
            return Score(
                value=row["acc"],
                answer=row["pred"],
                explanation=row["reason"],
                metadata={name: value for name, value in row.items() if name not in TEXTS},
            )

        return score

    return graded()


def _task(name: str) -> Callable[..., HostTask]:
    def benchmark(
        data: str | Sequence[str] = (),
        protocol: str = "dianjin_r1",
        name: str = name,
        map: str | None = None,
        settings: str | None = None,
        split: str | None = None,
        limit: int | None = None,
        samples: int | None = None,
        seed: int = 0,
        temperature: float | None = None,
        top_p: float | None = None,
        max_tokens: int | None = None,
    ) -> HostTask:
        return _benchmark(**locals())

    # a checkout on PYTHONPATH hides from inspect-ai that this is an installed package
    prefix = "" if registry_name(benchmark, name) == f"{_PACKAGE}/{name}" else f"{_PACKAGE}/"
    registered: Callable[..., HostTask] = task(name=f"{prefix}{name}")(benchmark)
    return registered


TASKS: Final = {name: _task(name) for name in (*BENCHMARKS, OWN)}
"""The tasks by name."""
