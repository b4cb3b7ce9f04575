"""How the set was made, from its manifest: what each step dropped, asked and cost, and leaks."""

import json
from collections import Counter
from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import Any, Final

from dianjin_ext.data import prompts
from dianjin_ext.data.card.source import Source
from dianjin_ext.jsonl import BadRowError, Lines, parse

ORDER: Final = (
    "rewrite", "distill", "search", "sample", "merge-agents", "verify", "select", "bands", "mix",
)  # fmt: skip
"""Steps as they follow one another, for rows that come without a manifest."""

_LEAKS: Final = 5
_REMOVED: Final = 2


def funnel(source: Source, dropped: Counter[str], rows: int) -> list[dict[str, Any]]:
    """Return what became of the rows at each step.

    Each has its `name`, `step`, the `rows` that came, `standing` of the `of` that went out, and
    those that this step dropped or removed by reason (`dropped`).

    Args:
        source: The set.
        dropped: Reasons of its candidates, as `STEP: reason`; taken where there is no manifest.
        rows: How many candidates there are.
    """
    if source.steps:
        return [_reported(step) for step in source.steps]
    by_step: dict[str, Counter[str]] = {}
    for name, number in dropped.items():
        step, _, reason = name.partition(": ")
        by_step.setdefault(step, Counter())[reason] += number
    found, left = [], rows
    for step in sorted(by_step, key=lambda name: (_place(name), name)):
        reasons = by_step[step]
        entry = {"name": step, "step": step, "rows": rows, "of": rows}
        entry["standing"] = left - reasons.total()
        left -= reasons.total()
        found.append(entry | {"dropped": dict(reasons.most_common())})
    return found


def _place(step: str) -> int:
    return ORDER.index(step) if step in ORDER else len(ORDER)


def _reported(step: Mapping[str, Any]) -> dict[str, Any]:
    report = step.get("report", {})
    entry = {
        "name": str(step.get("name", "")),
        "step": str(step.get("step", "")),
        "rows": report.get("rows", 0),
        "of": report.get("written", report.get("rows", 0)),
    }
    if "kept" in report:  # decontaminate
        return entry | {"standing": report["kept"], "dropped": dict(report.get("by_file", {}))}
    if "sft" in report:  # mix
        used = sum(report["sft"].values()) + sum(report.get("rl", {}).values())
        used += report.get("val", 0)
        return entry | {"standing": used, "dropped": dict(report.get("unused", {}))}
    return entry | {
        "standing": report.get("standing", 0),
        "dropped": dict(report.get("dropped", {})),
    }


def spent(source: Source) -> list[dict[str, Any]]:
    """Return what each step spent on each model."""
    return [
        {"name": str(step.get("name", "")), "role": role, **said}
        for step in source.steps
        for role, said in step.get("report", {}).get("spent", {}).items()
        if said.get("replies")
    ]


def leaks(source: Source) -> dict[str, Any] | None:
    """Return what decontamination found; None where no step compared the set with others."""
    steps = [step for step in source.steps if step.get("step") == "decontaminate"]
    if not steps:
        return None
    by_file: Counter[str] = Counter()
    examples: list[dict[str, Any]] = []
    against: dict[str, None] = {}
    for step in steps:
        by_file.update(step.get("report", {}).get("by_file", {}))
        given = step.get("settings", {}).get("against", ())
        against |= dict.fromkeys(map(str, [given] if isinstance(given, str) else given))
        if (path := source.removed(step)) is not None:
            examples += islice(_lines(path), _LEAKS - len(examples))
    removed = sum(step.get("report", {}).get("removed", 0) for step in steps)
    rows = steps[0].get("report", {}).get("rows", 0)
    return {
        "rows": rows,
        "removed": removed,
        "against": list(against | dict.fromkeys(by_file)),
        "by_file": dict(by_file),
        "examples": examples,
    }


def removed(source: Source) -> list[dict[str, Any]]:
    """Return questions that steps other than decontamination removed: a few of each reason."""
    found: list[dict[str, Any]] = []
    for step in source.steps:
        path = source.removed(step)
        if path is None or step.get("step") == "decontaminate":
            continue
        shown: Counter[str] = Counter()
        for entry in _lines(path):
            reason = str(entry.get("reason", ""))
            shown[reason] += 1
            if shown[reason] <= _REMOVED:
                found.append({"name": str(step.get("name", "")), **entry})
    return found


def _lines(path: Path) -> Any:
    for line in Lines(path):
        try:
            yield parse(line)
        except BadRowError:
            continue


def asked(source: Source) -> list[dict[str, Any]]:
    """Return the prompts that were sent: `prompt`, `digest`, the method's `source`, and `same`.

    `same` says whether this installation has the same words; None where it doesn't know the name.
    """
    given: dict[tuple[str, str], None] = {}
    for step in source.steps:
        given |= dict.fromkeys((str(k), str(v)) for k, v in step.get("prompts", {}).items())
    known = set(prompts.names())
    found = []
    for label, digest in given:
        name = label.partition("/")[0]
        text = prompts.load(name) if name in known else None
        found.append(
            {
                "prompt": label,
                "digest": digest,
                "source": text.source if text else "",
                "same": None if text is None else text.digest == digest,
            }
        )
    return found


def settings(source: Source) -> list[dict[str, Any]]:
    """Return each step with its version, inputs, settings and models."""
    keys = ("name", "step", "version", "inputs", "out", "sha256", "settings", "models")
    return [{key: step[key] for key in keys if key in step} for step in source.steps]


def as_text(value: Any) -> str:
    """Return settings as people read them."""
    return json.dumps(value, ensure_ascii=False, indent=2, default=str)
