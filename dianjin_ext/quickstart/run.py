"""`dianjin quickstart`: run the stages in order, remember what is done, write the report."""

import importlib.util
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Final

from dianjin_ext.errors import DianjinError
from dianjin_ext.quickstart.plan import Plan
from dianjin_ext.quickstart.stage import Stage, environment, typed
from dianjin_ext.quickstart.stages import stages
from dianjin_ext.quickstart.state import State
from dianjin_ext.quickstart.told import Told, telling
from dianjin_ext.recipes import Command

if TYPE_CHECKING:  # needs psutil
    from dianjin_ext.quickstart.process import Usage

LLAMAFACTORY_PYTHON: Final = "DIANJIN_LLAMAFACTORY_PYTHON"
MODULES: Final = ("verl", "jinja2", "psutil", "pyarrow", "scipy", "aiohttp")


def run(
    out: Path,
    *,
    recipe: str = "dianjin_r1",
    methods: tuple[str, ...] = (),
    seed: int = 0,
    data: str | None = None,
    resume: bool = False,
    llamafactory_python: Path | None = None,
) -> None:
    """Run a recipe on a tiny model and write summary.json and report.html.

    Args:
        out: Directory of the run.
        recipe: A name of `dianjin recipe`.
        methods: Files of `configs/method` on top of it.
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
            "environment, after pip install 'dianjin-ext[verl,data,eval,ask]'"
        )
    plan = Plan(
        out=out.absolute(),
        recipe=recipe,
        methods=methods,
        seed=seed,
        data=data,
        llamafactory=find_llamafactory(llamafactory_python),
    )
    plan.check()
    todo = stages(plan)
    state = State(plan.out / "state.json", plan.identity, resume=resume)
    (plan.out / "evaluation").mkdir(exist_ok=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # as Ctrl-C does
    with telling() as told:
        for stage in todo:
            _run(stage, plan, state, told)
    from dianjin_ext.quickstart.summary import write_summary

    write_summary(plan, todo, state)


def start(
    stage: Stage, command: Command, plan: Plan, tick: Callable[[], None] = lambda: None
) -> "Usage":
    """Run a stage's command in the folder of the run; `tick` is called now and then.

    Raises:
        DianjinError: It failed.
    """
    from dianjin_ext.quickstart.process import run_stage

    return run_stage(
        list(command.words),
        folder=plan.out,
        environment=environment(command, plan),
        log=plan.out / "logs" / f"{stage.name}.log",
        tick=tick,
    )


def _run(stage: Stage, plan: Plan, state: State, told: Told) -> None:
    if stage.name in state.finished:
        told.before(stage.title)
        return
    command = stage.make()
    try:
        with told.running(stage.title, stage.progress) as tick:
            usage = start(stage, command, plan, tick)
    except KeyboardInterrupt:
        raise DianjinError(
            f"{stage.title}: interrupted; the same command with --resume goes on from here"
        ) from None
    state.finish(
        stage.name,
        {name: round(value, 3 if "gib" in name else 1) for name, value in asdict(usage).items()},
        typed(command, plan.out),
    )


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
