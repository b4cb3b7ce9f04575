"""One self-contained HTML page about a two-stage run."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dianjin_ext.evaluation import plots
from dianjin_ext.files import replacing

STAGES = ("base", "sft", "grpo")
SAMPLES = 5

Line = dict[str, Any]


def read_lines(path: Path) -> list[Line]:
    """Return the rows of a JSON-lines file."""
    with path.open(encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def write_report(
    out: Path, summary: Mapping[str, Any], *, commands: Mapping[str, Sequence[str]]
) -> None:
    """Write out/report.html from the logs and graded responses in `out`.

    Args:
        out: Directory of the run.
        summary: The content of summary.json.
        commands: Stage name to the command that ran it.
    """
    import jinja2

    responses = {name: read_lines(out / "evaluation" / f"{name}.jsonl") for name in STAGES}
    sft = [line for line in read_lines(out / "sft" / "trainer_log.jsonl") if "loss" in line]
    grpo = _grpo_steps(out / "grpo")
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("dianjin_ext.evaluation", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
    )
    page = environment.get_template("report.html.j2").render(
        summary=summary,
        stages=STAGES,
        commands={
            name: " ".join((Path(command[0]).name, *command[1:]))
            for name, command in commands.items()
        },
        samples=_samples(responses),
        figures={
            "accuracy": plots.accuracy(summary, STAGES),
            "loss": plots.curves(sft, "current_steps", {"loss": "loss"}, "SFT loss"),
            "reward": plots.curves(
                grpo,
                "step",
                {"critic/score/mean": "training", **_validation_keys(grpo)},
                "GRPO reward",
            ),
            "components": plots.curves(
                grpo, "step", _keys(grpo, "reward/", "/mean"), "Reward components (mean)"
            ),
            "reasons": plots.curves(
                grpo, "step", _keys(grpo, "reward_reason/", ""), "Reasons (share of responses)"
            ),
            "length": plots.curves(
                grpo,
                "step",
                {f"response_length/{key}": key for key in ("mean", "max", "min")},
                "Response length (tokens)",
            ),
        },
    )
    with replacing(out / "report.html") as temporary:
        temporary.write_text(page, encoding="utf-8")


def _grpo_steps(folder: Path) -> list[Line]:
    """Return verl's metrics by step; of a step that a resumed run repeated, the later ones."""
    steps: dict[int, Line] = {}
    for path in sorted(folder.glob("metrics-*.jsonl"), key=lambda p: int(p.stem.split("-")[1])):
        for line in read_lines(path):
            steps.setdefault(line["step"], {}).update(line["data"], step=line["step"])
    return [steps[step] for step in sorted(steps)]


def _keys(lines: Sequence[Line], prefix: str, suffix: str) -> dict[str, str]:
    """Map each metric of that form to the part of its name that differs."""
    names = {key: None for line in lines for key in line}
    return {
        key: key.removeprefix(prefix).removesuffix(suffix)
        for key in names
        if key.startswith(prefix) and key.endswith(suffix)
    }


def _validation_keys(lines: Sequence[Line]) -> dict[str, str]:
    names = sorted({key for line in lines for key in line})
    found = [k for k in names if k.startswith("val-core/") and k.endswith("/acc/mean@1")]
    return {key: "validation accuracy" for key in found[:1]}


def _samples(responses: Mapping[str, Sequence[Line]]) -> list[dict[str, Any]]:
    """Return questions with their responses: gained and lost ones first, so that both are seen."""
    sft, grpo = responses["sft"], responses["grpo"]
    changes = [round(after["acc"] - before["acc"]) for before, after in zip(sft, grpo, strict=True)]
    order = [i for i, change in enumerate(changes) if change > 0][:2]
    order += [i for i, change in enumerate(changes) if change < 0][:1]
    order += [i for i, change in enumerate(changes) if change == 0][: SAMPLES - len(order)]
    return [{name: rows[i] for name, rows in responses.items()} for i in order]
