"""Everything that a report says, as plain data; report.json holds it."""

import json
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from dianjin_ext import __version__
from dianjin_ext.errors import DianjinError
from dianjin_ext.evaluation.published import rows_for
from dianjin_ext.evaluation.report.alike import apart
from dianjin_ext.evaluation.report.changes import changes
from dianjin_ext.evaluation.report.outcomes import Known, outcomes
from dianjin_ext.evaluation.report.runs import Folder, Run, read_folder, short

_SURROGATES: Final = re.compile("[\ud800-\udfff]")
"""What no file in UTF-8 can hold."""


def gather(
    paths: Sequence[Path], *, workers: int = 1
) -> tuple[dict[str, Any], list[Run], list[Known]]:
    """Return the facts about the folders, the models in them, and what became of the questions.

    Args:
        paths: The folders.
        workers: Processes that read the responses.

    Raises:
        DianjinError: A folder can't be read, or none has anything for a report.
    """
    if not paths:
        raise DianjinError("name at least one folder of `dianjin eval` or `dianjin quickstart`")
    folders = [read_folder(path.absolute()) for path in paths]
    runs = _named([(folder, run) for folder in folders for run in folder.runs])
    known = outcomes(runs, workers=workers)
    languages = Counter(
        one.language for each in known for of in each.values() for one in of.values()
    )
    facts = {
        "version": 1,
        "dianjin_ext": __version__,
        "kinds": [folder.kind for folder in folders],
        "language": "zh" if languages["zh"] > languages["en"] else "en",
        "runs": [
            {"name": run.name, "model": short(run.model), "results": _results(run, of)}
            for run, of in zip(runs, known, strict=True)
        ],
        "published": _published(runs),
        "changes": _changes(runs, known),
        "curves": [
            {"folder": folder.path.name, **curves._asdict()}
            for folder in folders
            for curves in folder.curves
        ],
        "cards": [_card(folder.path.name, card) for folder in folders for card in folder.cards],
        "folders": [_folder(folder) for folder in folders],
    }
    text = _SURROGATES.sub("\ufffd", json.dumps(facts, ensure_ascii=False))
    plain: dict[str, Any] = json.loads(text)
    return plain, runs, known


def _named(found: Sequence[tuple[Folder, Run]]) -> list[Run]:
    """Return the models under names of their own."""
    counts = Counter(run.name for _, run in found)
    named: list[Run] = []
    for folder, run in found:
        name = run.name if counts[run.name] == 1 else f"{run.name} ({folder.path.name})"
        taken = sum(other.name == name or other.name.startswith(f"{name} #") for other in named)
        name = f"{name} #{taken + 1}" if taken else name
        named.append(Run(name=name, model=run.model, results=run.results, responses=run.responses))
    return named


def _results(run: Run, known: Known) -> list[dict[str, Any]]:
    """Return the results of a model with how often its reasoning states an answer."""
    found = []
    for result in run.results:
        key = result["benchmark"], result["protocol"]
        of = known[key].values()
        expected, there = result["n"] * result["samples"], sum(len(one.right) for one in of)
        if there != expected:
            raise DianjinError(
                f"{run.responses[key]} has {there:,} responses, but summary.json speaks of "
                f"{expected:,}; run the evaluation again, which asks for no reply twice"
            )
        contradictions = {
            "responses": sum(len(one.right) for one in of),
            "stated": sum(one.stated for one in of),
            "contradicts": sum(one.contradicts for one in of),
            "right": sum(one.contradicts_right for one in of),
        }
        found.append({**result, "contradiction": contradictions})
    return found


def _changes(runs: Sequence[Run], known: Sequence[Known]) -> list[dict[str, Any]]:
    """Return what changed, and in what the two sides were not asked or graded alike."""
    found = changes([run.name for run in runs], known)
    of = [{(each["benchmark"], each["protocol"]): each for each in run.results} for run in runs]
    for change in found:
        key = change["benchmark"], change["protocol"]
        change["apart"] = apart(of[change["before"]][key], of[change["after"]][key])
    return found


def _published(runs: Sequence[Run]) -> dict[str, list[dict[str, Any]]]:
    """Return the published numbers of each benchmark that was evaluated."""
    names = dict.fromkeys(result["benchmark"] for run in runs for result in run.results)
    return {
        name: [row.model_dump() for row in found] for name in names if (found := rows_for(name))
    }


def _folder(folder: Folder) -> dict[str, Any]:
    kept = ("stages", "commands", "versions", "hardware", "seconds", "seed", "data")
    summary = {key: folder.summary[key] for key in kept if key in folder.summary}
    return {"name": folder.path.name, "kind": folder.kind, **summary}


def _card(folder: str, card: dict[str, Any]) -> dict[str, Any]:
    """Return of a set's card what a report shows."""
    kept = ("name", "rows", "responses", "questions", "used", "by", "trained", "dropped", "leaks")
    shown = {key: card[key] for key in kept if key in card}
    sources = (card.get("licences") or {}).get("sources") or []
    filters = (card.get("quality") or {}).get("filters") or []
    shown["filters"] = [
        {"filter": each["filter"], "positive": each["positive"], **each["overall"]}
        for each in filters
    ]
    shown["licences"] = [
        {"set": each.get("set", ""), "stated": each.get("stated", ""), "rows": each.get("rows", 0)}
        for each in sources
    ]
    return {"folder": folder, **shown}
