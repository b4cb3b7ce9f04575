"""The command that runs our benchmarks in EvalScope: `python -m dianjin_ext.hosts.evalscope`."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from dianjin_ext.errors import DianjinError
from dianjin_ext.evaluation.plan import Choices

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


@app.command(no_args_is_help=True)
def evaluate(
    benchmarks: Annotated[
        list[str], typer.Argument(metavar="BENCHMARK…", help="Names, as in `dianjin eval`.")
    ],
    model: Annotated[str, typer.Option(help="The name of the model at --base-url.")],
    base_url: Annotated[str, typer.Option(help="OpenAI-compatible server.")],
    out: Annotated[Path, typer.Option(help="Gets a folder of EvalScope's for each benchmark.")],
    protocol: Annotated[str, typer.Option(help="A name, or your own file.")] = "dianjin_r1",
    own: Annotated[
        bool,
        typer.Option(
            "--own",
            help="EvalScope's own benchmarks of these names, such as math_500 and gpqa_diamond: "
            "its prompts and verdicts, the protocol's sampling.",
        ),
    ] = False,
    data: Annotated[
        list[str] | None,
        typer.Option(
            show_default="the hub",
            help="The published file or folder; with several benchmarks BENCHMARK=PATH. "
            "Repeatable.",
        ),
    ] = None,
    mapping: Annotated[
        Path | None, typer.Option("--map", help="With own:NAME: which column is what, as YAML.")
    ] = None,
    split: Annotated[str | None, typer.Option(help="train, val or test.")] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Ask the first questions only, so many.")
    ] = None,
    repeats: Annotated[
        int | None, typer.Option(min=1, help="Replies a question; pass@k then too.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of samples of questions, and of replies.")] = 0,
    temperature: Annotated[float | None, typer.Option(min=0)] = None,
    top_p: Annotated[float | None, typer.Option(min=0)] = None,
    max_tokens: Annotated[int | None, typer.Option(min=1, help="Of a reply.")] = None,
    settings: Annotated[
        Path | None, typer.Option(help="YAML with `judge`, as in `dianjin eval`.")
    ] = None,
    in_flight: Annotated[int, typer.Option(min=1, help="Requests at a time.")] = 64,
) -> None:
    """Ask a model the questions of benchmarks by EvalScope; the verdicts are `dianjin eval`'s.

    The key is OPENAI_API_KEY, which a server without keys doesn't need. The same command goes on
    where it was stopped.
    """
    from dianjin_ext.hosts.evalscope.run import Server, run_ours, run_own

    server = Server(model, base_url, in_flight)
    choices = Choices(
        split=split,
        limit=limit,
        seed=seed,
        temperature=temperature,
        top_p=top_p,
        max_tokens=max_tokens,
        samples=repeats,
    )
    if own:
        folders = run_own(
            benchmarks,
            protocol,
            server,
            out,
            data=_of_each(benchmarks, data or []),
            choices=choices,
        )
    else:
        folders = run_ours(
            benchmarks,
            protocol,
            server,
            out,
            data=data or [],
            mapping=mapping,
            settings=settings,
            choices=choices,
        )
    for folder in folders:
        print(folder / "reports" / "report.html")


def _of_each(benchmarks: Sequence[str], data: Sequence[str]) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for text in data:
        name, equals, path = text.partition("=")
        if not equals or name not in benchmarks:
            name, path = benchmarks[0], text
            if len(benchmarks) > 1:
                raise DianjinError(
                    f"--data {text}: with several benchmarks, say whose it is: --data {name}=PATH"
                )
        if name in found:
            raise DianjinError(f"--data {text}: {name} has one already; name a file or a folder")
        found[name] = Path(path)
    return found


def main() -> None:
    """Run the command line; a `DianjinError` becomes one red line and exit code 1."""
    try:
        app()
    except DianjinError as error:
        console = Console(stderr=True)
        console.print(f"error: {error}", style="red", markup=False, highlight=False, soft_wrap=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
