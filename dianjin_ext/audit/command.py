"""`dianjin audit`: the tables, and the exit code."""

from collections.abc import Iterable

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress
from rich.table import Table

from dianjin_ext.audit.corpus import KINDS, Case, load_cases
from dianjin_ext.audit.graders import Grader, other_graders, our_grader, own_reward_grader
from dianjin_ext.audit.tally import Tally, audit

MAX_FALSE_REJECTS = 0.01
"""Share of the cases to accept that may be refused before the audit fails."""


def run(preset: str | None = None, more: Iterable[Grader] = ()) -> int:
    """Audit our grader beside others, show the tables, and return the exit code.

    Args:
        preset: A key of `dianjin_ext.rewards.PRESETS`; None for the default policies.
        more: Graders beside `other_graders()`, such as those of a training framework.

    Returns:
        0, or 1 if our grader accepts a case that must be refused, or refuses more than
        `MAX_FALSE_REJECTS` of those that must be accepted.

    Raises:
        DianjinError: The preset is not known.
    """
    console = Console()
    ours = our_grader(preset)
    own_reward = own_reward_grader(preset)
    graders = [ours, own_reward, *other_graders(), *more]
    present = [grader for grader in graders if grader.accepts is not None]
    steps = sum(len(load_cases(kind)) for grader in present for kind in grader.kinds)
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("audit", total=steps)
        tallies = audit(present, step=lambda: progress.advance(task))
    for kind in KINDS:
        console.print(_table(kind, [tally for tally in tallies if tally.kind == kind]))
    absent = [grader.name for grader in graders if grader.accepts is None]
    if absent:
        console.print(f"Not installed, so left out: {', '.join(absent)}.")
    own = [tally for tally in tallies if tally.grader in (ours.name, own_reward.name)]
    for tally in own:
        for word, cases in (("accept", tally.false_accepts), ("reject", tally.false_rejects)):
            for case in cases:
                console.print(f"false {word}: {_shown(case)}", soft_wrap=True)
    accepts = sum(len(tally.false_accepts) for tally in own)
    rejects = sum(len(tally.false_rejects) for tally in own)
    right, wrong = sum(tally.right for tally in own), sum(tally.wrong for tally in own)
    console.print(
        f"{ours.name}: {accepts} of {wrong} falsely accepted, {rejects} of {right} falsely rejected"
    )
    return int(accepts > 0 or rejects > MAX_FALSE_REJECTS * right)


def _table(kind: str, tallies: Iterable[Tally]) -> Table:
    table = Table(title=kind, title_justify="left")
    table.add_column("grader")
    for name in ("to refuse", "false accepts", "to accept", "false rejects"):
        table.add_column(name, justify="right")
    for tally in tallies:
        table.add_row(
            tally.grader,
            str(tally.wrong),
            str(len(tally.false_accepts)),
            str(tally.right),
            str(len(tally.false_rejects)),
        )
    return table


def _shown(case: Case) -> str:
    return escape(f"{case.id} ({case.data_source}, gold {case.ground_truth!r}): {case.response!r}")


def markdown(tallies: Iterable[Tally]) -> str:
    """Return the tallies as a table for README: false accepts and false rejects by kind."""
    cells: dict[str, dict[str, str]] = {}
    for tally in tallies:
        accepts, rejects = len(tally.false_accepts), len(tally.false_rejects)
        cell = f"{accepts} / {tally.wrong}, {rejects} / {tally.right}"
        cells.setdefault(tally.grader, {})[tally.kind] = cell
    lines = [f"| grader | {' | '.join(KINDS)} |", "|---" * (len(KINDS) + 1) + "|"]
    for name, row in cells.items():
        lines.append(f"| {name} | {' | '.join(row.get(kind, '–') for kind in KINDS)} |")
    return "\n".join(lines)
