"""The command that writes the report of evaluated models."""

from os import sched_getaffinity
from pathlib import Path
from typing import Annotated, Final

import typer

from dianjin_ext.cli.app import OVERWRITE, app

_MOST_WORKERS: Final = 8


@app.command(no_args_is_help=True)
def report(
    runs: Annotated[
        list[Path],
        typer.Argument(
            metavar="RUN…",
            help="Folders of `dianjin eval` or `dianjin quickstart`, in the order to compare them; "
            "also of training runs, for their curves, and of `dianjin build`, for their cards.",
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            show_default="RUN/report.html, or report.html here for several",
            help="The page, a name in .html.",
        ),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(
            min=1,
            show_default=f"one a processor, at most {_MOST_WORKERS}",
            help="Processes that read the responses.",
        ),
    ] = None,
    overwrite: OVERWRITE = False,
) -> None:
    """Write the report of evaluated models.

    It compares them with each other and with published numbers, and shows their responses: as a
    page, as Markdown in English and Chinese, and as JSON.
    """
    from rich.console import Console

    from dianjin_ext.evaluation.report import files, write_report
    from dianjin_ext.outputs import check_output

    own = out is None and len(runs) == 1
    target = out or (runs[0] / "report.html" if own else Path("report.html"))
    for path in files(target) if not own or runs[0].is_dir() else ():
        check_output(path, overwrite=overwrite or own)
    write_report(runs, target, workers=workers or min(len(sched_getaffinity(0)), _MOST_WORKERS))
    Console(highlight=False).print("\n".join(map(str, files(target))), soft_wrap=True, markup=False)
