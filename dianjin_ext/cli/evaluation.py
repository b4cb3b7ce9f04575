"""The command that evaluates a model."""

from pathlib import Path
from typing import Annotated

import typer

from dianjin_ext.cli.app import app


@app.command("eval", no_args_is_help=True)
def evaluate(
    benchmarks: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="BENCHMARK…",
            show_default="those that --settings names",
            help="Names (`dianjin eval list` shows all), or own:NAME for a file of your own.",
        ),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(help="A model at --base-url, or a folder of one, which is served meanwhile."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for summary.json, responses/ and the replies; one a model."),
    ] = None,
    base_url: Annotated[
        list[str] | None,
        typer.Option(
            help="OpenAI-compatible server; repeatable for several that serve the same model."
        ),
    ] = None,
    protocol: Annotated[
        list[str] | None,
        typer.Option(
            show_default="those that --settings names, else dianjin_r1",
            help="dianjin_r1, fin_r1, fino1, deepseek_r1, docmath, or your own file in .yaml; "
            "repeatable.",
        ),
    ] = None,
    data: Annotated[
        list[str] | None,
        typer.Option(
            show_default="Hugging Face's hub",
            help="The benchmark's published file or folder; with several benchmarks "
            "BENCHMARK=PATH. Repeatable.",
        ),
    ] = None,
    mapping: Annotated[
        Path | None,
        typer.Option("--map", help="With own:NAME: which column is what, as YAML (docs/data.md)."),
    ] = None,
    split: Annotated[str | None, typer.Option(help="train, val or test.")] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Ask the first questions only, so many.")
    ] = None,
    repeats: Annotated[
        int | None, typer.Option(min=1, help="Replies a question: pass@1, pass@k and cons@k.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of samples of questions, and of replies.")] = 0,
    temperature: Annotated[float | None, typer.Option(min=0)] = None,
    top_p: Annotated[float | None, typer.Option(min=0)] = None,
    max_tokens: Annotated[int | None, typer.Option(min=1, help="Of a reply.")] = None,
    settings: Annotated[
        Path | None,
        typer.Option(
            help="YAML with `judge` (as for the rewards), and with `model`: limits, prices, "
            "budgets, further options of requests (docs/evaluation.md); also `benchmarks` and "
            "`protocols`, as those in configs/eval."
        ),
    ] = None,
    tensor_parallel: Annotated[
        int, typer.Option(min=1, help="GPUs that share the model of a folder.")
    ] = 1,
    max_model_len: Annotated[
        int | None, typer.Option(min=1, help="Tokens of prompt and reply there.")
    ] = None,
) -> None:
    """Ask a model the questions of benchmarks, grade its answers, say how sure the numbers are.

    The same command goes on where it was stopped: no reply is asked for twice.
    """
    from dianjin_ext.evaluation.command import eval_command, list_benchmarks
    from dianjin_ext.evaluation.plan import Choices

    if benchmarks == ["list"]:
        list_benchmarks()
        return
    eval_command(
        benchmarks or [],
        protocol or [],
        model=model,
        out=out,
        base_url=base_url or [],
        data=data or [],
        mapping=mapping,
        settings=settings,
        choices=Choices(
            split=split,
            limit=limit,
            seed=seed,
            temperature=temperature,
            top_p=top_p,
            max_tokens=max_tokens,
            samples=repeats,
        ),
        tensor_parallel=tensor_parallel,
        max_model_len=max_model_len,
    )
