"""The command on verifiers: train-verifier."""

from pathlib import Path
from typing import Annotated

import typer

from dianjin_ext.cli.app import OVERWRITE, app


@app.command("train-verifier", no_args_is_help=True)
def train_verifier(
    settings: Annotated[Path, typer.Argument(help="YAML, such as configs/verifier.yaml.")],
    overrides: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="KEY=VALUE…", help="Such as answers=runs/fino1/set/candidates.parquet."
        ),
    ] = None,
    overwrite: OVERWRITE = False,
) -> None:
    """Train a classifier of right and wrong answers on candidates with verdicts.

    Says how good it is on questions that it never saw; goes on where it stopped.
    """
    from dianjin_ext.verifier.command import train_verifier as train

    train(settings, overrides or [], overwrite=overwrite)
