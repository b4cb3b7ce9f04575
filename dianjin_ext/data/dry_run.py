"""`dianjin build --dry-run`: what a build would ask and cost, without asking."""

from collections import defaultdict
from collections.abc import Container, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rich.console import Console
from rich.table import Table

from dianjin_ext.data.build import about_step, resolved, unchanged
from dianjin_ext.data.candidate import Candidate
from dianjin_ext.data.manifest import file_digest, read_manifest
from dianjin_ext.data.pipeline import Pipeline, Planned, path_settings
from dianjin_ext.data.prompt_length import estimated_tokens
from dianjin_ext.data.rows_file import inputs_of
from dianjin_ext.data.steps import get_step
from dianjin_ext.data.steps.base import RowStep, SetStep
from dianjin_ext.inference.answer import Answer
from dianjin_ext.inference.asking import Asking, NoReply
from dianjin_ext.inference.journal import Recorded
from dianjin_ext.inference.models import Models
from dianjin_ext.inference.request import Request, questions
from dianjin_ext.inference.tokens import most_tokens


@dataclass
class Forecast:
    """What a step would ask one model first of all rows; what follows depends on the replies.

    Attributes:
        requests: Those that no journal has.
        recorded: Those that one has.
        prompt_tokens: Of the requests, about.
        completion_tokens: The most that their `max_tokens` allow; what replies took on average
            where some are recorded.
    """

    requests: int = 0
    recorded: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    took: list[int] = field(default_factory=list)

    def cost(self, prices: Any) -> float | None:
        """Return what the requests would cost; None where no price is known."""
        if prices is None:
            return None
        expected = self.completion_tokens
        if self.took:
            expected = round(self.requests * sum(self.took) / len(self.took))
        return float(prices.cost(self.prompt_tokens, expected))


class _Dry(Asking):
    """Answers from the journal, and counts what would be asked."""

    def __init__(self, models: Models, journals: Mapping[str, list[Recorded]]) -> None:
        self.models, self.journals = models, journals
        self.forecasts: dict[str, Forecast] = defaultdict(Forecast)

    async def samples(self, role: str, request: Request) -> list[Answer]:
        settings = self.models[role]
        request = replace(request, options={**request.options, **settings.options})
        found, forecast = [], self.forecasts[role]
        for question in questions(request, settings.model, {}):
            records = (journal.get(question.key) for journal in self.journals.get(role, ()))
            record = next(filter(None, records), None)
            if record is not None:
                answer = Answer.recorded(question, record)
                found.append(answer)
                forecast.recorded += 1
                if answer.reply is not None:
                    forecast.took.append(answer.reply.completion_tokens)
                continue
            forecast.requests += 1
            texts = (str(message["content"]) for message in request.messages)
            forecast.prompt_tokens += sum(map(estimated_tokens, texts))
            forecast.completion_tokens += most_tokens(question.payload) or 0
        if len(found) < request.samples:
            raise NoReply("would be asked")
        return found

    def model(self, role: str) -> str:
        return self.models[role].model

    def has(self, role: str) -> bool:
        return role in self.models


def dry_run(pipeline: Pipeline, out: Path) -> None:
    """Print for each step whether it would run, what it would ask and what that costs.

    Steps that ask nobody are run, into a folder that is removed, to know what the others are given.
    """
    table = Table(title=f"{pipeline.name}: nothing is asked")
    for column in ("step", "state", "rows", "model", "requests", "recorded", "prompt tokens"):
        justify: Any = "left" if column in ("step", "state", "model") else "right"
        whole = column in ("step", "state")
        table.add_column(column, justify=justify, overflow="fold", no_wrap=whole)
    table.add_column("cost", justify="right", overflow="fold")
    with TemporaryDirectory() as folder:
        planning = _Planning(pipeline, out, Path(folder))
        for planned in pipeline.steps:
            for line in planning.row(planned):
                table.add_row(*line)
    console = Console()
    console.print(table)
    console.print(
        "Counted is the first question to each model about each row; search, and replies that are "
        "not in the form asked for, bring more. Steps with ≤ wait for an earlier one; a cost with "
        "≤ is that of replies as long as max_tokens allows.",
        soft_wrap=True,
    )
    if total := sum(cost for cost, _ in planning.costs):
        how = "at most" if any(most for _, most in planning.costs) else "about"
        console.print(f"cost of what is counted: {how} {total:.4g}")


