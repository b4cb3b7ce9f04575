"""`dianjin build --dry-run`: what a build would ask and cost, without asking."""

from collections import defaultdict
from collections.abc import Container, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from dianjin_ext.data.asking import Asking, NoReply
from dianjin_ext.data.build import about_step, resolved, unchanged
from dianjin_ext.data.candidate import Candidate
from dianjin_ext.data.manifest import file_digest, read_manifest
from dianjin_ext.data.models import Models
from dianjin_ext.data.pipeline import Pipeline, Planned, path_settings
from dianjin_ext.data.prompt_length import estimated_tokens
from dianjin_ext.data.rows_file import inputs_of
from dianjin_ext.data.steps import get_step
from dianjin_ext.data.steps.base import RowStep
from dianjin_ext.inference.answer import Answer
from dianjin_ext.inference.journal import Recorded
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
    """Print for each step whether it would run, what it would ask and what that costs."""
    table = Table(title=f"{pipeline.name}: nothing is asked")
    for column in ("step", "state", "rows", "model", "requests", "recorded", "prompt tokens"):
        table.add_column(
            column, justify="left" if column in ("step", "state", "model") else "right"
        )
    table.add_column("cost", justify="right")
    before = read_manifest(out)
    digests: dict[str, str] = {}
    most: dict[str, int] = {}
    total = 0.0
    for planned in pipeline.steps:
        step = get_step(planned.step)
        ready = all(name in digests for name in planned.sources)
        outputs = {each.name: each.output(out) for each in pipeline.steps}
        if ready and _settings_ready(planned, outputs, digests):
            about = about_step(planned, digests)
            known = before.get(planned.name)
            target = planned.output(out)
            if known is not None and unchanged(known, about, target):
                digests[planned.name] = file_digest(target)
                table.add_row(planned.name, "unchanged", str(_rows(known)), *[""] * 5)
                most[planned.name] = _rows(known)
                continue
        if isinstance(step, RowStep) and ready:
            models = planned.models
            journal = out / "journal" / planned.name
            inputs = [outputs[name] for name in planned.sources]
            rows, forecasts = _ask(
                step, resolved(planned.settings, outputs), models, journal, inputs
            )
            most[planned.name] = rows * getattr(planned.settings, "samples", 1)
            if not forecasts:
                table.add_row(planned.name, "runs", str(rows), *[""] * 5)
            for role, forecast in forecasts.items():
                cost = forecast.cost(models[role].prices)
                total += cost or 0.0
                table.add_row(
                    *(planned.name, "runs", str(rows), models[role].model, str(forecast.requests)),
                    *(str(forecast.recorded), f"{forecast.prompt_tokens:,}"),
                    "" if cost is None else f"{cost:.4g}",
                )
        else:
            rows = sum(most.get(name, 0) for name in planned.sources)
            most[planned.name] = rows * getattr(planned.settings, "samples", 1)
            named = ", ".join(model.model for model in planned.models.values())
            up_to = f"≤ {rows}" if rows else "?"
            table.add_row(planned.name, "runs", up_to, named, *[""] * 4)
    console = Console()
    console.print(table)
    console.print(
        "Counted is the first question to each model about each row; search, and replies that are "
        "not in the form asked for, bring more. Steps with ≤ wait for an earlier one.",
        soft_wrap=True,
    )
    if total:
        console.print(f"cost of what is counted: about {total:.4g}")


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
