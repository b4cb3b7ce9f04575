"""`dianjin score`: grade the responses in a file of JSON lines, of any size.

A row is `{"data_source": …, "response": …, "ground_truth": …, "extra_info": {…}}`; `extra_info` may
be left out, other keys are kept. The output has the same rows in the same order, each with every
key of `compute_score` added.
"""

import gzip
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO, Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from dianjin_ext.errors import DianjinError
from dianjin_ext.evaluation.batches import batches, worked
from dianjin_ext.evaluation.parquet_lines import ParquetLines
from dianjin_ext.evaluation.score_batch import grade_batch, start
from dianjin_ext.evaluation.settings_file import split_judge
from dianjin_ext.evaluation.tally import Tally
from dianjin_ext.files import replacing
from dianjin_ext.jsonl import STANDARD, Lines
from dianjin_ext.outputs import written_whole
from dianjin_ext.rewards.grader import Grader
from dianjin_ext.rewards.judged import require_judge
from dianjin_ext.sniff import expect_rows

SHOWN = 20


def score_file(
    file: Path,
    out: Path,
    *,
    settings: Mapping[str, Any],
    workers: int = 1,
    skip_bad: bool = False,
    rescore: bool = False,
) -> Tally:
    """Grade every row of `file` into `out`; show progress, bad rows and means.

    Args:
        file: JSON lines, also gzipped (`.gz`), `.parquet`, or `-` for the standard input.
        out: Replaced at once when all is done; gzipped where it ends in `.gz`; `-` for the
            standard output.
        settings: As for `compute_score`, and `judge`, as for `compute_score_with_judge`.
        workers: Processes that grade. Rewards are known to them that are built in or come from
            plug-ins.
        skip_bad: Leave bad rows out instead of failing.
        rescore: Replace the results of an earlier run that rows have; without it a row that has
            one of the new keys is bad.

    Raises:
        DianjinError: A file can't be read, a setting is not known, or there are bad rows; each is
            told by file, line (counted from 1), key and what was expected there.
    """
    # What is wrong is said once, before a process is started.
    rules, judge = split_judge(settings)
    Grader(rules)
    if judge is not None:
        require_judge(judge)
    if file != STANDARD:
        expect_rows(file)
    lines = ParquetLines(file) if file.suffix == ".parquet" else Lines(file)
    console = Console(stderr=True)
    tally, bad = Tally(), 0
    columns = (
        TextColumn("scoring"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with _writer(out) as write, Progress(*columns, console=console) as progress:
        task = progress.add_task("", total=lines.size)
        begin = partial(start, settings, rescore)
        for graded in worked(grade_batch, batches(lines), workers=workers, start=begin):
            write.write(graded.output)
            tally.update(graded.tally)
            for number, problem in graded.bad[: max(0, SHOWN - bad)]:
                text = f"{lines.name}, line {number}: {problem}"
                console.print(text, style="yellow", markup=False, highlight=False, soft_wrap=True)
            bad += len(graded.bad)
            progress.update(task, completed=lines.position)
        if bad and not skip_bad:
            raise DianjinError(
                f"{lines.name}: {bad} bad rows (the first {min(bad, SHOWN)} are above); nothing "
                "was written: mend them or pass --skip-bad"
            )
        if not tally.summary() and not bad:
            raise DianjinError(f"{lines.name}: expected rows, found none")
    if bad:
        console.print(f"{bad} bad rows were left out", style="yellow", highlight=False)
    (console if out == STANDARD else Console()).print(tally.table())
    return tally


@contextmanager
def _writer(out: Path) -> Iterator[IO[bytes]]:
    if out == STANDARD:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    with written_whole(out), replacing(out) as temporary, temporary.open("wb") as raw:
        if out.suffix == ".gz":
            with gzip.GzipFile(fileobj=raw, mode="wb", filename="", compresslevel=6) as packed:
                yield packed  # type: ignore[misc]
        else:
            yield raw
