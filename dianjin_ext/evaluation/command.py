"""What `dianjin eval` does with its arguments."""

import hashlib
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from dianjin_ext.errors import DianjinError
from dianjin_ext.evaluation.benchmarks import BENCHMARKS
from dianjin_ext.evaluation.plan import Choices, plan
from dianjin_ext.evaluation.run import SUMMARY, evaluate
from dianjin_ext.inference.settings import AskSettings, read_settings
from dianjin_ext.rewards.judge.settings import read_judge
from dianjin_ext.visible import visible
from dianjin_ext.yaml_keys import UniqueKeys

_SHOWN = 5
_KEYS = ("model", "judge", "benchmarks", "protocols")
_PROTOCOL = "dianjin_r1"


def list_benchmarks() -> None:
    """Show what there is."""
    table = Table("benchmark", "what it asks", "answers", "split", "on the hub")
    for each in BENCHMARKS.values():
        table.add_row(each.name, each.about, ", ".join(each.kinds), each.split, each.hub or "")
    Console().print(table)


def eval_command(
    benchmarks: Sequence[str],
    protocols: Sequence[str],
    *,
    model: str | None,
    out: Path | None,
    base_url: Sequence[str],
    data: Sequence[str],
    mapping: Path | None,
    settings: Path | None,
    choices: Choices,
    tensor_parallel: int,
    max_model_len: int | None,
) -> None:
    """Evaluate a model and show its results; see the command.

    Benchmarks and protocols that are given replace those that `settings` names.

    Raises:
        DianjinError: An argument doesn't fit, or whatever the run raises.
    """
    if out is None:
        raise DianjinError("name the folder for the results: --out DIR")
    given = load_models(settings)
    benchmarks = benchmarks or given.get("benchmarks") or ()
    protocols = protocols or given.get("protocols") or (_PROTOCOL,)
    if not benchmarks:
        raise DianjinError(
            "name a benchmark, or a file that does: --settings configs/eval/NAME.yaml"
        )
    asked = _model(given.get("model"), model, base_url, out, settings)
    judge = read_judge(given["judge"]) if given.get("judge") is not None else None
    tasks = plan(benchmarks, protocols, data=data, mapping=mapping, choices=choices)
    for bad in dict.fromkeys(bad for task in tasks for bad in task.found.first_bad[:_SHOWN]):
        print(f"warning: {bad}; it is left out", file=sys.stderr)
    try:
        results = evaluate(
            tasks,
            asked,
            out,
            judge=judge,
            tensor_parallel=tensor_parallel,
            max_model_len=max_model_len,
        )
    except (KeyboardInterrupt, SystemExit):
        print(f"stopped; the same command goes on from the replies in {out}", file=sys.stderr)
        raise
    show(results, out)


def show(results: Sequence[Mapping[str, Any]], out: Path) -> None:
    """Show results as a table, and in what each differs from its protocol."""
    console = Console(highlight=False)
    heads = ("benchmark", "protocol", "n", "accuracy", "95 %", "format", "cut", "tokens")
    table = Table(*heads, box=SIMPLE_HEAD, pad_edge=False)
    table.columns[0].no_wrap = True  # a name without its end would be another
    table.columns[1].min_width = max(len(w) for each in results for w in each["label"].split())
    for column in table.columns[2:]:
        column.justify = "right"
    for each in results:
        repeats = f" × {each['samples']}" if each["samples"] > 1 else ""
        table.add_row(
            each["benchmark"],
            each["label"],
            f"{each['n']:,}{repeats}",
            f"{each['accuracy']:.1%}",
            f"{each['accuracy_low']:.1%} – {each['accuracy_high']:.1%}",
            f"{each['format_rate']:.1%}",
            f"{each['truncated']:.1%}",
            f"{each['tokens']['mean']:.0f}",
        )
    console.print(table)
    for each in results:
        for said in each["departures"]:
            line = visible(f"{each['benchmark']}, {each['label']}: {said}")
            console.print(line, style="yellow", markup=False, soft_wrap=True)
    path = out / SUMMARY
    console.print(f"{path}; `dianjin report {out}` makes a page", markup=False, soft_wrap=True)


def load_models(file: Path | None) -> dict[str, Any]:
    """Return what a file says: `model`, `judge`, and names of `benchmarks` and `protocols`.

    Raises:
        DianjinError: It can't be read, or says something else.
    """
    if file is None:
        return {}
    try:
        given = yaml.load(file.read_text(encoding="utf-8"), Loader=UniqueKeys) or {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError) as error:
        raise DianjinError(
            f"{file}: can't be read as YAML: {' '.join(str(error).split())}"
        ) from None
    if not isinstance(given, dict) or not given.keys() <= set(_KEYS):
        keys = ", ".join(_KEYS)
        raise DianjinError(f"{file}: expected a mapping with {keys}, each optional")
    for key in ("benchmarks", "protocols"):
        names = given.get(key) or []
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise DianjinError(f"{file}: {key}: expected a list of names")
    return dict(given)


def _model(
    given: Any, name: str | None, urls: Sequence[str], out: Path, file: Path | None
) -> AskSettings:
    if given is not None and not isinstance(given, dict):
        raise DianjinError(f"{file}: model: expected a mapping, such as {{max_in_flight: 64}}")
    keys: dict[str, Any] = dict(given or {})
    if name is not None:
        keys["model"] = name
    if urls:
        keys["base_url"] = urls[0] if len(urls) == 1 else list(urls)
    if "model" not in keys:
        raise DianjinError("name the model: --model NAME with --base-url URL, or --model FOLDER")
    if any(key.startswith("budget_") for key in keys):
        # what a run may cost counts over its restarts, which have the same folder
        digest = hashlib.sha256(str(out.absolute()).encode()).hexdigest()[:12]
        keys.setdefault("run", f"eval-{digest}")
    settings = read_settings(keys, "model")
    missing = settings.base_url is None and "/" in settings.model
    if missing and not Path(settings.model).is_dir():
        raise DianjinError(
            f"--model {settings.model}: there is no such folder; name one, or the --base-url of "
            "the server that knows this name"
        )
    return settings
