"""Commands on the installation: doctor, init, quickstart."""

from pathlib import Path
from typing import Annotated

import typer

from dianjin_ext.cli.app import app
from dianjin_ext.errors import DianjinError


@app.command()
def doctor(
    server: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Check a running OpenAI-compatible server instead: does it give what was trained?",
        ),
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="With --server: the model's name there.")
    ] = None,
    tokenizer: Annotated[
        Path | None,
        typer.Option(
            show_default="the served folder", help="With --server: the folder that training wrote."
        ),
    ] = None,
    tags: Annotated[
        str,
        typer.Option(
            help="With --server: the layout of its responses; dianjin_r1, think_only, channels, or "
            "pairs of marks as YAML."
        ),
    ] = "dianjin_r1",
    api_key_env: Annotated[
        str,
        typer.Option(help="With --server: NAME of the environment variable with its key."),
    ] = "OPENAI_API_KEY",
) -> None:
    """Check this installation, or a server.

    Hosts, versions, plug-ins, recipes and a probe score. Of a server: chat template, stop tokens,
    how it samples, where the reasoning is, and the score of a probe question.
    """
    from dianjin_ext.hosts.doctor import diagnose, healthy, show

    if server is None:
        if model is not None or tokenizer is not None:
            raise typer.BadParameter("--model and --tokenizer are for --server URL")
        findings = show(diagnose())
    else:
        try:
            from dianjin_ext.hosts.doctor.server import diagnose_server
        except ModuleNotFoundError as error:
            raise DianjinError(
                f"checking a server needs {error.name}; pip install 'dianjin-ext[ask]'"
            ) from error
        from dianjin_ext.rewards.policy import parse_tags

        found = diagnose_server(
            server,
            model=model,
            tokenizer=tokenizer,
            tags=parse_tags(tags),
            api_key_env=api_key_env,
        )
        findings = show(found, fine="no problem found")
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
    recipe: Annotated[
        str, typer.Option(help="Whose method is run: a name of `dianjin recipe`.")
    ] = "dianjin_r1",
    method: Annotated[
        list[str] | None,
        typer.Option(help="A method of configs/method on top, such as lora or dapo; repeatable."),
    ] = None,
    seed: Annotated[
        int,
        typer.Option(min=0, max=2**32 - 1, help="Seed of the data, the model and training."),
    ] = 0,
    data: Annotated[
        str | None, typer.Option(help="Real data in place of made-up questions: cflue:FILE.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in --out.")] = False,
    llamafactory_python: Annotated[
        Path | None, typer.Option(help="Python of the environment that has LLaMA-Factory.")
    ] = None,
) -> None:
    """Run a recipe on a tiny model, with a report.

    Its data, its trainings, merge and evaluation, on a CPU.
    """
    from dianjin_ext.quickstart.run import run

    run(
        out,
        recipe=recipe,
        methods=tuple(method or ()),
        seed=seed,
        data=data,
        resume=resume,
        llamafactory_python=llamafactory_python,
    )
