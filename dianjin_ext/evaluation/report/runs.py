"""What lies in the folders that a report is of: evaluated models, logs of training, cards."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from dianjin_ext.errors import DianjinError
from dianjin_ext.evaluation.report.curves import Curves, find_curves

Key = tuple[str, str]
"""Benchmark and protocol; what is asked in the same way has the same one."""

_EXPECTED: Final = (
    "expected a folder of `dianjin eval` (summary.json, responses/), of `dianjin quickstart`, of a "
    "training run (trainer_log.jsonl, or metrics of verl), or of `dianjin build` with its card.json"
)
_RESULT: Final = (
    *("label", "comparable", "departures", "n", "samples", "accuracy", "accuracy_low"),
    *("accuracy_high", "error", "format_rate", "pass_at_k", "cons_at_k", "by", "reasons"),
    *("outcomes", "truncated", "tokens", "lengths", "judge", "grading"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """An evaluated model.

    Attributes:
        name: What it is called in the report.
        model: What was asked.
        results: As in summary.json, one a benchmark and protocol.
        responses: The graded responses of each.
    """

    name: str
    model: str
    results: Sequence[dict[str, Any]]
    responses: dict[Key, Path]

    @property
    def grading(self) -> dict[Key, dict[str, Any]]:
        """The settings by which the responses of each were graded."""
        of = {(each["benchmark"], each["protocol"]): each for each in self.results}
        return {key: each.get("grading", {}) for key, each in of.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """What was found in a folder.

    Attributes:
        path: The folder.
        kind: `eval`, `quickstart`, or `other`.
        summary: Its summary.json; empty without one.
        runs: The models that were evaluated.
        curves: Logs of training.
        cards: The facts of the cards of its sets.
    """

    path: Path
    kind: str
    summary: dict[str, Any] = field(default_factory=dict)
    runs: Sequence[Run] = ()
    curves: Sequence[Curves] = ()
    cards: Sequence[dict[str, Any]] = ()


def read_folder(path: Path) -> Folder:
    """Return what lies in a folder.

    Raises:
        DianjinError: It holds nothing for a report, or a file in it can't be read.
    """
    if not path.is_dir():
        raise DianjinError(f"{path}: there is no such folder; {_EXPECTED}")
    summary = _json(path / "summary.json")
    found = Folder(path=path, kind="other", curves=find_curves(path), cards=_cards(path))
    if isinstance(summary.get("results"), list):
        return replace(found, kind="eval", summary=summary, runs=[_evaluated(path, summary)])
    if isinstance(summary.get("models"), list):
        runs = [_stage(path, row["name"]) for row in summary["models"]]
        built = [card for place in sorted((path / "data").glob("*")) for card in _cards(place)]
        return replace(found, kind="quickstart", summary=summary, runs=runs, cards=built)
    if not found.curves and not found.cards:
        raise DianjinError(f"{path}: {_EXPECTED}")
    return found


def _cards(path: Path) -> list[dict[str, Any]]:
    """Return the card of a folder, in a list; none where it has none."""
    card = _json(path / "card.json")
    if card and not all(isinstance(card.get(key), dict) for key in ("used", "by", "licences")):
        raise DianjinError(f"{path / 'card.json'} is no card of `dianjin card`; write it again")
    return [card] if card else []


def _evaluated(path: Path, summary: dict[str, Any]) -> Run:
    responses, results = {}, summary["results"]
    try:
        for result in results:
            key = result["benchmark"], result["protocol"]
            responses[key] = path / result["responses"]
        model = str(summary["model"])
    except (KeyError, TypeError) as error:
        raise DianjinError(
            f"{path / 'summary.json'}: a result lacks {error}; {_EXPECTED}"
        ) from None
    if not results:
        raise DianjinError(f"{path / 'summary.json'}: no result yet; finish `dianjin eval` first")
    for file in responses.values():
        if not file.is_file():
            raise DianjinError(f"{file}: there is no such file, but summary.json names it")
    for result in results:
        if lacking := [key for key in _RESULT if key not in result]:
            raise DianjinError(
                f"{path / 'summary.json'}: a result lacks {lacking[0]!r}; run the evaluation again "
                "with this version"
            )
    return Run(name=short(model), model=model, results=results, responses=responses)


def _stage(path: Path, name: str) -> Run:
    """Return a model of a quickstart, which `dianjin eval` asked."""
    folder = path / "evaluation" / name
    return replace(_evaluated(folder, _json(folder / "summary.json")), name=name)


def short(model: str) -> str:
    """Return the name of a model, without the place of a folder on this machine."""
    return Path(model).name or model if model.startswith(("/", ".", "~")) else model


def _json(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise DianjinError(f"{path}: can't be read as JSON ({error})") from None
    if not isinstance(content, dict):
        raise DianjinError(f"{path}: expected an object")
    return content
