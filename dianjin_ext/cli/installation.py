"""Commands on the installation: doctor, init, quickstart."""

from pathlib import Path
from typing import Annotated

import typer

from dianjin_ext.cli.app import app


@app.command()
def doctor() -> None:
    """Check this installation.

    Hosts, versions, plug-ins, recipes and a probe score.
    """
    from dianjin_ext.hosts.doctor import diagnose, healthy, show

    findings = show(diagnose())
    raise typer.Exit(0 if healthy(findings) else 1)


@app.command()
def init(
    directory: Annotated[Path, typer.Argument(help="Where configs/ and examples/ are put.")],
) -> None:
    """Copy recipes and scripts out of the package."""
    from dianjin_ext.resources import copy_out

    for path in copy_out(directory):
        typer.echo(path)


@app.command()
def quickstart(
    out: Annotated[Path, typer.Option(help="Directory of the run.")] = Path("runs/quickstart"),
    seed: Annotated[int, typer.Option(help="Seed of the data, the model and training.")] = 0,
    data: Annotated[
        str | None, typer.Option(help="Real data in place of made-up questions: cflue:FILE.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in --out.")] = False,
    llamafactory_python: Annotated[
        Path | None, typer.Option(help="Python of the environment that has LLaMA-Factory.")
    ] = None,
) -> None:
    """Run both stages on a tiny model, with a report.

    SFT, GRPO, merge and evaluation on a CPU.
    """
    from dianjin_ext.quickstart.run import run

    run(out, seed=seed, data=data, resume=resume, llamafactory_python=llamafactory_python)
