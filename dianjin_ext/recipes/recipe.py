"""A recipe: the stages of a published system, read from `configs/stages` and checked."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal, Self

from pydantic import Field, model_validator

from dianjin_ext.errors import DianjinError
from dianjin_ext.resources import folder
from dianjin_ext.rewards.policy import Model, build
from dianjin_ext.yaml_keys import read_mapping

Kind = Literal["data", "sft", "verifier", "rl", "merge", "eval", "serve"]

BASE: Final = "base"
"""The name of the model that a recipe starts from, where a stage names a model."""

# Where the file that `config` names lies, and of which kind the stages are that it may start from.
_FOLDERS: Final = {"data": "data", "sft": "sft", "rl": "recipe", "eval": "eval"}
_MODELS: Final = {"data": ("merge",), "merge": ("rl",)}
_ANY: Final = ("sft", "merge")


class Stage(Model):
    """One stage.

    Attributes:
        do: What kind it is.
        config: The file that says how, in `configs/data`, `configs/recipe` or `configs/eval`; of
            SFT in `configs/sft`, with the keys that differ from `configs/sft.yaml`.
        model: An earlier stage, or `base`: the model that is trained, merged, asked or served. Of
            data: the model that is sampled. A verifier has one of its own, in its settings.
        data: The stage whose set is trained on; a verifier is trained on all answers of it.
        sources: Of data: the data sources that the set can have.
        set: Of data: values in the place of the pipeline's.
    """

    do: Kind
    config: str | None = None
    model: str | None = None
    data: str | None = None
    sources: list[str] = Field(default_factory=list)
    set: dict[str, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _has_what_it_needs(self) -> Self:
        needs = {"data": ("config", "sources"), "sft": ("model", "data"), "verifier": ("data",),
                 "rl": ("config", "model", "data"), "eval": ("config", "model")
                 }.get(self.do, ("model",))  # fmt: skip
        takes = {*needs, "do"} | {"data": {"model", "set"}, "sft": {"config"}}.get(self.do, set())
        for key in needs:
            if not getattr(self, key):
                raise ValueError(f"a stage of kind {self.do} needs {key}")
        if extra := sorted(self.model_fields_set - takes):
            raise ValueError(f"a stage of kind {self.do} has no {extra[0]}")
        return self


class Recipe(Model):
    """A recipe.

    Attributes:
        name: The file's.
        about: What the system does, in a line.
        project: What its folder under `experiments` begins with; a size follows.
        base: Size to the model that it starts from.
        stages: By name, in order.
    """

    name: str
    about: str
    project: str = Field(pattern=r"^[\w.-]+$")
    base: dict[str, str] = Field(min_length=1)
    stages: dict[str, Stage] = Field(min_length=1)

    def stage(self, name: str) -> Stage:
        """Return a stage.

        Raises:
            DianjinError: There is none of that name.
        """
        if name not in self.stages:
            raise DianjinError(
                f"{self.name} has no stage {name!r}; its stages: {', '.join(self.stages)}"
            )
        return self.stages[name]

    def trained_by(self, stage: Stage) -> Stage:
        """Return the stage that trains the model which a stage asks or serves, or the stage."""
        while stage.do not in ("sft", "rl") and stage.model in self.stages:
            stage = self.stages[stage.model]
        return stage


def recipe_names(configs: Path | None = None) -> list[str]:
    """Return the names of the recipes in a folder like `configs`; None is the package's."""
    return sorted(path.stem for path in ((configs or folder("configs")) / "stages").glob("*.yaml"))


def get_recipe(name: str, configs: Path | None = None) -> Recipe:
    """Return a recipe.

    Args:
        name: Of a file in `stages`.
        configs: A folder like `configs`; None is the package's.

    Raises:
        DianjinError: There is none, or something in it is wrong; the message names file and key.
    """
    configs = configs or folder("configs")
    file = configs / "stages" / f"{name}.yaml"
    if name not in (names := recipe_names(configs)):
        raise DianjinError(f"there is no recipe {name!r}; known: {', '.join(names) or 'none'}")
    given = read_mapping(file, "with about, project, base and stages")
    recipe = build(Recipe, {"name": name, **given}, str(file))
    _check(recipe.stages, file, configs)
    return recipe


def _check(stages: Mapping[str, Stage], file: Path, configs: Path) -> None:
    earlier: dict[str, Any] = {}
    for name, stage in stages.items():
        where = f"{file}: stages.{name}"
        if not name.isidentifier() or name == BASE:
            raise DianjinError(f"{where}: expected a name of letters, digits and _, not {BASE!r}")
        if stage.config is not None:
            config = configs / _FOLDERS[stage.do] / f"{stage.config}.yaml"
            if not config.is_file():
                raise DianjinError(f"{where}.config: there is no file {config}")
        kinds = _MODELS.get(stage.do, _ANY)
        may_be_base = stage.do in ("sft", "rl", "eval", "serve")
        if stage.model is not None and not (stage.model == BASE and may_be_base):
            _refer(earlier, stage.model, kinds, f"{where}.model")
        if stage.data is not None:
            _refer(earlier, stage.data, ("data",), f"{where}.data")
        earlier[name] = stage


def _refer(earlier: Mapping[str, Stage], name: str, kinds: tuple[str, ...], where: str) -> None:
    fitting = [each for each, stage in earlier.items() if stage.do in kinds]
    if name not in fitting:
        raise DianjinError(
            f"{where} is {name!r}; expected an earlier stage of kind {' or '.join(kinds)}: "
            f"{', '.join(fitting) or 'there is none'}"
        )
