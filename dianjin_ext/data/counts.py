"""The counts of a prepared data set as tables on the terminal."""

from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

_BATCH = 1024  # data.train_batch_size of configs/grpo.yaml


def show(counts: dict[str, Any], out: Path) -> None:
    """Print what became of every row of the file, and warnings to act upon."""
    console = Console(highlight=False)
    for bad in counts["bad_rows"]:
        console.print(f"left out: {bad}", style="yellow", markup=False, soft_wrap=True)

    written = Table(title=f"{counts['file']} (seed {counts['seed']})", title_justify="left")
    written.add_column("")
    columns = ("single", "multiple", "true_false", "total")
    for column in columns:
        written.add_column(column.replace("_", "/"), justify="right")
    for name, row in counts["written"].items():
        written.add_row(name, *(str(row[column]) for column in columns))
    console.print(written)

    fate = Table(show_header=False)
    fate.add_column()
    fate.add_column(justify="right")
    fate.add_row("rows in the file", str(counts["rows"]))
    fate.add_row("bad rows left out", str(len(counts["bad_rows"])))
    for reason, number in counts["excluded"].items():
        fate.add_row(f"left out: {reason.replace('_', ' ')}", str(number))
    for reason, number in counts["unused"].items():
        fate.add_row(f"unused: {reason.replace('_', ' ')}", str(number))
    fate.add_row("without reasoning (RL and validation only)", str(counts["without_reasoning"]))
    fate.add_row("multiple-answer task with one letter", str(counts["multiple_with_one_letter"]))
    fate.add_row(
        "groups of near-duplicates, each on one side", str(counts["near_duplicate_groups"])
    )
    console.print(fate)
    console.print(f"SFT: {counts['sft_filter']}\nRL:  {counts['rl_filter']}\nwritten to {out}/")

    train = counts["written"]["train"]["total"]
    if train < _BATCH:
        console.print(
            f"warning: {train} RL rows are fewer than data.train_batch_size={_BATCH} of "
            "configs/grpo.yaml; verl drops an incomplete batch, so set a smaller size",
            style="yellow",
            soft_wrap=True,
        )
