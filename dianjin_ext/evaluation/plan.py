"""From names and files to what is asked: every benchmark under every protocol."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dianjin_ext.errors import DianjinError
from dianjin_ext.evaluation.benchmarks import (
    BENCHMARKS,
    benchmark_files,
    chosen,
    get_benchmark,
    survey,
)
from dianjin_ext.evaluation.benchmarks.base import Benchmark, Source
from dianjin_ext.evaluation.protocol import Protocol, Sampling, get_protocol, protocol_names
from dianjin_ext.evaluation.standing import departures
from dianjin_ext.evaluation.task import Task
from dianjin_ext.questions.readers import get_reader
from dianjin_ext.rewards.policy import Model

__all__ = ["Choices", "plan"]


class Choices(Model):
    """What a user chooses beside benchmarks and protocols; None leaves it to them.

    Attributes:
        split: Of the benchmarks.
        limit: Ask at most so many questions, the first ones.
        seed: Of samples of questions, and of replies.
        temperature: Of replies.
        top_p: Of replies.
        max_tokens: Of a reply.
        samples: Replies a question.
    """

    split: str | None = None
    limit: int | None = None
    seed: int = 0
    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    samples: int | None = None


def plan(
    benchmarks: Sequence[str],
    protocols: Sequence[str],
    *,
    data: Sequence[str] = (),
    mapping: Path | None = None,
    choices: Choices | None = None,
) -> list[Task]:
    """Return the tasks, after one look at all files.

    Args:
        benchmarks: Their names.
        protocols: Names of protocols, or their files.
        data: Files and folders of the only benchmark, or `BENCHMARK=PATH`; a benchmark without any
            is loaded from Hugging Face's hub.
        mapping: Which column is what, for `own:NAME`.
        choices: What the user chooses.

    Raises:
        DianjinError: A name is not known, or a file can't be used.
    """
    choices = choices or Choices()
    for names in (benchmarks, protocols):
        if twice := {name for name in names if names.count(name) > 1}:
            raise DianjinError(f"{min(twice)} is named twice; name it once")
    chosen_protocols = [get_protocol(name) for name in protocols]
    stems = [protocol.name for protocol in chosen_protocols]
    if len(set(stems)) < len(stems):
        raise DianjinError("two protocols have the same name; rename one of the files")
    for protocol in chosen_protocols:
        _check_names(protocol)
    paths = _paths(benchmarks, data)
    tasks = []
    for name in benchmarks:
        benchmark = get_benchmark(
            name, mapping=mapping if name.startswith("own") or len(benchmarks) == 1 else None
        )
        source = _source(benchmark, paths.get(name, []))
        found = survey(benchmark, source, split=choices.split)
        for protocol in chosen_protocols:
            tasks.append(_task(benchmark, source, found, protocol, choices))
    return tasks


def _check_names(protocol: Protocol) -> None:
    """Refuse rules for a benchmark that is none, which would go without them unnoticed."""
    for name in protocol.benchmarks:
        if name not in BENCHMARKS and not name.startswith("own:"):
            raise DianjinError(
                f"protocol {protocol.name}: benchmarks.{name}: there is no such benchmark; known: "
                f"{', '.join(BENCHMARKS)}, and own:NAME"
            )


def _task(
    benchmark: Benchmark, source: Source, found: Any, protocol: Protocol, choices: Choices
) -> Task:
    rules = protocol.of(benchmark.name)
    if rules.history == "own" and found.scattered:
        raise DianjinError(
            f"{benchmark.name}: the turns of {found.scattered} don't follow each other, so the "
            "model's own answers can't be shown; sort the rows by conversation"
        )
    rows = rules.rows
    sample = rows.sample if rows is not None and found.questions >= rows.all_below else None
    subset = chosen(benchmark, found, limit=choices.limit, sample=sample, seed=choices.seed)
    expected = chosen(benchmark, found, sample=sample, seed=choices.seed).questions
    sampling = _sampling(rules.sampling, choices)
    return Task(
        benchmark=benchmark,
        source=source,
        found=found,
        subset=subset,
        protocol=protocol.name,
        rules=rules,
        sampling=sampling,
        seed=choices.seed,
        departures=departures(
            benchmark,
            found,
            subset,
            expected,
            rules,
            sampling,
            shipped=protocol.name in protocol_names(),
        ),
    )


def _sampling(given: Sampling, choices: Choices) -> Sampling:
    own = {name: getattr(choices, name) for name in Sampling.model_fields}
    own = {name: value for name, value in own.items() if value is not None}
    return Sampling(**{**given.model_dump(), **own})


def _paths(benchmarks: Sequence[str], data: Sequence[str]) -> Mapping[str, list[Path]]:
    found: dict[str, list[Path]] = {}
    for text in data:
        name, equals, path = text.partition("=")
        if not equals or name not in benchmarks:
            if len(benchmarks) > 1:
                raise DianjinError(
                    f"--data {text}: with several benchmarks, say whose it is: "
                    f"--data {benchmarks[0]}=PATH"
                )
            name, path = benchmarks[0], text
        if not Path(path).exists():
            raise DianjinError(f"--data {text}: there is no file or folder {path}")
        found.setdefault(name, []).append(Path(path))
    return found


def _source(benchmark: Benchmark, paths: Sequence[Path]) -> Source:
    if paths:
        return benchmark_files(benchmark, paths)
    if benchmark.hub is None:
        where = "" if benchmark.mapping is not None else f" ({get_reader(benchmark.reader).url})"
        raise DianjinError(f"{benchmark.name}: name its published files{where}: --data PATH")
    return benchmark.hub
