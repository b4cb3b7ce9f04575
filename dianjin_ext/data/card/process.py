"""How the set was made, from its manifest: what each step dropped, asked and cost, and leaks."""

import json
from collections import Counter
from collections.abc import Mapping
from itertools import islice
from typing import Any, Final

from dianjin_ext.data import prompts
from dianjin_ext.data.card.rows import removed as left_out
from dianjin_ext.data.card.source import Source, without_home
from dianjin_ext.data.rows_file import holds
from dianjin_ext.parquet import read_rows

ORDER: Final = (
    "rewrite", "distill", "search", "sample", "merge-agents", "verify", "select", "bands", "mix",
)  # fmt: skip
"""Steps as they follow one another, for rows that come without a manifest."""

_LEAKS: Final = 5
_REMOVED: Final = 2


def funnel(source: Source, dropped: Counter[str], rows: int) -> list[dict[str, Any]]:
    """Return what became of the rows at each step.

    Each has its `name`, `step`, the `rows` that came, `standing` of the `of` that went out, and
    those that this step dropped or removed by reason (`dropped`). A mix has `unused` instead:
    questions that SFT, or RL, has no use for.

    Args:
        source: The set.
        dropped: Reasons of its candidates, as `STEP: reason`; taken where there is no manifest.
        rows: How many candidates there are.
    """
    if source.steps:
        written: dict[str, int] = {}
        return [_reported(source, step, written) for step in source.steps]
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


def _reported(source: Source, step: Mapping[str, Any], written: dict[str, int]) -> dict[str, Any]:
    """Return an entry of `funnel` from what a step reports.

    Args:
        source: The set.
        step: As the manifest has it.
        written: How many rows each step so far wrote; this one is added.
    """
    report = step.get("report", {})
    inputs = [written[name] for name in step.get("inputs", ()) if name in written]
    rows = report.get("rows", sum(inputs))
    went_out = report.get("written", report.get("kept", rows))
    written[str(step.get("name"))] = went_out
    entry = {"name": str(step.get("name", "")), "step": str(step.get("step", "")), "rows": rows}
    if "sft" in report:  # a mix drops nothing: it takes
        used = [*report["sft"].values(), *report.get("rl", {}).values(), report.get("val", 0)]
        return entry | {"of": rows, "standing": sum(used), "unused": report.get("unused", {})}
    by_file = {source.short(file): number for file, number in report.get("by_file", {}).items()}
    standing = report["standing"] if "standing" in report else _standing(source, step)
    return entry | {
        "of": went_out,
        "standing": went_out if standing is None else standing,
        "dropped": dict(report.get("dropped", by_file)),
    }


def _standing(source: Source, step: Mapping[str, Any]) -> int | None:
    """Return how many candidates that a step wrote are not dropped; None of questions."""
    path = source.output(step)
    if path is None or holds(path) == "questions":
        return None
    return sum(not row["dropped"] for row in read_rows(path, columns=["dropped"]))


def spent(source: Source) -> list[dict[str, Any]]:
    """Return what each step spent on each model."""
    return [
        {
            "name": str(step.get("name", "")),
            "role": role,
            **said,
            "model": without_home(str(said.get("model", ""))),
        }
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
        for file, number in step.get("report", {}).get("by_file", {}).items():
            by_file[source.short(file)] += number
        given = step.get("settings", {}).get("against", ())
        files = [given] if isinstance(given, str) else given
        against |= dict.fromkeys(source.short(str(file)) for file in files)
        for entry in islice(left_out(source, step), _LEAKS - len(examples)):
            examples.append(entry | {"file": source.short(str(entry.get("file", "")))})
    removed = sum(step.get("report", {}).get("removed", 0) for step in steps)
    rows = sum(step.get("report", {}).get("rows", 0) for step in steps)
    return {
        "rows": rows,
        "removed": removed,
        "against": list(against | dict.fromkeys(by_file)),
        "by_file": dict(by_file),
        "examples": examples,
    }


def removed(source: Source) -> list[dict[str, Any]]:
    """Return questions that steps removed before anyone answered them: a few of each reason.

    Responses that were left out are among the dropped rows, and leaks have a section.
    """
    found: list[dict[str, Any]] = []
    for step in source.steps:
        output = source.output(step)
        if step.get("step") == "decontaminate" or output is None or holds(output) == "candidates":
            continue
        shown: Counter[str] = Counter()
        for entry in left_out(source, step):
            reason = str(entry.get("reason", ""))
            shown[reason] += 1
            if shown[reason] <= _REMOVED:
                found.append({"name": str(step.get("name", "")), **entry})
    return found


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
    keys = ("name", "step", "version", "inputs", "out", "sha256", "settings", "models", "options")
    found = []
    for step in source.steps:
        about = {key: step[key] for key in keys if key in step}
        inputs = step.get("inputs", {})
        if isinstance(inputs, Mapping):
            about["inputs"] = inputs_of(source, inputs)
        if isinstance(models := step.get("models"), Mapping):
            about["models"] = {role: without_home(str(name)) for role, name in models.items()}
        found.append(about)
    return found


def inputs_of(source: Source, inputs: Mapping[str, str]) -> dict[str, str]:
    """Return digests by the short names of the files."""
    return {source.short(str(name)): digest for name, digest in inputs.items()}


def as_text(value: Any) -> str:
    """Return settings as people read them."""
    return json.dumps(value, ensure_ascii=False, indent=2, default=str)
