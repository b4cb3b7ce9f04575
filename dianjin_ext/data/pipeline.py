"""A data pipeline as YAML has it: steps by name, each from files or from earlier steps.

    name: fin_r1
    files: {finqa: null}            # given on the command line: files.finqa=train.json
    models:
      teacher: {model: deepseek-reasoner, base_url: https://…/v1, api_key_env: DEEPSEEK_API_KEY}
    steps:
      questions: {step: read, dataset: finqa, files: "${files.finqa}"}
      answers: {step: distill, from: questions, samples: 4}
      right: {step: verify, from: answers}
      set: {step: mix, from: right}

A `read` without files is left out, and so is a step of whose inputs none is there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import yaml

from dianjin_ext.data.models import Models, read_models
from dianjin_ext.data.steps import SETTINGS, get_step
from dianjin_ext.data.steps.base import RowStep
from dianjin_ext.data.steps.read_settings import read_step_settings
from dianjin_ext.errors import DianjinError

_KEYS = ("name", "about", "files", "models", "steps")


@dataclass(frozen=True)
class Planned:
    """A step of a pipeline.

    Attributes:
        name: In the pipeline; its output is `NAME.parquet`, or the folder `NAME` of a mix.
        step: What it does.
        settings: Of the step; paths in them that name earlier steps are left as they are.
        sources: Names of the earlier steps that it takes the rows of.
        files: What a `read` reads.
    """

    name: str
    step: str
    settings: Any
    sources: tuple[str, ...]
    files: tuple[Path, ...]

    def output(self, out: Path) -> Path:
        """Return where the rows go."""
        return out / (self.name if self.step == "mix" else f"{self.name}.parquet")


@dataclass(frozen=True)
class Pipeline:
    """Steps in their order, and whom they ask."""

    name: str
    file: Path
    models: Models
    steps: tuple[Planned, ...]
    left_out: tuple[str, ...]


def load_pipeline(file: Path, overrides: Sequence[str] = ()) -> Pipeline:
    """Read a pipeline.

    Args:
        file: The YAML file; `${oc.env:NAME}` in it is an environment variable.
        overrides: `key.key=value`, each in the place of what the file has.

    Raises:
        DianjinError: It can't be read, or a key, step, model or input in it is not known.
    """
    given = _load(file, overrides)
    if unknown := sorted(given.keys() - set(_KEYS)):
        raise DianjinError(f"{file}: {unknown[0]} is not known; known: {', '.join(_KEYS)}")
    steps = given.get("steps")
    if not isinstance(steps, Mapping) or not steps:
        raise DianjinError(f"{file}: expected steps: a mapping of names to steps")
    models = {name: own for name, own in (given.get("models") or {}).items() if own is not None}
    planned: list[Planned] = []
    left_out: list[str] = []
    for name, own in steps.items():
        found = _planned(str(name), own, [each.name for each in planned], left_out, file)
        if found is None:
            left_out.append(str(name))
        else:
            planned.append(found)
    if not planned:
        named = ", ".join(f"files.{name}=FILE" for name in given.get("files") or {})
        raise DianjinError(f"{file}: there is no file to begin with; name some: {named}")
    pipeline = Pipeline(
        str(given.get("name") or file.stem),
        file,
        read_models(models),
        tuple(planned),
        tuple(left_out),
    )
    _check_models(pipeline)
    return pipeline


def _load(file: Path, overrides: Sequence[str]) -> dict[str, Any]:
    try:
        from omegaconf import OmegaConf
        from omegaconf.errors import OmegaConfBaseException
    except ModuleNotFoundError as error:
        raise DianjinError(
            f"a pipeline needs {error.name}; pip install 'dianjin-ext[data]'"
        ) from error
    for text in overrides:
        if "=" not in text:
            raise DianjinError(f"{text!r}: expected key=value, such as files.finqa=train.json")
    try:
        loaded = OmegaConf.load(file)
        merged = OmegaConf.merge(loaded, OmegaConf.from_dotlist(list(overrides)))
        given = OmegaConf.to_container(merged, resolve=True)
    except (OSError, ValueError, yaml.YAMLError, OmegaConfBaseException) as error:
        raise DianjinError(f"{file}: can't be read as a pipeline ({error})") from None
    if not isinstance(given, dict):
        raise DianjinError(f"{file}: expected a mapping with name, models and steps")
    return {str(key): value for key, value in given.items()}


def _planned(
    name: str, own: Any, earlier: Sequence[str], left_out: Sequence[str], file: Path
) -> Planned | None:
    where = f"{file}: steps.{name}"
    if not isinstance(own, Mapping) or not isinstance(own.get("step"), str):
        raise DianjinError(f"{where}: expected a mapping with step: NAME")
    if not name.replace("_", "").replace("-", "").isalnum():
        raise DianjinError(f"{where}: a name of letters, digits, - and _ is expected")
    step = own["step"]
    if step not in SETTINGS:
        raise DianjinError(f"{where}: there is no step {step!r}; known: {', '.join(SETTINGS)}")
    keys = {str(key): value for key, value in own.items() if key not in ("step", "from", "files")}
    sources = _names(own.get("from"))
    for source in sources:
        if source not in earlier and source not in left_out:
            raise DianjinError(
                f"{where}.from: there is no earlier step {source!r}; "
                f"earlier: {', '.join(earlier) or 'none'}"
            )
    files = _names(own.get("files"))
    if step == "read":
        if sources:
            raise DianjinError(f"{where}: a read has files, not from")
        if not files:
            return None
        if missing := next((path for path in map(Path, files) if not path.is_file()), None):
            raise DianjinError(f"{where}.files: there is no file {missing}")
    elif files:
        raise DianjinError(f"{where}: only a read has files; the others have from: STEP")
    elif not sources:
        raise DianjinError(f"{where}: from is missing: the step whose rows it takes")
    present = tuple(source for source in sources if source not in left_out)
    if sources and not present:
        return None
    for field in fields(SETTINGS[step]):
        value = keys.get(field.name)
        if isinstance(value, list):  # names of steps that are left out
            keys[field.name] = [item for item in value if item not in left_out]
    if step == "decontaminate" and not keys.get("against"):
        raise DianjinError(f"{where}.against: name what is kept for evaluation, or drop the step")
    settings = read_step_settings(step, keys, where)
    return Planned(name, step, settings, present, tuple(map(Path, files)))


def _names(value: Any) -> list[str]:
    if value is None:
        return []
    return [str(item) for item in value if item] if isinstance(value, list) else [str(value)]


def _check_models(pipeline: Pipeline) -> None:
    for planned in pipeline.steps:
        step = get_step(planned.step)
        needs = step.needs if isinstance(step, RowStep) else ()
        if missing := [role for role in needs if role not in pipeline.models]:
            raise DianjinError(
                f"{pipeline.file}: steps.{planned.name} asks a {missing[0]}; name it: "
                f"models.{missing[0]}.model=NAME models.{missing[0]}.base_url=URL"
            )
