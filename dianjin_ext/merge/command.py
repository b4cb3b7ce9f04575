"""`dianjin merge`: the merger with a progress bar, or its plan as a table."""

import shutil
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.filesize import decimal
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.table import Table

from dianjin_ext.errors import DianjinError
from dianjin_ext.merge.adapters import FOLDER
from dianjin_ext.merge.merger import merge_checkpoint
from dianjin_ext.merge.places import local_images, local_path, url_of
from dianjin_ext.merge.plan import Plan, plan_merge
from dianjin_ext.merge.push import Hub
from dianjin_ext.merge.settings import MergeSettings, parse_size
from dianjin_ext.merge.stores import check_store
from dianjin_ext.merge.throttle import Throttle
from dianjin_ext.merge.verify import SUMS, check_merged


def run(
    ckpt: Sequence[str | Path],
    out: str | Path,
    settings: MergeSettings,
    *,
    dry_run: bool = False,
    io_limit: str | None = None,
    push: str | None = None,
) -> None:
    """Merge a checkpoint and say what was done, or only say what would be.

    Args:
        ckpt: As `source` of `merge_checkpoint`.
        out: As `target` of `merge_checkpoint`.
        settings: As for `merge_checkpoint`.
        dry_run: Read and check the headers, print the plan, write nothing.
        io_limit: Bytes written a second at most, such as `200MB`.
        push: Upload the folder to this repository of the hub, once it is verified.

    Raises:
        DianjinError: As `merge_checkpoint`, or the upload failed.
    """
    console = Console()
    place = url_of(out) or local_path(out)
    if dry_run:
        with local_images(ckpt) as images:
            plan = plan_merge(images, settings)
        _print_plan(plan, place, console)
        return
    hub = None
    if push:
        if not isinstance(place, Path):
            raise DianjinError("push: OUT must be a local folder, from which it is uploaded")
        hub = Hub(push)
    settings = replace(settings, verify=settings.verify or hub is not None)
    columns = (
        TextColumn("merging"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    begin = time.perf_counter()
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("merging", total=None)

        def progress(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        limit = Throttle(parse_size(io_limit, "io_limit"), progress) if io_limit else progress
        plan = merge_checkpoint(ckpt, place, settings, progress=limit)
    seconds = time.perf_counter() - begin
    console.print(f"{place}: {_summary(plan)}, {seconds:.1f} s", highlight=False)
    if plan.adapter is not None:
        console.print(
            f"The weights are the base model's; the trained adapter lies in {place}/{FOLDER} "
            "(--merge-lora merges it into them).",
            highlight=False,
        )
    if settings.verify:
        console.print("read again and found equal to the rank files")
    if settings.sums or settings.verify:
        console.print(f"SHA-256 sums: {SUMS}")
    if hub is not None:
        console.print(f"pushed: {hub.upload(local_path(place))}", highlight=False, soft_wrap=True)
    if not plan.checksums:
        console.print("The rank files carry no CRC32s, so damage could not be noticed.")


def check(folder: str | Path) -> None:
    """Check a merged folder on its own and say what was found.

    Args:
        folder: What `run` made.

    Raises:
        DianjinError: Something is missing or damaged.
    """
    if url := url_of(folder):
        count = check_store(url)
        Console().print(f"{url}: {count} SHA-256 sums are right", highlight=False)
        return
    report = check_merged(local_path(folder))
    files = f"{report.files} file{'s' if report.files > 1 else ''}"
    hashed = f"{report.hashed} SHA-256 sums are right" if report.hashed else f"no {SUMS} to compare"
    Console().print(
        f"{folder}: {report.tensors} tensors in {files}, {decimal(report.nbytes)}; {hashed}",
        highlight=False,
    )


def _summary(plan: Plan) -> str:
    dtypes = Counter(tensor.dtype.name for tensor in plan.tensors)
    files = f"{len(plan.files)} file{'s' if len(plan.files) > 1 else ''}"
    return (
        f"{len(plan.tensors)} tensors ({', '.join(dtypes)}) of {len(plan.checkpoint.ranks)} ranks "
        f"in {files}, {decimal(plan.nbytes)}"
    )


def _print_plan(plan: Plan, out: Path | str, console: Console) -> None:
    table = Table("file", "tensor", "shape", "dtype", "parts", "bytes", box=None, pad_edge=False)
    for file in plan.files:
        for tensor in file.tensors:
            table.add_row(
                file.name,
                tensor.name,
                "×".join(map(str, tensor.shape)) or "scalar",
                tensor.dtype.name,
                str(len(tensor.pieces)),
                f"{tensor.nbytes:,}",
            )
    console.print(table)
    free = ""
    if isinstance(out, Path):
        existing = next(folder for folder in out.absolute().parents if folder.exists())
        free = f"; free on that disk: {decimal(shutil.disk_usage(existing).free)}"
    console.print(f"{_summary(plan)}{free}", highlight=False)
    if plan.tied:
        console.print(f"left out, tied to the input embeddings: {', '.join(plan.tied)}")
    if plan.config:
        console.print("config.json will be changed to name the element type of the weights")
    console.print(f"copied: {', '.join(sorted(plan.side_files))}", highlight=False)