class _Planning:
    """The steps of a pipeline as far as they can be foreseen."""

    def __init__(self, pipeline: Pipeline, out: Path, folder: Path) -> None:
        self.pipeline, self.out, self.folder = pipeline, out, folder
        self.before = read_manifest(out)
        self.outputs = {each.name: each.output(out) for each in pipeline.steps}
        self.digests: dict[str, str] = {}
        self.most: dict[str, int] = {}
        self.costs: list[tuple[float, bool]] = []

    def row(self, planned: Planned) -> list[list[str]]:
        """Return the lines of a step in the table."""
        step, name = get_step(planned.step), planned.name
        ready = all(source in self.digests for source in planned.sources)
        ready = ready and _settings_ready(planned, self.outputs, self.digests)
        if ready and (known := self._unchanged(planned)) is not None:
            self.most[name] = _rows(known)
            return [[name, "unchanged", str(_rows(known))]]
        if ready and isinstance(step, RowStep):
            return self._asked(planned, step)
        if ready and planned.step != "mix" and not isinstance(step, RowStep):
            return [[name, "runs", str(self._run(planned, step))]]
        rows = sum(self.most.get(source, 0) for source in planned.sources)
        self.most[name] = rows * getattr(planned.settings, "samples", 1)
        named = ", ".join(model.model for model in planned.models.values())
        return [[name, "runs", f"≤ {rows}", named]]

    def _unchanged(self, planned: Planned) -> dict[str, Any] | None:
        target = planned.output(self.out)
        known = self.before.get(planned.name)
        about = about_step(planned, self.digests)
        if known is None or not unchanged(known, about, target):
            return None
        self.digests[planned.name] = file_digest(target)
        return known

    def _inputs(self, planned: Planned) -> list[Path]:
        return [self.outputs[name] for name in planned.sources] or list(planned.files)

    def _run(self, planned: Planned, step: SetStep) -> int:
        settings = resolved(planned.settings, self.outputs)
        target = planned.output(self.folder)
        report = step.run(self._inputs(planned), target, settings)
        self.outputs[planned.name] = target
        self.digests[planned.name] = file_digest(target)
        self.most[planned.name] = _rows({"report": report})
        return self.most[planned.name]

    def _asked(self, planned: Planned, step: RowStep) -> list[list[str]]:
        journal = self.out / "journal" / planned.name
        settings = resolved(planned.settings, self.outputs)
        rows, forecasts = _ask(step, settings, planned.models, journal, self._inputs(planned))
        self.most[planned.name] = rows * getattr(planned.settings, "samples", 1)
        lines = []
        for role, forecast in forecasts.items():
            model = planned.models[role]
            cost = forecast.cost(model.prices)
            most = bool(forecast.requests) and not forecast.took
            if cost is not None:
                self.costs.append((cost, most))
            lines.append(
                [planned.name, "runs", str(rows), model.model, str(forecast.requests),
                 str(forecast.recorded), f"{forecast.prompt_tokens:,}",
                 "" if cost is None else f"{'≤ ' if most else ''}{cost:.4g}"]
            )  # fmt: skip
        return lines or [[planned.name, "runs", str(rows)]]


def _ask(
    step: RowStep, settings: Any, models: Models, journal: Path, inputs: list[Path]
) -> tuple[int, dict[str, Forecast]]:
    journals = {
        role: [Recorded(file) for file in sorted(journal.glob(f"{role}-*.jsonl"))]
        for role in models
    }
    asking = _Dry(models, journals)
    rows = 0
    for row in inputs_of(inputs, step.takes, step.name):
        rows += 1
        if isinstance(row, Candidate) and row.dropped:
            continue
        work = step.work(row, settings, asking)
        try:
            work.send(None)  # type: ignore[attr-defined]
        except (StopIteration, NoReply):
            continue
    for each in journals.values():
        for file in each:
            file.close()
    return rows, dict(asking.forecasts)


def _settings_ready(planned: Planned, outputs: Mapping[str, Path], done: Container[str]) -> bool:
    """Return whether the earlier steps that a step's settings name are done."""
    named = (
        str(p) for n in path_settings(type(planned.settings)) for p in getattr(planned.settings, n)
    )
    return all(name in done for name in named if name in outputs)


def _rows(known: dict[str, Any]) -> int:
    report = known["report"]
    return int(report.get("written") or report.get("kept") or report.get("rows") or 0)
