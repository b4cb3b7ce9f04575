"""What the commands of the steps and `dianjin build` do with their arguments."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console

from dianjin_ext.data.build import build, told
from dianjin_ext.data.pipeline import load_pipeline
from dianjin_ext.data.run_step import Engine, run_step
from dianjin_ext.data.steps import get_step
from dianjin_ext.data.steps.base import RowStep
from dianjin_ext.data.steps.read_settings import read_step_settings
from dianjin_ext.errors import DianjinError
from dianjin_ext.inference.models import read_models
from dianjin_ext.inference.settings import AskSettings
from dianjin_ext.outputs import check_output


def run_command(
    name: str,
    *,
    source: Path | Sequence[Path],
    out: Path,
    settings: Mapping[str, Any],
    roles: Sequence[str] = (),
    models: Path | None = None,
    journal: Path | None = None,
    engine: str = "local",
    overwrite: bool = False,
    **asked: Any,
) -> None:
    """Run one step on files.

    Args:
        name: Of the step.
        source: Its input.
        out: Its output.
        settings: Of the step, as the command line gives them.
        roles: The models that it may ask.
        models: A YAML file of models by role.
        journal: Folder of the replies.
        engine: `local` or `ray`.
        overwrite: Replace what is there.
        asked: `ROLE_model`, `ROLE_url` and `ROLE_key` of each role; for all but the judge `model`.

    Raises:
        DianjinError: An argument doesn't fit, or whatever the step raises.
    """
    step = get_step(name)
    inputs = [source] if isinstance(source, Path) else list(source)
    for path in inputs:
        if not path.is_file():
            raise DianjinError(f"there is no file {path}")
    if name == "mix":
        _check_folder(out, overwrite=overwrite)
    else:
        named = [p for value in settings.values() if isinstance(value, list) for p in value]
        read = [*inputs, *(path for path in named if isinstance(path, Path))]
        check_output(out, inputs=read, overwrite=overwrite)
    given = {key: _mapping(key, value) for key, value in settings.items() if value is not None}
    own = read_step_settings(name, given, name)
    if not isinstance(step, RowStep):
        report = step.run(inputs, out, own)
    else:
        report = run_step(
            step,
            inputs,
            out,
            settings=own,
            models=_models(roles, models, asked),
            journal=journal or out.with_suffix(".journal"),
            engine=parse_engine(engine),
        )
    Console(highlight=False).print(f"{out}: {told(report)}", markup=False, soft_wrap=True)


def build_command(
    pipeline: Path, overrides: Sequence[str], *, out: Path | None, engine: str, dry_run: bool
) -> None:
    """Run a pipeline, or say what it would ask.

    Raises:
        DianjinError: See `dianjin_ext.data.build.build`.
    """
    loaded = load_pipeline(pipeline, overrides)
    folder = out if out is not None else Path("runs", loaded.name)
    if dry_run:
        from dianjin_ext.data.dry_run import dry_run as say

        say(loaded, folder)
        return
    steps = build(loaded, folder, engine=parse_engine(engine))
    console = Console(highlight=False)
    console.print(
        f"{folder}: done; {folder / 'card.md'} and card.html say what is in it",
        markup=False,
        soft_wrap=True,
    )
    for step in steps:
        if step["step"] == "mix":
            for line in next_commands(folder / step["out"], step["report"]):
                console.print(f"  {line}", markup=False, soft_wrap=True)


def next_commands(made: Path, report: Mapping[str, Any]) -> list[str]:
    """Return the commands that train on a set.

    Args:
        made: Its folder.
        report: What `mix` counted.
    """
    lines = []
    if report["sft"]:
        names = ",".join(f"dianjin_{source.replace('/', '_')}" for source in report["sft"])
        lines.append(f"llamafactory-cli train configs/sft.yaml dataset_dir={made} dataset={names}")
    if report["rl"] and report["val"]:
        files = f"TRAIN_FILES={made}/rl/train.parquet VAL_FILES={made}/rl/val.parquet"
        lines.append(f"{files} bash examples/grpo_7b.sh")
    return lines


def parse_engine(text: str) -> Engine:
    """Return the engine that a text names.

    Raises:
        DianjinError: It names none.
    """
    if text == "local":
        return "local"
    if text == "ray":
        return "ray"
    raise DianjinError(f"--engine: expected local or ray, found {text!r}")


def _models(
    roles: Sequence[str], file: Path | None, asked: Mapping[str, Any]
) -> dict[str, AskSettings]:
    given: dict[str, Any] = {}
    if file is not None:
        try:
            given = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
        except (OSError, yaml.YAMLError) as error:
            raise DianjinError(f"{file}: can't be read as YAML ({error})") from None
        if not isinstance(given, dict):
            raise DianjinError(f"{file}: expected a mapping of roles, such as teacher: {{…}}")
    for role in roles:
        name = asked["judge_model" if role == "judge" else "model"]
        if name is not None:
            own = {"model": name, "base_url": asked[f"{role}_url"]}
            own |= {"api_key_env": asked[f"{role}_key"]}
            given[role] = {**(given.get(role) or {}), **own}
    return read_models(given, str(file) if file is not None else "models")


def _mapping(key: str, value: Any) -> Any:
    """Return `{a: 1}` for the texts `a=1` of an option."""
    if key not in ("sft", "rl", "difficulty") or not isinstance(value, list | tuple):
        return value
    pairs = [text.partition("=") for text in value]
    if odd := next((text for text, (_, sign, _) in zip(value, pairs, strict=True) if not sign), ""):
        raise DianjinError(f"--{key} {odd}: expected NAME=NUMBER")
    return {name: number for name, _, number in pairs}


def _check_folder(out: Path, *, overwrite: bool) -> None:
    if out.exists() and not out.is_dir():
        raise DianjinError(f"{out} is a file; expected a folder for the set")
    if not out.absolute().parent.is_dir():
        raise DianjinError(f"there is no folder {out.absolute().parent} to make {out.name} in")
    if out.exists() and any(out.iterdir()) and not overwrite:
        raise DianjinError(f"{out} is there already; choose another name, or pass --overwrite")
    if out.exists() and any(out.iterdir()) and not (out / "dataset_info.json").is_file():
        raise DianjinError(f"{out} holds something else than a set; choose another name")
