"""The commands of a stage, as a user would type them."""

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final

import yaml

from dianjin_ext.data.steps import SETTINGS
from dianjin_ext.errors import DianjinError
from dianjin_ext.recipes.methods import check_methods, layout_of
from dianjin_ext.recipes.places import Run
from dianjin_ext.recipes.recipe import BASE, Recipe, Stage
from dianjin_ext.recipes.sampling import rollout_sampling
from dianjin_ext.yaml_keys import read_mapping

TINY: Final = "tiny"
_PLAIN: Final = "sft.yaml"
_ADAPTER: Final = "lora"


@dataclass(frozen=True)
class Command:
    """A command and the environment variables that it needs beside the user's."""

    words: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)

    def argv(self) -> tuple[str, ...]:
        """Return it as one list of words, with `env` before it where it needs variables."""
        variables = tuple(f"{name}={value}" for name, value in self.environment.items())
        return ("env", *variables, *self.words) if variables else self.words

    def __str__(self) -> str:
        variables = [f"{name}={shlex.quote(value)}" for name, value in self.environment.items()]
        return " ".join([*variables, *map(_quoted, self.words)])


def commands(
    recipe: Recipe, name: str, run: Run, extra: tuple[str, ...] = (), *, model: str | None = None
) -> list[Command]:
    """Return the commands of a stage, in order; the first does its work.

    Args:
        recipe: The recipe.
        name: Of the stage.
        run: How and where it is run.
        extra: Words for the program that does the stage's work, after its own.
        model: Trained, sampled, asked or served in the place of the stage's own.

    Raises:
        DianjinError: There is no such stage, size, platform or method, or no model to start from.
    """
    _check_groups(run)
    stage = recipe.stage(name)
    check_methods(recipe, run, {name: stage})
    if stage.do == "merge":
        return _merge(recipe, name, stage, run, extra)
    if model is None and stage.model is not None:
        model = run.model(recipe, stage.model)
    return _MAKERS[stage.do](recipe, name, stage, run, model or "", extra)


def _data(
    recipe: Recipe, name: str, stage: Stage, run: Run, model: str, extra: tuple[str, ...]
) -> list[Command]:
    words = ["dianjin", "build", f"{run.configs}/data/{stage.config}.yaml"]
    if run.runs != Run.runs:
        words += ["--out", run.built(stage)]
    if model:
        words.append(f"models.student.model={model}")
    words += [f"{key}={value}" for key, value in stage.set.items()]
    if (layout := layout_of(run)) is not None:
        steps = read_mapping(_root(run) / f"data/{stage.config}.yaml").get("steps")
        words += [f"steps.{step}.tags={layout}" for step in _with_layout(steps)]
    return [Command((*words, *extra))]


def _with_layout(steps: Any) -> list[str]:
    """Return the steps of a pipeline that read a layout; its reader says what is wrong with one."""
    kinds = {
        step: own.get("step")
        for step, own in (steps.items() if isinstance(steps, dict) else ())
        if isinstance(own, dict)
    }
    return [
        str(step)
        for step, kind in kinds.items()
        if kind in SETTINGS and "tags" in (each.name for each in fields(SETTINGS[kind]))
    ]


def _sft(
    recipe: Recipe, name: str, stage: Stage, run: Run, model: str, extra: tuple[str, ...]
) -> list[Command]:
    assert stage.data is not None
    data = recipe.stage(stage.data)
    out = run.trained(recipe, name)
    plain = "sft_tiny.yaml" if run.size == TINY else _PLAIN
    keys: dict[str, Any] = {
        "model_name_or_path": model,
        "dataset_dir": f"{run.built(data)}/set",
        "dataset": ",".join(run.datasets(data)),
        "output_dir": out,
    }
    keys |= sft_keys(run, stage.config)
    words = ["llamafactory-cli", "train", f"{run.configs}/{plain}"]
    words += [f"{key}={_text(value)}" for key, value in _flat(keys).items()]
    words += extra
    if split := [word for word in words if word.split() != [word]]:
        raise DianjinError(
            f"{split[0]!r} has a space, at which LLaMA-Factory splits its arguments: name a path "
            "without one, or write the value into a YAML file"
        )
    made = [Command(tuple(words), {"FORCE_TORCHRUN": "1"})]
    if run.adapter:
        own = {key: value for word in extra for key, sign, value in [word.partition("=")] if sign}
        trained = _read(run, plain) | keys | own
        out = trained["output_dir"]
        parts = {
            "model_name_or_path": trained["model_name_or_path"],
            "adapter_name_or_path": out,
            "template": trained["template"],
            "export_dir": f"{out}/merged" if "output_dir" in own else run.model(recipe, name),
        }
        options = [word for key, value in parts.items() for word in (f"--{key}", value)]
        made.append(Command(("llamafactory-cli", "export", *options)))
    return made


def sft_keys(run: Run, config: str | None) -> dict[str, Any]:
    """Return what differs from the plain configuration of SFT: of recipe, size, both, and methods.

    At size `tiny` the plain file decides what it names: a learning rate for billions of parameters
    is none for half a million.
    """
    keys = _read(run, f"sft/{config}.yaml") if config else {}
    for name in (run.size, f"{config}_{run.size}"):
        if (_root(run) / "sft" / f"{name}.yaml").is_file():
            keys |= _read(run, f"sft/{name}.yaml")
    if run.size == TINY:
        keys = {key: value for key, value in keys.items() if key not in _read(run, "sft_tiny.yaml")}
        keys = {key: value for key, value in keys.items() if not key.startswith("lr_scheduler")}
    for method in run.methods:
        if (_root(run) / "sft" / f"{method}.yaml").is_file():
            own = _read(run, f"sft/{method}.yaml")
            keys |= {k: v for k, v in own.items() if (run.size, k) != (TINY, "learning_rate")}
    return keys


