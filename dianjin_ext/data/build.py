"""`dianjin build`: run the steps of a pipeline, of which only those that changed."""

from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from rich.console import Console

from dianjin_ext.data.card import write_card
from dianjin_ext.data.manifest import describe, file_digest, read_manifest, write_manifest
from dianjin_ext.data.pipeline import Pipeline, Planned, path_settings
from dianjin_ext.data.run_step import Engine, run_step
from dianjin_ext.data.steps import get_step
from dianjin_ext.data.steps.base import RowStep
from dianjin_ext.errors import DianjinError
from dianjin_ext.inference.alone import alone


def build(pipeline: Pipeline, out: Path, *, engine: Engine = "local") -> list[dict[str, Any]]:
    """Run a pipeline into a folder.

    A step whose inputs, prompts, settings, models and version are those of the last build, and
    whose output is as that left it, is not run again. Whatever ends a build, the same call goes on,
    and no reply that came is asked for again.

    Args:
        pipeline: What is run.
        out: Folder for the output of each step, `journal/`, `manifest.json` and the card.
        engine: Who runs the steps that look at one row at a time.

    Returns:
        The steps as the manifest has them.

    Raises:
        Unanswered: Questions have no reply; the same call goes on with them.
        DianjinError: Something is wrong with an input, or another build writes to the folder.
    """
    console = Console(stderr=True, highlight=False)
    with alone(out, "build"):
        before = read_manifest(out)
        done: list[dict[str, Any]] = []
        digests: dict[str, str] = {}
        for planned in pipeline.steps:
            about = about_step(planned, digests)
            target = planned.output(out)
            known = before.get(planned.name)
            if known is not None and unchanged(known, about, target):
                console.print(f"{planned.name}: unchanged", markup=False)
                about = known
            else:
                report = _run(planned, pipeline, out, target, engine)
                about |= {"out": target.name, "sha256": file_digest(target), "report": report}
                console.print(f"{planned.name}: {told(report)}", markup=False, soft_wrap=True)
            digests[planned.name] = about["sha256"]
            done.append(about)
            kept = [s for name, s in before.items() if name not in digests]
            write_manifest(out, pipeline, done + [s for s in kept if s["name"] in _names(pipeline)])
        write_manifest(out, pipeline, done)
        write_card(out)
    return done


def resolved(settings: Any, outputs: Mapping[str, Path]) -> Any:
    """Return a step's settings with the files of the earlier steps that they name."""
    changed = {
        name: tuple(outputs.get(str(path), path) for path in getattr(settings, name))
        for name in path_settings(type(settings))
    }
    return replace(settings, **changed) if changed else settings


def about_step(planned: Planned, digests: Mapping[str, str]) -> dict[str, Any]:
    """Return a step as the manifest has it, before it is run.

    Args:
        planned: The step.
        digests: Of the outputs of the earlier steps, by name.

    Raises:
        DianjinError: A file that its settings name is not there.
    """
    inputs = {name: digests[name] for name in planned.sources}
    inputs |= {str(path): file_digest(path) for path in planned.files}
    also = {}
    for field in fields(planned.settings):
        value = getattr(planned.settings, field.name)
        for path in value if isinstance(value, tuple) else (value,):
            if isinstance(path, Path) and str(path) not in digests:
                if not path.exists():
                    raise DianjinError(f"steps.{planned.name}.{field.name}: there is no {path}")
                also[str(path)] = file_digest(path)
            elif isinstance(path, Path):
                also[str(path)] = digests[str(path)]
    return describe(planned, inputs, also)


def unchanged(known: dict[str, Any], about: dict[str, Any], target: Path) -> bool:
    """Return whether the last build did the same step, and its output is as it left it."""
    same = known.get("digest") == about["digest"] and target.exists()
    return same and file_digest(target) == known.get("sha256")


def told(report: dict[str, Any]) -> str:
    """Return one line about what became of a step's rows."""
    parts = []
    for name in ("rows", "written", "standing", "kept", "removed"):
        if name in report:
            parts.append(f"{report[name]} {name}")
    parts += [f"{number} of {file}" for file, number in report.get("by_file", {}).items()]
    for name in ("sft", "rl"):
        if name in report:
            parts.append(f"{sum(report[name].values())} for {name.upper()}")
    unused = sorted(report.get("unused", {}).items(), key=lambda each: -each[1])
    if left := [f"{why} {number}" for why, number in unused if number and "drawn" not in why]:
        parts.append(f"not used: {', '.join(left[:4])}")
    dropped = report.get("dropped") or {}
    if dropped:
        worst = [f"{reason} {number}" for reason, number in list(dropped.items())[:4]]
        parts.append(f"dropped: {', '.join(worst)}")
    spent = (report.get("spent") or {}).values()
    if cost := sum(each["cost"] for each in spent):
        parts.append(f"cost {cost:.4g}")
    return ", ".join(parts)


def _run(
    planned: Planned, pipeline: Pipeline, out: Path, target: Path, engine: Engine
) -> dict[str, Any]:
    step = get_step(planned.step)
    outputs = {each.name: each.output(out) for each in pipeline.steps}
    inputs = [outputs[name] for name in planned.sources] or list(planned.files)
    settings = resolved(planned.settings, outputs)
    if isinstance(step, RowStep):
        return run_step(
            step,
            inputs,
            target,
            settings=settings,
            models=planned.models,
            journal=out / "journal" / planned.name,
            engine=engine,
            name=planned.name,
        )
    return step.run(inputs, target, settings)


def _names(pipeline: Pipeline) -> set[str]:
    return {planned.name for planned in pipeline.steps}
