"""A step on a Ray cluster: Ray Data carries the rows, our asker asks inside its actors.

Each actor has an event loop of its own in a thread, with the asker and a journal of its own; blocks
overlap in it, so that the tail of one does not hold up the next. What any actor recorded, on any
engine, is not asked again. `ray.data.llm`'s HTTP processor would await the requests of a batch one
after another.
"""

import asyncio
import json
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from dianjin_ext.data import candidate as candidates
from dianjin_ext.data.rows_file import holds, inputs_of, number_of_rows
from dianjin_ext.data.steps.base import Removed, Result, RowStep
from dianjin_ext.data.work import Done, Work
from dianjin_ext.errors import DianjinError
from dianjin_ext.inference.asking import Spent
from dianjin_ext.inference.models import Models
from dianjin_ext.parquet import pyarrow
from dianjin_ext.questions import question as questions
from dianjin_ext.questions.question import write_questions

_BLOCK: Final = 256  # rows
_AT_A_TIME: Final = 2  # blocks in an actor
_LINE_S: Final = 60.0
_START_S: Final = 600


def outcomes(
    step: RowStep, settings: Any, models: Models, journal: Path, inputs: Sequence[Path]
) -> Iterator[Done]:
    """Yield what becomes of each row, in order.

    Joins the cluster that `RAY_ADDRESS` names or that this process has joined, else starts one on
    this machine.

    Raises:
        DianjinError: Ray is missing.
    """
    try:
        import ray
    except ModuleNotFoundError as error:
        raise DianjinError(
            "--engine ray needs ray; pip install 'ray[data]' (verl's environment has it)"
        ) from error
    if not ray.is_initialized():
        ray.init(log_to_driver=False)
    with TemporaryDirectory(prefix="inputs-", dir=_made(journal)) as folder:
        paths = [_as_taken(path, step, Path(folder)) for path in inputs]
        rows = number_of_rows(paths)
        actors = max(1, min(int(ray.cluster_resources().get("CPU", 1)), -(-rows // _AT_A_TIME)))
        context = ray.data.DataContext.get_current().copy()
        context.execution_options.preserve_order = True
        context.wait_for_min_actors_s = _START_S  # else the first to be there does all the work
        context.enable_progress_bars = sys.stderr.isatty()
        with ray.data.DataContext.current(context):
            block = max(1, min(_BLOCK, -(-rows // (2 * actors))))
            data = ray.data.read_parquet([str(path.absolute()) for path in paths])
            data = data.repartition(target_num_rows_per_block=block).map_batches(
                _Worker,
                fn_constructor_args=(step.name, settings, _shared(models, actors), journal),
                batch_size=None,
                batch_format="pyarrow",
                compute=ray.data.ActorPoolStrategy(size=actors),
                num_cpus=0,  # they wait for replies; reading and cutting blocks needs the CPUs
                scheduling_strategy="SPREAD",
                max_concurrency=_AT_A_TIME,
            )
            told = time.monotonic()
            for done, row in enumerate(data.iter_rows(), 1):
                yield _read(json.loads(row["done"]), step)
                if time.monotonic() - told > _LINE_S and not sys.stderr.isatty():
                    told = time.monotonic()
                    print(f"{step.name}: {done:,} of {rows:,} rows", file=sys.stderr, flush=True)


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder.absolute()


def _as_taken(path: Path, step: RowStep, folder: Path) -> Path:
    """Return a file with the rows that the step takes: itself, or the questions of candidates."""
    if holds(path) == step.takes:
        return path
    found = folder / path.name
    write_questions(inputs_of([path], step.takes, step.name), found)
    return found


def _shared(models: Models, actors: int) -> Models:
    """Return the models with their requests in flight divided among the actors."""
    return {
        role: m.model_copy(update={"max_in_flight": max(1, m.max_in_flight // actors)})
        for role, m in models.items()
    }


class _Worker:
    """An actor: does the step on blocks of rows, with one asker for all of them."""

    def __init__(self, step: str, settings: Any, models: Models, journal: Path) -> None:
        from dianjin_ext.data.steps import row_step

        self._step = row_step(step)
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        self._work = self._wait(self._open(settings, models, journal))

    def __call__(self, table: Any) -> Any:
        read = questions.from_row if self._step.takes == "questions" else candidates.from_row
        rows = [read(row) for row in table.to_pylist()]
        done = self._wait(self._all(rows))
        lines = [json.dumps(_written(each, self._step)) for each in done]
        return pyarrow().table({"done": lines})

    async def _open(self, settings: Any, models: Models, journal: Path) -> Work:
        return await Work(self._step, settings, models, journal.absolute()).__aenter__()

    async def _all(self, rows: list[Any]) -> list[Done]:
        return [done async for done in self._work.all(rows)]

    def _wait(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()


def _written(done: Done, step: RowStep) -> dict[str, Any]:
    written: dict[str, Any] = {"spent": {r: s._asdict() for r, s in done.spent.items()}}
    if done.result is None:
        return written | {"error": done.error}
    as_row: Any = questions.as_row if step.gives == "questions" else candidates.as_row
    removed = done.result.removed
    return written | {
        "rows": [as_row(row) for row in done.result.rows],
        "removed": None if removed is None else removed._asdict(),
    }


def _read(given: dict[str, Any], step: RowStep) -> Done:
    spent = {role: Spent(**each) for role, each in given["spent"].items()}
    if "error" in given:
        return Done(None, spent, given["error"])
    from_row: Any = questions.from_row if step.gives == "questions" else candidates.from_row
    removed = None if given["removed"] is None else Removed(**given["removed"])
    return Done(Result([from_row(row) for row in given["rows"]], removed), spent)
