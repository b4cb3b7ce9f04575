"""Tasks at work: their questions are asked, the replies graded, counted and written."""

import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from dianjin_ext.errors import DianjinError
from dianjin_ext.evaluation.grading import Grading
from dianjin_ext.evaluation.models import open_models
from dianjin_ext.evaluation.result import Results
from dianjin_ext.evaluation.standing import options_apart, standing
from dianjin_ext.evaluation.task import MODEL, Row, Task, unit
from dianjin_ext.files import replacing
from dianjin_ext.inference.answer import Unanswered
from dianjin_ext.inference.asking import NoReply, Spent
from dianjin_ext.inference.asking import Row as Asked
from dianjin_ext.inference.in_order import in_order
from dianjin_ext.inference.settings import AskSettings
from dianjin_ext.questions.question import Question
from dianjin_ext.rewards.judge.settings import JudgeSettings

if TYPE_CHECKING:
    from dianjin_ext.inference.asker import Asker

__all__ = ["results_of"]

_BUFFER: Final = 1 << 18  # bytes
_AHEAD: Final = 2  # questions under way for each request that may be


@dataclass
class _Done:
    """What became of a unit: its rows, or why there are none."""

    rows: list[Row] = field(default_factory=list)
    spent: dict[str, Spent] = field(default_factory=dict)
    error: str | None = None


async def results_of(
    tasks: Sequence[Task], model: AskSettings, judge: JudgeSettings | None, out: Path
) -> AsyncGenerator[dict[str, Any], None]:
    """Yield the result of each task; see `dianjin_ext.evaluation.run.evaluate`."""
    rules = [task.rules for task in tasks]
    async with open_models(rules, out, model=model, judge=judge) as models:
        for task in tasks:
            yield await _result(task, models.askers, models.grading(task.rules), judge, out)


async def _result(
    task: Task,
    askers: "Mapping[str, Asker]",
    grading: Grading,
    judge: JudgeSettings | None,
    out: Path,
) -> dict[str, Any]:
    started = time.monotonic()
    path = out / "responses" / f"{task.name}.jsonl"
    results, spent = Results(task.sampling.samples), dict[str, Spent]()
    known = askers[MODEL].tally.from_journal
    with replacing(path) as temporary:
        error = await _written(task, askers, grading, results, spent, temporary)
        if error is not None:
            raise Unanswered(
                f"{task.name}: {results.questions:,} of {task.subset.questions:,} questions are "
                f"answered and graded: {error}; run the same command again to go on"
            )
        if results.outcomes["refused"] == results.questions * results.samples:
            why = results.errors["refused"]
            raise DianjinError(f"{task.name}: every request was refused: {why}")
    found, asked = results.summary(), askers[MODEL].settings
    differs = [*task.departures, *options_apart(task.sampling, asked.options)]
    if judge is not None and found["judge"] is not None:
        found["judge"] |= {"model": judge.model, "kind": judge.kind}
    return {
        "benchmark": task.benchmark.name,
        "protocol": task.protocol,
        **standing(task.protocol, differs, task.rules, results, judged=judge is not None),
        "model": asked.model,
        **found,
        "split": task.found.split,
        "rows": {
            "file": task.found.questions,
            "used": task.subset.questions,
            "without_gold": task.found.without_gold,
            "bad": task.found.bad,
        },
        "files": [str(task.source)]
        if isinstance(task.source, str)
        else [file.name for file in task.source],
        "sampling": {**task.sampling.model_dump(), "seed": task.seed, **asked.options},
        "grading": task.rules.grading,
        "spent": {role: its._asdict() for role, its in sorted(spent.items())},
        "rules": task.rules.digest,
        "from_journal": askers[MODEL].tally.from_journal - known,
        "seconds": round(time.monotonic() - started, 1),
        "responses": path.relative_to(out).as_posix(),
    }


async def _written(
    task: Task,
    askers: "Mapping[str, Asker]",
    grading: Grading,
    results: Results,
    spent: dict[str, Spent],
    path: Path,
) -> str | None:
    """Write the rows of a task to `path` and count them; returns why some are missing."""
    from dianjin_ext.inference.fast_json import dumps
    from dianjin_ext.inference.telling import telling

    async def work(asked: list[Question]) -> _Done:
        asking = Asked(askers)
        try:
            return _Done(await unit(task, asked, asking, grading), asking.spent)
        except NoReply as error:
            return _Done(spent=asking.spent, error=str(error))

    missing = None
    width = max(1, _AHEAD * askers[MODEL].settings.max_in_flight)
    with path.open("wb", buffering=_BUFFER) as file:
        async with (
            telling(task.name, askers, task.subset.questions) as told,
            aclosing(in_order(task.units(), work, width=width)) as units,
        ):
            async for done in units:
                for role, its in done.spent.items():
                    spent[role] = spent.get(role, Spent(its.model)).plus(its)
                missing = done.error or missing
                for first in range(0, len(done.rows), results.samples):
                    rows = done.rows[first : first + results.samples]
                    results.add(rows)
                    told.done += 1
                    file.writelines(dumps(row) + b"\n" for row in rows)
    return missing
