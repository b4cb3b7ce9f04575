"""What a build left behind: for each step what went in, what came out, and under which digest."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dianjin_ext import __version__
from dianjin_ext.data import prompts
from dianjin_ext.data.pipeline import Pipeline, Planned
from dianjin_ext.data.steps import get_step
from dianjin_ext.data.steps.base import RowStep
from dianjin_ext.data.steps.read_settings import plain
from dianjin_ext.errors import DianjinError
from dianjin_ext.files import write_json
from dianjin_ext.rewards.judge.prompt import PROMPT_VERSION

NAME = "manifest.json"


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file, or of a folder's files with their names."""
    if path.is_dir():
        files = sorted(p for p in path.rglob("*") if p.is_file())
        named = [[p.relative_to(path).as_posix(), file_digest(p)] for p in files]
        return _digest(named)
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def describe(
    planned: Planned, inputs: Mapping[str, str], also: Mapping[str, str]
) -> dict[str, Any]:
    """Return what a step is, as the manifest has it; its `digest` covers all that makes its output.

    Args:
        planned: The step.
        inputs: Name of each input to its SHA-256.
        also: The same for files that its settings name.
    """
    step = get_step(planned.step)
    asked = planned.models
    names = step.prompts if isinstance(step, RowStep) else ()
    texts = {text.label: text.digest for text in map(prompts.load, names)}
    about = {
        "name": planned.name,
        "step": planned.step,
        "version": step.version,
        "inputs": dict(inputs),
        "files": dict(also),
        "settings": plain(planned.settings),
        "prompts": texts,
        "models": {role: m.model for role, m in asked.items()},
        "options": {role: m.options for role, m in asked.items() if m.options},
    }
    if "judge" in asked:
        about["judge_prompt"] = PROMPT_VERSION
    return about | {"digest": _digest([about, __version__])}


def read_manifest(out: Path) -> dict[str, dict[str, Any]]:
    """Return the steps of an earlier build by name; none where there was no build.

    Raises:
        DianjinError: The file is there and can't be read.
    """
    path = out / NAME
    if not path.exists():
        return {}
    try:
        return {
            step["name"]: step for step in json.loads(path.read_text(encoding="utf-8"))["steps"]
        }
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DianjinError(f"{path}: can't be read as a manifest ({error})") from error


def write_manifest(out: Path, pipeline: Pipeline, steps: list[dict[str, Any]]) -> None:
    """Write the manifest of a build; replaces it at once."""
    read = [step["inputs"].items() for step in steps if step["step"] == "read"]
    write_json(
        out / NAME,
        {
            "name": pipeline.name,
            "dianjin_ext": __version__,
            "pipeline": pipeline.file.name,
            "inputs": dict(sorted(each for inputs in read for each in inputs)),
            "left_out": list(pipeline.left_out),
            "steps": steps,
        },
    )


def _digest(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()
