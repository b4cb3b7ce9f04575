"""summary.json, the report, and the last lines of a run."""

import json
import subprocess
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from rich.console import Console

from dianjin_ext.evaluation.machine import hardware
from dianjin_ext.evaluation.report import write_report
from dianjin_ext.files import write_json
from dianjin_ext.quickstart.plan import Plan
from dianjin_ext.quickstart.stage import Stage
from dianjin_ext.quickstart.state import State

_PACKAGES: Final = ("dianjin-ext", "verl", "torch", "transformers", "ray")
_KEPT: Final = ("accuracy", "accuracy_low", "accuracy_high", "format_rate", "n")


def write_summary(plan: Plan, todo: Sequence[Stage], state: State) -> None:
    """Write summary.json and report.html and show the result."""
    models = [_model(plan.out, stage.model) for stage in todo if stage.model]
    usage = state.finished.values()
    summary: dict[str, Any] = {row["name"]: {key: row[key] for key in _KEPT} for row in models}
    summary |= {
        "models": models,
        "stages": state.finished,
        "processor_seconds": round(sum(of.get("processor_seconds", 0.0) for of in usage), 1),
        "seconds": round(sum(of["seconds"] for of in usage), 1),
        "recipe": plan.recipe,
        "methods": list(plan.methods),
        "seed": plan.seed,
        "data": plan.data or "made-up questions",
        "versions": _versions(plan.llamafactory),
        "hardware": hardware(),
        "commands": state.commands,
    }
    write_json(plan.out / "summary.json", summary)
    write_report([plan.out], plan.out / "report.html")
    console = Console(highlight=False, emoji=False)
    width = max(len(row["name"]) for row in models)
    for row in models:
        console.print(
            f"{row['name']:{width}} accuracy {row['accuracy']:.1%} "
            f"[{row['accuracy_low']:.1%}, {row['accuracy_high']:.1%}]  "
            f"format {row['format_rate']:.1%}  n {row['n']}",
            markup=False,
        )
    console.print(
        f"{summary['seconds']:.0f} s, {summary['processor_seconds']:.0f} processor seconds",
        markup=False,
    )
    console.print(f"report: {plan.out / 'report.html'}", soft_wrap=True, markup=False)


def _model(out: Path, name: str) -> dict[str, Any]:
    path = out / "evaluation" / name / "summary.json"
    (result,) = json.loads(path.read_text(encoding="utf-8"))["results"]
    return {"name": name} | {key: result[key] for key in _KEPT}


def _versions(llamafactory_python: Path) -> dict[str, str]:
    """Return the versions that matter; LLaMA-Factory's from its own environment."""
    ask = "from importlib.metadata import version; print(version('llamafactory'))"
    answer = subprocess.run(
        [str(llamafactory_python), "-c", ask], capture_output=True, text=True, check=False
    )
    return {
        "python": sys.version.split()[0],
        **{package: version(package) for package in _PACKAGES},
        "llamafactory": answer.stdout.strip() or "unknown",
    }
