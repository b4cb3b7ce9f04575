"""What became of every row of a data set: counts.json, and the same as tables on the terminal."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from dianjin_ext.data.prepare_settings import PrepareSettings
from dianjin_ext.data.uses import Uses
from dianjin_ext.questions.question import Question
from dianjin_ext.questions.readers import BadRow

_BATCH = 1024  # data.train_batch_size of configs/recipe/dianjin_r1.yaml
_CATEGORIES = 8  # as many columns as a terminal takes
_NOTED = {
    "prompt_too_long": "prompt too long for RL and validation",
    "multiple_with_one_letter": "multiple-answer task with one letter",
    "near_duplicate_groups": "groups of near-duplicates, each on one side",
}

Counts = dict[str, Any]


def counts(
    uses: Uses,
    bad: Sequence[BadRow],
    files: Sequence[Path],
    *,
    questions: int,
    settings: PrepareSettings,
) -> Counts:
    """Return what became of every row: each is in `written`, `excluded`, `unused` or `bad_rows`."""
    sides = uses.sides
    written = {"sft": uses.taught, "train": sides.train, "val": sides.val, "test": sides.test}
    usable = [*sides.sft, *sides.train, *sides.val, *sides.test]
    longest = f"prompt of at most {settings.max_prompt} tokens, about"
    return {
        "files": {path.name: _digest(path) for path in files},
        "seed": settings.seed,
        "tags": {name: pair and list(pair) for name, pair in settings.tags._asdict().items()},
        "rl_filter": f"gold scores 1.0 under strict; {longest}",
        "sft_filter": "has a reasoning, and the response made of it scores 1.0",
        "rows": len(bad) + questions,
        "bad_rows": [str(row) for row in bad],
        "problems": [str(row) for row in uses.problems],
        "excluded": {name: len(found) for name, found in uses.excluded.items()},
        "unused": {name: len(found) for name, found in uses.unused.items()},
        "multiple_with_one_letter": sum(
            q.multiple is True and len(q.answer or "") == 1 for q in usable
        ),
        "prompt_too_long": uses.too_long,
        "near_duplicate_groups": sides.groups,
        "written": {name: _by_category(group) for name, group in written.items() if group},
        "licences": dict(Counter(q.licence for q in usable if q.licence)),
    }


def _by_category(questions: Iterable[Question]) -> dict[str, int]:
    found = Counter(q.category for q in questions)
    return {name: found[name] for name in sorted(found) if name} | {"total": found.total()}


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def show(told: Counts, out: Path) -> None:
    """Print what became of every row, and warnings to act upon."""
    console = Console(highlight=False)
    for name in ("bad_rows", "problems"):
        for line in told[name][:20]:
            console.print(f"left out: {line}", style="yellow", markup=False, soft_wrap=True)
        if len(told[name]) > 20:
            console.print(f"… and {len(told[name]) - 20} more in {out / 'counts.json'}")
    names = sorted({name for row in told["written"].values() for name in row} - {"total"})
    columns = [*(names if len(names) <= _CATEGORIES else []), "total"]
    console.print(f"{', '.join(told['files'])} (seed {told['seed']})", markup=False, soft_wrap=True)
    written = Table()
    written.add_column("")
    for column in columns:
        written.add_column(column.replace("_", "/"), justify="right")
    for name, row in told["written"].items():
        written.add_row(name, *(str(row.get(column, 0)) for column in columns))
    console.print(written)

    fate = Table(show_header=False)
    fate.add_column()
    fate.add_column(justify="right")
    fate.add_row("questions read", str(told["rows"]))
    fate.add_row("bad rows left out", str(len(told["bad_rows"])))
    for reason, number in told["excluded"].items():
        if number:
            fate.add_row(f"left out: {reason.replace('_', ' ')}", str(number))
    for reason, number in told["unused"].items():
        if number:
            fate.add_row(f"in questions.parquet only: {reason.replace('_', ' ')}", str(number))
    for name, what in _NOTED.items():
        if told[name]:
            fate.add_row(what, str(told[name]))
    console.print(fate)
    console.print(f"SFT: {told['sft_filter']}\nRL:  {told['rl_filter']}\nwritten to {out}/")
    _warn(console, told)


def _warn(console: Console, told: Counts) -> None:
    train = told["written"]["train"]["total"]
    if train < _BATCH:
        console.print(
            f"warning: {train} RL rows are fewer than data.train_batch_size={_BATCH} of "
            "configs/recipe/dianjin_r1.yaml; verl drops an incomplete batch, so set a smaller size",
            style="yellow",
            soft_wrap=True,
        )
    if "sft" not in told["written"]:
        console.print(
            "note: no question has a reasoning, so there are no SFT rows; give them one first, "
            "or train with GRPO alone",
            style="yellow",
            soft_wrap=True,
        )
    if told["prompt_too_long"]:
        console.print(
            f"note: {told['prompt_too_long']} prompts are too long for RL and validation; "
            "--max-prompt-length and data.max_prompt_length take longer ones",
            style="yellow",
            soft_wrap=True,
        )
