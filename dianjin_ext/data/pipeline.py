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

A `read` without files is left out, and so is a step of whose inputs none is there. Rows pass by a
step that is `optional: true` where a model that it needs is not named, or where it takes candidates
and there are none, and by a `decontaminate` that has nothing to compare with. `models: {teacher:
writer}` gives a role to another model.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any, get_type_hints

import yaml

from dianjin_ext.data.steps import ASKS, SETTINGS, get_step
from dianjin_ext.data.steps.base import RowStep
from dianjin_ext.data.steps.read_settings import read_step_settings
from dianjin_ext.errors import DianjinError
from dianjin_ext.inference.models import Models, read_models

_KEYS = ("name", "about", "files", "models", "steps")
_OF_ALL = ("step", "from", "files", "models", "optional")


@dataclass(frozen=True)
class Planned:
    """A step of a pipeline.

    Attributes:
        name: In the pipeline; its output is `NAME.parquet`, or the folder `NAME` of a mix.
        step: What it does.
        settings: Of the step; paths in them that name earlier steps are left as they are.
        sources: Names of the earlier steps that it takes the rows of.
        files: What a `read` reads.
        models: Whom it asks, by role.
    """

    name: str
    step: str
    settings: Any
    sources: tuple[str, ...]
    files: tuple[Path, ...]
    models: Models

    def output(self, out: Path) -> Path:
        """Return where the rows go."""
        return out / (self.name if self.step == "mix" else f"{self.name}.parquet")


@dataclass(frozen=True)
class Pipeline:
    """Steps in their order.

    Attributes:
        name: Of the pipeline.
        file: Where it stands.
        steps: Those that have inputs and models.
        left_out: Names of the others.
    """

    name: str
    file: Path
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
    named = {name: own for name, own in (given.get("models") or {}).items() if own is not None}
    plan = _Plan(file, read_models(named))
    for name, own in steps.items():
        plan.add(str(name), own)
    if not plan.steps:
        files = ", ".join(f"files.{name}=FILE" for name in given.get("files") or {})
        raise DianjinError(f"{file}: there is no file to begin with; name some: {files}")
    left_out = [str(name) for name in steps if name not in plan.steps]
    name = str(given.get("name") or file.stem)
    return Pipeline(name, file, tuple(plan.steps.values()), tuple(left_out))


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
    # Else a slip would be passed over in silence. Models that no step asks may be named, so that
    # the same words go with every pipeline.
    for part, nearness in (("files", 0.0), ("models", 0.75)):
        known = [str(name) for name in loaded.get(part) or ()]
        for name in map(str, given.get(part) or ()):
            if name not in known and (get_close_matches(name, known, 1, nearness) or not nearness):
                names = ", ".join(f"{part}.{each}" for each in known) or "none"
                raise DianjinError(f"{file}: {part}.{name} is not known; known: {names}")
    return {str(key): value for key, value in given.items()}


