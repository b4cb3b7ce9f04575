"""`dianjin quickstart`: run the stages in order, remember what is done, write the report."""

import importlib.util
import json
import os
import signal
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from dianjin_ext.errors import DianjinError
from dianjin_ext.evaluation.machine import hardware
from dianjin_ext.evaluation.metrics import read_lines, summarise
from dianjin_ext.evaluation.report import write_report
from dianjin_ext.files import write_json
from dianjin_ext.quickstart.stages import EVALUATED, Stage, stages

LLAMAFACTORY_PYTHON = "DIANJIN_LLAMAFACTORY_PYTHON"
PACKAGES = ("dianjin-ext", "verl", "torch", "transformers", "ray")
MODULES = ("verl", "jinja2", "psutil", "pyarrow", "scipy")


def run(
    out: Path, *, seed: int, data: str | None, resume: bool, llamafactory_python: Path | None
) -> None:
    """Run SFT, GRPO, merge and evaluation on a tiny model and write summary.json and report.html.

    Args:
        out: Directory of the run.
        seed: Seed of the questions, the model, the order of the rows and the rollouts.
        data: `cflue:FILE` for real questions, None for made-up ones.
        resume: Go on with an interrupted run in `out`; finished stages are not run again.
        llamafactory_python: Python of the environment that has LLaMA-Factory; None looks at
            the variable DIANJIN_LLAMAFACTORY_PYTHON, then at .venv/llamafactory.

    Raises:
        DianjinError: A host is missing, `out` holds another run, or a stage failed.
    """
    if missing := [name for name in MODULES if importlib.util.find_spec(name) is None]:
        raise DianjinError(
            f"this environment has no {', '.join(missing)}: run `dianjin quickstart` in verl's "
            "environment, after pip install 'dianjin-ext[verl,data,eval]'"
        )
    out = out.absolute()
    python = find_llamafactory(llamafactory_python)
    todo = stages(out, seed=seed, data=data, llamafactory_python=python)
    state = _State(out / "state.json", {"seed": seed, "data": data}, resume=resume)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # as Ctrl-C does
    console = Console()
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console) as progress:
        for stage in todo:
            _run(stage, out, state, progress)
    _report(out, todo, state, python, console)


class _State:
    """state.json: what the run is of, and the usage of each finished stage."""

    def __init__(self, path: Path, identity: dict[str, Any], *, resume: bool) -> None:
        self.path = path
        self.finished: dict[str, dict[str, float]] = {}
        folder = path.parent
        if folder.exists() and not folder.is_dir():
            raise DianjinError(f"{folder} is a file; name a directory with --out")
        if not folder.is_dir() or not any(folder.iterdir()):
            folder.mkdir(parents=True, exist_ok=True)
            self.content = {"run": identity, "finished": self.finished}
            write_json(path, self.content)
            return
        if not path.is_file():
            raise DianjinError(f"{folder} is not empty and holds no quickstart run; choose another")
        if not resume:
            raise DianjinError(
                f"{folder} holds a quickstart run; pass --resume to go on with it, or choose "
                "another folder with --out"
            )
        self.content = json.loads(path.read_text(encoding="utf-8"))
        if self.content["run"] != identity:
            raise DianjinError(
                f"{folder} holds a run of {self.content['run']}, not of {identity}; resume it with "
                "the same --seed and --data, or choose another folder with --out"
            )
        self.finished = self.content["finished"]

    def finish(self, name: str, usage: dict[str, float]) -> None:
        self.finished[name] = usage
        write_json(self.path, self.content)


def _run(stage: Stage, out: Path, state: _State, progress: Progress) -> None:
    from dianjin_ext.quickstart.process import run_stage

    task = progress.add_task(stage.title, total=None)
    if stage.name in state.finished:
        progress.update(task, total=1, completed=1, description=f"{stage.title} (done before)")
        return

    def tick() -> None:
        if found := stage.progress():
            progress.update(task, completed=found[0], total=found[1])

    usage = run_stage(
        stage.command,
        folder=out,
        environment=environment_of(stage),
        log=out / "logs" / f"{stage.name}.log",
        tick=tick,
    )
    state.finish(
        stage.name,
        {
            "seconds": round(usage.seconds, 1),
            "processor_seconds": round(usage.processor_seconds, 2),
            "peak_memory_gib": round(usage.peak_memory_gib, 3),
        },
    )
    tick()
    total = progress.tasks[task].total or 1
    progress.update(task, total=total, completed=total)


def environment_of(stage: Stage) -> dict[str, str]:
    """Return the variables of a stage: the user's, and what small models on a CPU need."""
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": "1",  # more threads wait for each other longer than they work
        "TOKENIZERS_PARALLELISM": "false",
        "HF_HUB_OFFLINE": "1",
        "RAY_USAGE_STATS_ENABLED": "0",
        **stage.environment,
    }
    environment.pop("RAY_ADDRESS", None)  # the run starts a Ray of its own
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # a dozen processes import the same modules
    return environment


def find_llamafactory(given: Path | None) -> Path:
    """Return the Python of LLaMA-Factory's environment; see `run`.

    Raises:
        DianjinError: There is none.
    """
    variable = os.environ.get(LLAMAFACTORY_PYTHON)
    python = given or Path(variable or ".venv/llamafactory/bin/python")
    python = python.absolute()  # not resolved: the link is what names the environment
    if not python.with_name("llamafactory-cli").is_file():
        raise DianjinError(
            f"no llamafactory-cli beside {python}: name the Python of the environment that has "
            f"LLaMA-Factory with --llamafactory-python or {LLAMAFACTORY_PYTHON} "
            "(`make environments` in a checkout makes one)"
        )
    return python


def _report(
    out: Path, todo: list[Stage], state: _State, llamafactory_python: Path, console: Console
) -> None:
    """Write summary.json and report.html and show the result."""
    run = state.content["run"]
    summary: dict[str, Any] = {
        name: summarise(read_lines(out / "evaluation" / f"{name}.jsonl")) for name in EVALUATED
    }
    summary |= {
        "stages": state.finished,
        "seed": run["seed"],
        "data": run["data"] or "made-up questions",
        "versions": _versions(llamafactory_python),
        "hardware": hardware(),
        "commands": {
            stage.name: " ".join((Path(stage.command[0]).name, *stage.command[1:]))
            for stage in todo
        },
    }
    write_json(out / "summary.json", summary)
    write_report([out], out / "report.html")
    for name in EVALUATED:
        row = summary[name]
        console.print(
            f"{name:5} accuracy {row['accuracy']:.1%} "
            f"[{row['accuracy_low']:.1%}, {row['accuracy_high']:.1%}]  "
            f"format {row['format_rate']:.1%}  n {row['n']}",
            highlight=False,
            markup=False,
        )
    console.print(f"report: {out / 'report.html'}", highlight=False, soft_wrap=True)


def _versions(llamafactory_python: Path) -> dict[str, str]:
    """Return the versions that matter; LLaMA-Factory's from its own environment."""
    ask = "from importlib.metadata import version; print(version('llamafactory'))"
    answer = subprocess.run(
        [str(llamafactory_python), "-c", ask], capture_output=True, text=True, check=False
    )
    return {
        "python": sys.version.split()[0],
        **{package: version(package) for package in PACKAGES},
        "llamafactory": answer.stdout.strip() or "unknown",
    }
