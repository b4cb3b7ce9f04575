"""The command that writes the report of evaluated models."""

from pathlib import Path
from typing import Annotated

import typer

from dianjin_ext.cli.app import OVERWRITE, app


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
    write_report(runs, target)
    Console(highlight=False).print("\n".join(map(str, files(target))), soft_wrap=True, markup=False)
