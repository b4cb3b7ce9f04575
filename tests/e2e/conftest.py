"""Recipes with a tiny model, a stage at a time, as the quickstart runs them but for the numbers."""

import importlib.util
import json
import os
from dataclasses import asdict, replace
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
RAN = ROOT / "runs/recipes_ran.json"
_SPEC = importlib.util.spec_from_file_location("cells", ROOT / "tests/recipes/cells.py")
cells = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(cells)


class Walk:
    """A recipe on its way.

    Args:
        recipe: Its name.
        methods: On top of it.
        out: The folder of the run.
        python: Of LLaMA-Factory's environment.
    """

    def __init__(self, recipe, methods, out, python):
        from dianjin_ext.quickstart.plan import Plan
        from dianjin_ext.quickstart.stages import stages

        same = {"methods": methods, "seed": 0, "data": None, "llamafactory": python}
        self.plan = Plan(out=out, recipe=recipe, **same)
        self.plan.check()
        out.mkdir(parents=True)
        # its evaluations ask a thousand questions; what a recipe teaches is measured elsewhere
        beside = [each for each in stages(self.plan) if not each.model]
        self.todo = [each for each in beside if not each.name.endswith("-truth")]
        self.done = set()

    def to(self, name):
        """Run what comes before a stage and is not done, then the stage."""
        while name not in self.done:
            stage = next(each for each in self.todo if each.name not in self.done)
            self.start(stage.name, stage.make())
        if export := next((s for s in self.todo if s.name == f"{name}-export"), None):
            self.start(export.name, export.make())

    def start(self, name, command):
        """Run a command to its end."""
        from dianjin_ext.quickstart.run import start
        from dianjin_ext.quickstart.stage import Stage

        usage = start(Stage(name, name, lambda: command), command, self.plan)
        self.tell(name, command, {key: round(value, 2) for key, value in asdict(usage).items()})
        self.done.add(name)

    def tell(self, name, command, took):
        """Write what ran, and what it took, into a small file."""
        from dianjin_ext.quickstart.stage import typed

        known = json.loads(RAN.read_text("utf-8")) if RAN.is_file() else {}
        key = " ".join([self.plan.recipe, *self.plan.methods, name])
        known[key] = {**took, "command": typed(command, self.plan.out)}
        RAN.parent.mkdir(exist_ok=True)
        RAN.write_text(json.dumps(known, ensure_ascii=False, indent=1) + "\n", "utf-8")

    def commands(self, stage, *extra):
        """Return the recipe's own commands of a stage."""
        from dianjin_ext.recipes import commands

        return commands(self.plan.of, stage, self.plan.run, extra)


@pytest.fixture(scope="session")
def llamafactory():
    """Python of the environment that has LLaMA-Factory."""
    from dianjin_ext.quickstart.run import LLAMAFACTORY_PYTHON

    python = Path(os.environ.get(LLAMAFACTORY_PYTHON, ROOT / ".venv/llamafactory/bin/python"))
    if not python.exists():
        pytest.skip(f"no LLaMA-Factory environment: {python}")
    return python


@pytest.fixture(scope="module")
def walk(tmp_path_factory, llamafactory):
    """Return the walk of a recipe with some methods; the same one each time."""
    from dianjin_ext.quickstart import around, plan, stages
    from dianjin_ext.recipes import recipe_names

    names, walks = recipe_names(), {}
    short = replace(plan.WORLD, sft=cells.SFT_WORDS, rl=cells.RL_WORDS)

    def find(recipe, methods=()):
        if (recipe, methods) not in walks:
            out = tmp_path_factory.mktemp("walk") / "run"
            walks[recipe, methods] = Walk(recipe, methods, out, llamafactory)
        return walks[recipe, methods]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plan, "WORLD", short)
        patch.setattr(around, "MADE_UP", dict.fromkeys(names, cells.QUESTIONS))
        own = {name: (*stages.DATA.get(name, ()), *cells.DATA_WORDS) for name in names}
        patch.setattr(stages, "DATA", own)
        yield find
