"""What lies in the folders that a report is of: evaluated models, logs of training, cards."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from dianjin_ext.errors import DianjinError
from dianjin_ext.evaluation.report.curves import Curves, find_curves
from dianjin_ext.evaluation.report.rows import rows
from dianjin_ext.evaluation.result import Results

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
        card: The facts of a set's card; None without one.
    """

    path: Path
    kind: str
    summary: dict[str, Any] = field(default_factory=dict)
    runs: Sequence[Run] = ()
    curves: Sequence[Curves] = ()
    card: dict[str, Any] | None = None


def read_folder(path: Path) -> Folder:
    """Return what lies in a folder.

    Raises:
        DianjinError: It holds nothing for a report, or a file in it can't be read.
    """
    if not path.is_dir():
        raise DianjinError(f"{path}: there is no such folder; {_EXPECTED}")
    summary = _json(path / "summary.json")
    card = _json(path / "card.json")
    if card and not all(isinstance(card.get(key), dict) for key in ("used", "by", "licences")):
        raise DianjinError(f"{path / 'card.json'} is no card of `dianjin card`; write it again")
    found = Folder(path=path, kind="other", curves=find_curves(path), card=card or None)
    if isinstance(summary.get("results"), list):
        return replace(found, kind="eval", summary=summary, runs=[_evaluated(path, summary)])
    if (path / "state.json").is_file() and (path / "evaluation").is_dir():
        runs = [_stage(path, name) for name, row in summary.items() if _is_result(row)]
        if runs:
            return replace(found, kind="quickstart", summary=summary, runs=runs)
    if not found.curves and not found.card:
        raise DianjinError(f"{path}: {_EXPECTED}")
    return found


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
    """Return a stage of a quickstart, whose responses are counted here."""
    file = path / "evaluation" / f"{name}.jsonl"
    counted, first = Results(1), None
    for row in rows(file):
        first = first or row
        counted.add([row])
    if first is None:
        raise DianjinError(f"{file}: no response; run `dianjin quickstart --resume`")
    key = str(first.get("benchmark", "")), str(first.get("protocol", ""))
    result = {
        "benchmark": key[0],
        "protocol": key[1],
        "label": key[1],
        "comparable": True,
        "departures": [],
        "model": name,
        **counted.summary(),
    }
    return Run(name=name, model=name, results=[result], responses={key: file})


def _is_result(value: Any) -> bool:
    return isinstance(value, dict) and "accuracy" in value


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
