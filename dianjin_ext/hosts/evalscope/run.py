"""Runs of EvalScope: of our benchmarks, and of its own where a paper used those."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from evalscope import TaskConfig, run_task
from evalscope.api.registry import BENCHMARK_REGISTRY
from openai import APIError

from dianjin_ext.errors import DianjinError
from dianjin_ext.evaluation.plan import Choices, plan
from dianjin_ext.evaluation.protocol import get_protocol
from dianjin_ext.evaluation.task import Task
from dianjin_ext.hosts.evalscope.adapters import adapter_name
from dianjin_ext.hosts.evalscope.model import EVAL_TYPE
from dianjin_ext.inference.faults import Transient

__all__ = ["Server", "run_ours", "run_own"]

_ANOTHER_RUN: Final = "Cannot reuse cache"
_PASS_AT_K: Final = "mean_and_pass_at_k"
_KEY: Final = "OPENAI_API_KEY"


class Server(NamedTuple):
    """Who is asked.

    Attributes:
        model: The name of the model there.
        base_url: An OpenAI-compatible server.
        in_flight: The most requests at a time.
    """

    model: str
    base_url: str
    in_flight: int


def run_ours(
    benchmarks: Sequence[str],
    protocol: str,
    server: Server,
    out: Path,
    *,
    data: Sequence[str] = (),
    mapping: Path | None = None,
    settings: Path | None = None,
    choices: Choices | None = None,
) -> list[Path]:
    """Run our benchmarks; the same call goes on where one was stopped.

    Args:
        benchmarks: Their names.
        protocol: Its name, or a file.
        server: Who is asked.
        out: Gets a folder of EvalScope's a benchmark.
        data: As in `dianjin_ext.evaluation.plan.plan`.
        mapping: As above.
        settings: A file that names a judge.
        choices: As in `plan`.

    Returns:
        The folders.

    Raises:
        DianjinError: An argument doesn't fit, the server can't be asked, or `out` holds another
            run.
    """
    choices = choices or Choices()
    tasks = plan(benchmarks, [protocol], data=data, mapping=mapping, choices=choices)
    chosen = choices.model_dump(exclude={"limit", "samples"}, exclude_none=True)
    folders = []
    for task in tasks:
        parameters = {
            "benchmark": task.benchmark.name,
            "protocol": str(Path(protocol).absolute()) if Path(protocol).suffix else protocol,
            "data": _files(task),
            "map": None if mapping is None else str(mapping.absolute()),
            "settings": None if settings is None else str(settings.absolute()),
            "choices": chosen,
        }
        several = task.sampling.samples > 1
        folders.append(out / task.name)
        _run(
            adapter_name(task.benchmark.name),
            {"extra_params": parameters, "aggregation": _PASS_AT_K if several else "mean"},
            server,
            folders[-1],
            limit=choices.limit,
            repeats=task.sampling.samples,
        )
    return folders


def run_own(
    benchmarks: Sequence[str],
    protocol: str,
    server: Server,
    out: Path,
    *,
    data: Mapping[str, Path],
    choices: Choices | None = None,
) -> list[Path]:
    """Run EvalScope's own benchmarks: its prompts, its verdicts, the protocol's sampling.

    Args:
        benchmarks: EvalScope's names, such as `math_500` and `gpqa_diamond`.
        protocol: Its name, or a file; for the sampling.
        server: Who is asked.
        out: Gets a folder of EvalScope's a benchmark.
        data: The published file of each, or the folder that EvalScope reads; it loads the others
            from its hub.
        choices: Replaces what the protocol says of the sampling.

    Returns:
        The folders.

    Raises:
        DianjinError: As for `run_ours`.
    """
    choices = choices or Choices()
    own = choices.model_dump(include={"temperature", "top_p", "max_tokens", "samples"})
    own = {name: value for name, value in own.items() if value is not None}
    said = get_protocol(protocol)
    folders = []
    for name in benchmarks:
        if name not in BENCHMARK_REGISTRY:
            raise DianjinError(f"EvalScope has no benchmark {name!r}")
        sampling = {**said.of(name).sampling.model_dump(), **own}
        repeats = sampling.pop("samples")
        folders.append(out / f"evalscope-{name}.{said.name}")
        arguments = {} if name not in data else {"local_path": _local(name, data[name], out)}
        _run(
            name,
            arguments,
            server,
            folders[-1],
            limit=choices.limit,
            repeats=repeats,
            generation_config=sampling,
            eval_type="openai_api",
        )
    return folders


def _run(name: str, arguments: dict[str, Any], server: Server, out: Path, **settings: Any) -> None:
    """Run one benchmark in a folder of its own: EvalScope resumes all of a folder's or none."""
    begun = (out / "configs" / "task_config.yaml").is_file()
    where = {"use_cache": str(out)} if begun else {"work_dir": str(out), "no_timestamp": True}
    given: dict[str, Any] = {
        "model": server.model,
        "api_url": server.base_url,
        "api_key": os.environ.get(_KEY) or "EMPTY",
        "eval_batch_size": server.in_flight,
        "eval_type": EVAL_TYPE,
        "datasets": [name],
        "dataset_args": {name: arguments},
        **where,
        **settings,
    }
    try:
        run_task(TaskConfig(**given))
    except ValueError as error:
        if not str(error).startswith(_ANOTHER_RUN):
            raise
        raise DianjinError(
            f"{out} holds a run with other questions or settings; choose another --out"
        ) from error
    except (APIError, Transient) as error:
        why = " ".join(str(error).split()).replace(given["api_key"], "***")[:300]
        raise DianjinError(
            f"{server.base_url}: {why}; run the same command again to go on"
        ) from error


def _files(task: Task) -> list[str]:
    source = [] if isinstance(task.source, str) else task.source
    return [str(path.absolute()) for path in source]


def _local(name: str, path: Path, out: Path) -> str:
    """Return a folder that EvalScope reads: the one given, or one with a link to the file.

    EvalScope takes the split from the file's name.
    """
    if not path.exists():
        raise DianjinError(f"--data {name}={path}: there is no such file or folder")
    if path.is_dir():
        return str(path.absolute())
    split = BENCHMARK_REGISTRY[name].eval_split or "test"
    link = out / "data" / name / f"{split}{path.suffix}"
    link.parent.mkdir(parents=True, exist_ok=True)
    link.unlink(missing_ok=True)
    link.symlink_to(path.absolute())
    return str(link.parent.absolute())
