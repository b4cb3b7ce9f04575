"""Run one step: files of rows in, one file of rows out, and what became of each row."""

import asyncio
import sys
from collections import Counter
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import ExitStack, aclosing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from dianjin_ext.data.candidate import Candidate
from dianjin_ext.data.rows_file import inputs_of, number_of_rows, write_items, write_removed
from dianjin_ext.data.steps.base import Removed, RowStep
from dianjin_ext.data.work import Done, Work
from dianjin_ext.errors import DianjinError
from dianjin_ext.inference.alone import alone
from dianjin_ext.inference.answer import Unanswered
from dianjin_ext.inference.asking import Spent
from dianjin_ext.inference.models import Models, served
from dianjin_ext.inference.signals import raising

Engine = Literal["local", "ray"]

_ALL_DROPPED: Final = 50  # rows
_WITHOUT: Final = {
    "select": ", or leave the judge out (judged: false, --no-judged)",
    "verify": ", or leave its check of the reasoning out",
}


@dataclass
class Counted:
    """What became of the rows of a step.

    Attributes:
        rows: How many came in.
        written: How many went out.
        standing: How many of these are not dropped.
        dropped: Those that this step dropped or removed, by reason.
        spent: On replies, those of the journal included, by role.
        unanswered: Rows that have no reply yet.
        error: The last reason for that.
    """

    rows: int = 0
    written: int = 0
    standing: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    spent: dict[str, Spent] = field(default_factory=dict)
    unanswered: int = 0
    error: str = ""

    def summary(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {
            "rows": self.rows,
            "written": self.written,
            "standing": self.standing,
            "dropped": dict(self.dropped.most_common()),
            "spent": {role: spent._asdict() for role, spent in sorted(self.spent.items())},
        }


def run_step(
    step: RowStep,
    inputs: Sequence[Path],
    out: Path,
    *,
    settings: Any,
    models: Models,
    journal: Path,
    engine: Engine = "local",
    name: str | None = None,
) -> dict[str, Any]:
    """Run a step on files.

    Every reply is in the journal before it is used, so the same call goes on after whatever ended
    the last one. `out` is written when every row is through; if some have no reply, the others
    are in `out` with .partial.parquet. Why questions were removed is in `out` with .removed.jsonl.

    Args:
        step: What is done.
        inputs: Questions or candidates, as parquet.
        out: Where the rows go.
        settings: Of the step.
        models: Whom it asks, by role.
        journal: Folder of the replies.
        engine: `local`: in this process; `ray`: on a Ray cluster, which shares the disk of
            `journal` with this machine.
        name: What the step is called in messages; else its own name.

    Returns:
        The fields of `Counted`.

    Raises:
        Unanswered: Rows have no reply; the same call goes on with them.
        DianjinError: An input, a setting or a model is wrong.
    """
    needed = {role: models[role] for role in step.roles if role in models}
    if missing := [role for role in step.needs(settings) if role not in needed]:
        without = _WITHOUT.get(step.name, "")
        raise DianjinError(f"{step.name} asks a {missing[0]}; name the model{without}")
    total = number_of_rows(inputs)
    counted = Counted()
    partial = out.with_suffix(".partial.parquet")
    removed: list[Removed] = []
    if any(partial.samefile(path) for path in inputs if partial.exists()):
        raise DianjinError(
            f"{partial}: what is done so far would be written to this input; choose another name "
            f"than {out.name}, or rename the input"
        )
    with ExitStack() as stack:
        if needed:  # what a second one asks at the same time would be paid twice
            stack.enter_context(alone(journal, step.name))
        ready = stack.enter_context(served(needed, journal / "servers"))
        outcomes = _ray if engine == "ray" else _local
        done = outcomes(step, settings, ready, journal, inputs)
        write_items(_written(step, done, counted, removed), partial, step.gives)
    if counted.unanswered or counted.error:
        spent = counted.error.startswith("budget_")
        again = "run it with a larger one" if spent else "run the same command again"
        raise Unanswered(
            f"{name or step.name}: {counted.rows - counted.unanswered} of {total} rows are done: "
            f"{counted.error}; {again} to go on "
            f"(what is done so far is in {partial})"
        )
    if step.gives == "questions":
        write_removed(removed, out)
    partial.replace(out)
    return counted.summary()


def _written(
    step: RowStep, done: Iterator[Done], counted: Counted, removed: list[Removed]
) -> Iterator[Any]:
    """Yield the rows of what is done, and count."""
    try:
        for each in done:
            counted.rows += 1
            for role, spent in each.spent.items():
                counted.spent[role] = counted.spent.get(role, Spent(spent.model)).plus(spent)
            if each.result is None:
                counted.unanswered += 1
                counted.error = each.error
                continue
            if (left_out := each.result.removed) is not None:
                counted.dropped[left_out.reason] += 1
                removed.append(left_out)
            for row in each.result.rows:
                counted.written += 1
                dropped = row.dropped if isinstance(row, Candidate) else ""
                counted.standing += not dropped
                if dropped.startswith(f"{step.name}: "):
                    counted.dropped[dropped.removeprefix(f"{step.name}: ")] += 1
                yield row
            if counted.rows == _ALL_DROPPED and not counted.standing and counted.dropped:
                _warn(step, counted)
    except KeyboardInterrupt:
        counted.error = "interrupted"
    except SystemExit:  # what SIGTERM raises
        counted.error = "terminated"


def _warn(step: RowStep, counted: Counted) -> None:
    """Say while there is time that nothing comes of what is asked."""
    worst, number = counted.dropped.most_common(1)[0]
    print(
        f"warning: {step.name}: the first {counted.rows} rows are all dropped ({worst} {number}); "
        "if that is not what you expect, end it (Ctrl-C) and look at them",
        file=sys.stderr,
        flush=True,
    )


def _local(
    step: RowStep, settings: Any, models: Models, journal: Path, inputs: Sequence[Path]
) -> Iterator[Done]:
    from dianjin_ext.inference.telling import telling

    rows = inputs_of(inputs, step.takes, step.name)

    async def run() -> AsyncGenerator[Done, None]:
        async with (
            Work(step, settings, models, journal) as work,
            telling(step.name, work.askers, number_of_rows(inputs)) as tell,
            aclosing(work.all(rows)) as outcomes,
        ):
            async for done in outcomes:
                tell.done += 1
                yield done

    with asyncio.Runner() as runner, raising(runner.get_loop()):
        stream = run()
        try:
            while (done := runner.run(_next(stream))) is not None:
                yield done
        finally:
            with suppress(RuntimeError):  # a signal came while it ran: the runner ends it
                runner.run(stream.aclose())


async def _next(stream: Any) -> Done | None:
    found: Done | None = await anext(stream, None)
    return found


def _ray(
    step: RowStep, settings: Any, models: Models, journal: Path, inputs: Sequence[Path]
) -> Iterator[Done]:
    from dianjin_ext.data.on_ray import outcomes

    return outcomes(step, settings, models, journal, inputs)
