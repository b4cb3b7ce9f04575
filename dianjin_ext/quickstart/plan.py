"""What a quickstart run is of."""

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from dianjin_ext.errors import DianjinError
from dianjin_ext.quickstart.sizes import (
    OPEN,
    PRETRAINED,
    PUBLISHED,
    RESPONSES,
    SFT,
    WORLD,
    Sizes,
)
from dianjin_ext.recipes import Recipe, Run, get_recipe
from dianjin_ext.recipes.files import read_rl, template_of
from dianjin_ext.recipes.methods import check_methods, layout_of
from dianjin_ext.recipes.recipe import BASE
from dianjin_ext.resources import folder
from dianjin_ext.yaml_keys import read_mapping

QUESTIONS: Final = "questions"
"""The folder of the questions, in that of the run."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a run is of, and where.

    Attributes:
        out: The folder of the run, absolute; commands run in it.
        recipe: The name of a recipe.
        methods: Files of `configs/method`.
        seed: Of the questions, the model, the order of the rows and the rollouts.
        data: `cflue:FILE` for real questions, None for made-up ones.
        llamafactory: Python of the environment that has LLaMA-Factory.
    """

    out: Path
    recipe: str
    methods: tuple[str, ...]
    seed: int
    data: str | None
    llamafactory: Path

    @property
    def identity(self) -> dict[str, Any]:
        """What must be the same where a run is gone on with."""
        return {
            "recipe": self.recipe,
            "methods": list(self.methods),
            "seed": self.seed,
            "data": self.data,
        }

    @cached_property
    def of(self) -> Recipe:
        """The recipe, read."""
        return get_recipe(self.recipe)

    @property
    def sizes(self) -> Sizes:
        """Of the model, its replies and its training."""
        return WORLD if self.data is None else PUBLISHED

    @property
    def max_response(self) -> int:
        """Tokens of a response."""
        own = RESPONSES.get(self.recipe) if self.data is None else None
        return own or self.sizes.max_response

    @property
    def sft(self) -> tuple[str, ...]:
        """Words for LLaMA-Factory, after the recipe's."""
        own = SFT.get(self.recipe, ()) if self.data is None else ()
        return (*own, *self.sizes.sft)

    @property
    def run(self) -> Run:
        """How the recipe is run."""
        return Run(
            size="tiny",
            platform="cpu",
            methods=self.methods,
            base=BASE,
            configs=str(folder("configs")),
            root=self.out,
            experiments=".",
            runs="data",
        )

    @cached_property
    def _steps(self) -> list[dict[str, Any]]:
        """The steps of all its pipelines."""
        stages = [stage for stage in self.of.stages.values() if stage.do == "data"]
        return [s for each in stages for s in self.config("data", each.config)["steps"].values()]

    @property
    def layout(self) -> str:
        """The layout of responses: that of a method, else that of the recipe's sets."""
        if (own := layout_of(self.run)) is not None:
            return own
        mixes = [step for step in self._steps if step["step"] == "mix"]
        return str(next((step["tags"] for step in mixes if "tags" in step), "dianjin_r1"))

    @property
    def opens(self) -> bool:
        """Whether a set has open questions: multiple choice rewritten, or those of `open_file`."""
        return bool(self.open_file) or any(step["step"] == "rewrite" for step in self._steps)

    @property
    def open_file(self) -> str | None:
        """The file of the recipe's pipelines that is made of open questions; None for none."""
        return OPEN.get(self.recipe) if self.data is None else None

    @cached_property
    def pretrained(self) -> str | None:
        """The template of the base model's pretraining; None where it needs to know nothing.

        RL learns from what a model does at times, and an adapter from what it can do already.
        """
        for stage in self.of.stages.values():
            if stage.do == "rl" and stage.model == BASE:
                return template_of(self.rl(stage.config)) or "dianjin"
        filtered = self.data is None and self.recipe in PRETRAINED
        return "dianjin" if self.run.adapter or filtered else None

    def config(self, group: str, name: str | None) -> dict[str, Any]:
        """Return a file of `configs/GROUP`."""
        return read_mapping(folder("configs") / group / f"{name}.yaml")

    def rl(self, name: str | None) -> dict[str, Any]:
        """Return a file of `configs/recipe`, laid over those that it begins from."""
        return read_rl(folder("configs"), str(name))

    def _changes(self, method: str) -> bool:
        """Return whether a method changes a stage: RL, SFT by a file of its own, or the layout."""
        rl = any(stage.do == "rl" for stage in self.of.stages.values())
        sft = (folder("configs") / "sft" / f"{method}.yaml").is_file()
        return rl or sft or layout_of(replace(self.run, methods=(method,))) is not None

    def check(self) -> None:
        """Refuse what can't be run.

        Raises:
            DianjinError: There is no such recipe, method or file.
        """
        known = sorted(path.stem for path in (folder("configs") / "method").glob("*.yaml"))
        if unknown := [name for name in (self.of and self.methods) if name not in known]:
            raise DianjinError(f"there is no method {unknown[0]!r}; known: {', '.join(known)}")
        check_methods(self.of, self.run, self.of.stages)
        if idle := [name for name in self.methods if not self._changes(name)]:
            raise DianjinError(
                f"{self.recipe} has no RL, and the method {idle[0]} changes nothing else: leave it "
                "out, or choose another recipe"
            )
        if self.data is None:
            return
        name, _, file = self.data.partition(":")
        if name != "cflue" or not file:
            raise DianjinError(
                f"--data {self.data}: expected cflue:FILE, with CFLUE's knowledge.json"
            )
        if not Path(file).is_file():
            raise DianjinError(f"--data {self.data}: there is no file {file}")