def _verifier(
    recipe: Recipe, name: str, stage: Stage, run: Run, model: str, extra: tuple[str, ...]
) -> list[Command]:
    """Return the training of a verifier; at size `tiny` it begins as the recipe's model does."""
    assert stage.data is not None
    tiny = run.size == TINY
    if tiny and not model:
        model = run.model(recipe, BASE)
    words = ["dianjin", "train-verifier"]
    words.append(f"{run.configs}/{'verifier_tiny.yaml' if tiny else 'verifier.yaml'}")
    words.append(f"answers={run.built(recipe.stage(stage.data))}/set/candidates.parquet")
    words += [f"model={model}"] if model else []
    words.append(f"out={run.trained(recipe, name)}")
    return [Command((*words, *extra))]


def _rl(
    recipe: Recipe, name: str, stage: Stage, run: Run, model: str, extra: tuple[str, ...]
) -> list[Command]:
    assert stage.data is not None
    built = f"{run.built(recipe.stage(stage.data))}/set/rl"
    configs = str(_root(run).absolute())  # hydra's demand
    words = [
        *("python", "-m", "verl.trainer.main_ppo"),
        *("--config-path", configs, "--config-name", "rl"),
        *(f"recipe={stage.config}", f"size={run.size}", f"platform={run.platform}"),
        *_group("method", run.methods),
        *_group("tiny", [each for each in (stage.config, *run.methods) if _is_tiny(run, each)]),
        f"actor_rollout_ref.model.path={for_hydra(model)}",
        f"data.train_files={for_hydra(f'{built}/train.parquet')}",
        f"data.val_files={for_hydra(f'{built}/val.parquet')}",
        f"trainer.default_local_dir={for_hydra(run.trained(recipe, name))}",
    ]
    environment = {"VERL_PLATFORM": "cpu"} if run.platform == "cpu" else {}
    return [Command((*words, *extra), environment)]


def for_hydra(text: str) -> str:
    """Return a text as hydra reads it on a command line: in quotes where its grammar needs them."""
    plain = re.fullmatch(r"[A-Za-z0-9_/.:@%+*?|-]+", text) and isinstance(yaml.safe_load(text), str)
    return text if plain else '"' + text.replace('"', '\\"') + '"'


def _group(name: str, chosen: Sequence[str | None]) -> list[str]:
    return [f"{name}=[{','.join(map(str, chosen))}]"] if chosen else []


def _is_tiny(run: Run, name: str | None) -> bool:
    """Return whether a recipe or a method needs something else at size `tiny`."""
    return run.size == TINY and (_root(run) / TINY / f"{name}.yaml").is_file()


def _merge(
    recipe: Recipe, name: str, stage: Stage, run: Run, extra: tuple[str, ...]
) -> list[Command]:
    assert stage.model is not None
    words = ["dianjin", "merge", run.checkpoint(recipe, stage.model), run.model(recipe, name)]
    if run.adapter:
        words.append("--merge-lora")
    return [Command((*words, *extra))]


def _eval(
    recipe: Recipe, name: str, stage: Stage, run: Run, model: str, extra: tuple[str, ...]
) -> list[Command]:
    words = ["dianjin", "eval", "--settings", f"{run.configs}/eval/{stage.config}.yaml"]
    words += ["--model", model, "--out", run.trained(recipe, name)]
    return [Command((*words, *extra))]


def _serve(
    recipe: Recipe, name: str, stage: Stage, run: Run, model: str, extra: tuple[str, ...]
) -> list[Command]:
    if run.platform == "cpu":
        words = ("python", "-m", "dianjin_ext.inference.local", model, "--port", "8901")
        return [Command((*words, *extra))]
    environment = {"MODEL": model}
    trained = recipe.trained_by(stage)
    if trained.do == "rl" and trained.config is not None:
        sampling = rollout_sampling(trained.config, run.size, _root(run))
        environment |= {name.upper(): f"{value:g}" for name, value in sampling.items()}
    return [Command(("bash", "examples/serve.sh", *extra), environment)]


_MAKERS: Final = {
    "data": _data,
    "sft": _sft,
    "verifier": _verifier,
    "rl": _rl,
    "eval": _eval,
    "serve": _serve,
}


def _root(run: Run) -> Path:
    return run.root / run.configs


def _check_groups(run: Run) -> None:
    chosen = [("size", run.size), ("platform", run.platform)]
    for group, name in chosen + [("method", method) for method in run.methods]:
        known = sorted(path.stem for path in (_root(run) / group).glob("*.yaml"))
        if name not in known:
            raise DianjinError(f"there is no {group} {name!r}; known: {', '.join(known) or 'none'}")


def _read(run: Run, name: str) -> dict[str, Any]:
    return read_mapping(_root(run) / name, "of LLaMA-Factory's keys")


def _flat(keys: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return keys with a dot for each mapping; LLaMA-Factory splits its arguments at spaces."""
    flat: dict[str, Any] = {}
    for key, value in keys.items():
        flat |= (
            _flat(value, f"{prefix}{key}.")
            if isinstance(value, dict)
            else {f"{prefix}{key}": value}
        )
    return flat


def _text(value: Any) -> str:
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _quoted(word: str) -> str:
    """Quote a word for the shell; the current folder is `$PWD` in it."""
    here, _, rest = word.partition(f"{Path.cwd()}/")
    if not here and rest and not set(rest) & set('"$`\\!'):
        return f'"$PWD/{rest}"'
    return shlex.quote(word)