class _Plan:
    """The steps so far, and what stands for those that are left out."""

    def __init__(self, file: Path, models: Models) -> None:
        self.file, self.models = file, models
        self.steps: dict[str, Planned] = {}
        self._instead: dict[str, tuple[str, ...]] = {}

    def add(self, name: str, own: Any) -> None:
        """Add a step, or leave it out."""
        where = f"{self.file}: steps.{name}"
        if not isinstance(own, Mapping) or not isinstance(own.get("step"), str):
            raise DianjinError(f"{where}: expected a mapping with step: NAME")
        if not name.replace("_", "").replace("-", "").isalnum():
            raise DianjinError(f"{where}: a name of letters, digits, - and _ is expected")
        kind = own["step"]
        if kind not in SETTINGS:
            raise DianjinError(f"{where}: there is no step {kind!r}; known: {', '.join(SETTINGS)}")
        files = tuple(map(Path, _names(own.get("files"))))
        _check_inputs(own, files, where)
        sources = self._resolved(_names(own.get("from")), f"{where}.from")
        keys = {str(key): value for key, value in own.items() if key not in _OF_ALL}
        for name_ in path_settings(SETTINGS[kind]):
            if name_ in keys:
                keys[name_] = self._paths(_names(keys[name_]))
        models = self._roles(kind, own.get("models") or {}, where)
        settings = read_step_settings(kind, keys, where)
        missing = [role for role in _needs(kind, settings) if role not in models]
        takes_others = (
            get_step(kind).takes == "candidates" and bool(sources) and not self._candidates(sources)
        )
        if kind == "decontaminate" and not settings.against:
            self._instead[name] = sources
        elif not (files or sources):
            self._instead[name] = ()
        elif (missing or takes_others) and own.get("optional"):
            self._instead[name] = sources
        elif missing:
            role = (own.get("models") or {}).get(missing[0], missing[0])
            raise DianjinError(
                f"{where} asks a {role}; name it: models.{role}.model=NAME "
                f"models.{role}.base_url=URL"
            )
        elif takes_others:
            raise DianjinError(
                f"{where}: {kind} takes candidates, as distill, search and sample write them; "
                f"{', '.join(sources)} has questions"
            )
        else:
            self.steps[name] = Planned(name, kind, settings, sources, files, models)

    def _resolved(self, names: Sequence[str], where: str) -> tuple[str, ...]:
        found: dict[str, None] = {}  # keeps their order
        for name in names:
            if name in self._instead:
                found |= dict.fromkeys(self._instead[name])
            elif name in self.steps:
                found[name] = None
            else:
                known = ", ".join(self.steps) or "none"
                raise DianjinError(f"{where}: there is no earlier step {name!r}; earlier: {known}")
        return tuple(found)

    def _candidates(self, sources: Sequence[str]) -> bool:
        """Return whether one of the steps writes candidates."""
        planned = [self.steps[name] for name in sources]
        return any(
            step.gives == "candidates"
            if isinstance(step := get_step(each.step), RowStep)
            else self._candidates(each.sources)
            for each in planned
        )

    def _paths(self, values: Sequence[Any]) -> list[str]:
        """Return files and the names of earlier steps, without those that are left out."""
        named = (str(value) for value in values if value)
        return [n for name in named for n in self._instead.get(name, (name,))]

    def _roles(self, kind: str, own: Any, where: str) -> Models:
        if not isinstance(own, Mapping):
            raise DianjinError(f"{where}.models: expected role to the name of a model")
        for role in own:
            if role not in ASKS.get(kind, ()):
                roles = ", ".join(ASKS.get(kind, ())) or "nobody"
                raise DianjinError(f"{where}.models: a step {kind} asks {roles}, not {role!r}")
        given = {role: own.get(role, role) for role in ASKS.get(kind, ())}
        return {role: self.models[name] for role, name in given.items() if name in self.models}


def path_settings(settings: type[Any]) -> list[str]:
    """Return which settings of a step are lists of files, or of names of earlier steps."""
    hints = get_type_hints(settings)
    return [field.name for field in fields(settings) if hints[field.name] == tuple[Path, ...]]


def _check_inputs(own: Mapping[str, Any], files: Sequence[Path], where: str) -> None:
    if own["step"] == "read":
        if own.get("from"):
            raise DianjinError(f"{where}: a read has files, not from")
        if missing := next((path for path in files if not path.is_file()), None):
            raise DianjinError(f"{where}.files: there is no file {missing}")
    elif files:
        raise DianjinError(f"{where}: only a read has files; the others have from: STEP")
    elif not _names(own.get("from")):
        raise DianjinError(f"{where}: from is missing: the step whose rows it takes")


def _needs(kind: str, settings: Any) -> tuple[str, ...]:
    step = get_step(kind)
    return step.needs(settings) if isinstance(step, RowStep) else ()


def _names(value: Any) -> list[str]:
    if value is None:
        return []
    return [str(item) for item in value if item] if isinstance(value, list) else [str(value)]
