"""Where a run of a recipe has its files: one folder a recipe and size, one in it a training."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from dianjin_ext.errors import DianjinError
from dianjin_ext.recipes.recipe import BASE, Recipe, Stage

_TRACKER: Final = "latest_checkpointed_iteration.txt"  # of verl


@dataclass(frozen=True)
class Run:
    """How a recipe is run, and where.

    Attributes:
        size: A file of `configs/size`.
        platform: A file of `configs/platform`.
        methods: Files of `configs/method`; one that SFT knows too has a file in `configs/sft`.
        base: The model to start from; None is the recipe's for `size`.
        configs: The folder of the configurations, as the commands name it.
        root: The folder that the commands run in, and that relative paths are meant from.
        experiments: The folder for models; None is `experiments/PROJECT-SIZE`.
        runs: The folder for data sets, one in it a pipeline.
    """

    size: str
    platform: str = "gpu"
    methods: tuple[str, ...] = ()
    base: str | None = None
    configs: str = "configs"
    root: Path = field(default_factory=Path)
    experiments: str | None = None
    runs: str = "runs"

    def folder(self, recipe: Recipe) -> str:
        """Return the folder of the recipe's models."""
        return self.experiments or f"experiments/{recipe.project}-{self.size.upper()}"

    def trained(self, recipe: Recipe, name: str) -> str:
        """Return the folder of a training."""
        return f"{self.folder(recipe)}/{name}"

    def built(self, stage: Stage) -> str:
        """Return the folder of a build, which holds the set."""
        return f"{self.runs}/{stage.set.get('name', stage.config)}"

    def model(self, recipe: Recipe, name: str) -> str:
        """Return the folder or the name of the model that a stage names.

        Raises:
            DianjinError: The recipe has no model of this size to start from.
        """
        if name == BASE:
            found = self.base or recipe.base.get(self.size)
            if found is None:
                sizes = ", ".join(recipe.base)
                raise DianjinError(
                    f"{recipe.name} starts from no model of size {self.size} (it has {sizes}); "
                    "name one with --model"
                )
            return found
        stage = recipe.stage(name)
        if stage.do == "merge":
            assert stage.model is not None
            return f"{self.trained(recipe, stage.model)}/merged"
        if stage.do == "sft" and self.adapter:
            return f"{self.trained(recipe, name)}/merged"
        return self.trained(recipe, name)

    @property
    def adapter(self) -> bool:
        """Whether what is trained is an adapter."""
        return "lora" in self.methods

    def checkpoint(self, recipe: Recipe, name: str) -> str:
        """Return the newest checkpoint of an RL stage; `global_step_N` where there is none yet."""
        trained = self.trained(recipe, name)
        try:
            step = int((self.root / trained / _TRACKER).read_text())
        except (OSError, ValueError):
            return f"{trained}/global_step_N"
        return f"{trained}/global_step_{step}"

    def datasets(self, stage: Stage) -> list[str]:
        """Return LLaMA-Factory's names for a build's sets; until it ran, all that it can have."""
        files = sorted((self.root / self.built(stage) / "set" / "sft").glob("*.json"))
        return [f"dianjin_{name}" for name in ([file.stem for file in files] or stage.sources)]
