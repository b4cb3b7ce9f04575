"""The command that writes the card of a set."""

from pathlib import Path
from typing import Annotated

import typer

from dianjin_ext.cli.app import OVERWRITE, app


@app.command()
def card(
    target: Annotated[
        Path,
        typer.Argument(
            metavar="SET",
            help="Folder of `dianjin build` or `dianjin prepare`, or a parquet file of questions "
            "or candidates.",
        ),
    ],
    truth: Annotated[
        Path | None,
        typer.Option(
            help="Labels of a part of the rows, as JSON lines: id, sample, right, sound; the card "
            "then has precision and recall of verify and select."
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            show_default="SET/card.md, or beside the file", help="The card, a name in .md."
        ),
    ] = None,
    overwrite: OVERWRITE = False,
) -> None:
    """Write the card of a set.

    It says what is in it, how good it is, where it comes from and how it was made: as Markdown in
    English and Chinese, as a page, and as JSON.
    """
    from rich.console import Console

    from dianjin_ext.data.card import write_card
    from dianjin_ext.data.card.source import find
    from dianjin_ext.data.card.write import files
    from dianjin_ext.outputs import check_output

    source = find(target)
    written = files(out or source.card)
    overwrite |= out is None and source.folder is not None  # a build's own card
    for path in written:
        check_output(path, inputs=[source.rows, *([truth] if truth else [])], overwrite=overwrite)
    write_card(target, truth=truth, out=out)
    Console(highlight=False).print("\n".join(map(str, written)), soft_wrap=True, markup=False)
