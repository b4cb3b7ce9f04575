"""Commands on data: prepare, check-data."""

from pathlib import Path
from typing import Annotated

import typer

from dianjin_ext.cli.app import OVERWRITE, REWARDS, SETTINGS, app


@app.command("prepare", no_args_is_help=True)
def prepare(
    dataset: Annotated[
        str,
        typer.Argument(
            help="Name of the data set (`dianjin prepare list` shows all), or `own` for a file of "
            "your own."
        ),
    ],
    files: Annotated[
        list[Path] | None,
        typer.Argument(help="Its files, as published: JSON, JSON lines, CSV, XLSX, parquet."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Directory for questions.parquet, sft/, rl/ and counts.json."),
    ] = None,
    mapping: Annotated[
        Path | None,
        typer.Option("--map", help="With `own`: which column is what, as YAML (docs/data.md)."),
    ] = None,
    guess: Annotated[
        Path | None,
        typer.Option(help="With `own`: write such a mapping, guessed from the columns; stop."),
    ] = None,
    hub: Annotated[
        str | None, typer.Option(help="Load the data set of this name from Hugging Face's hub.")
    ] = None,
    on_error: Annotated[
        str,
        typer.Option(help="Bad rows: stop, skip, or quarantine (into OUT/bad_rows.jsonl)."),
    ] = "stop",
    rl_rows: Annotated[
        int | None,
        typer.Option(
            min=1,
            show_default="4096, or a quarter of a small file",
            help="Most rows for RL training.",
        ),
    ] = None,
    val_rows: Annotated[
        int | None,
        typer.Option(
            min=1, show_default="500, or a tenth of a small file", help="Most rows for validation."
        ),
    ] = None,
    max_prompt_length: Annotated[
        int, typer.Option(min=1, help="Longest RL prompt, in tokens, about.")
    ] = 1024,
    seed: Annotated[int, typer.Option(help="Seed of the split.")] = 0,
    tags: Annotated[
        str,
        typer.Option(
            help="Layout of the responses: dianjin_r1, think_only, channels, or pairs of marks as "
            "YAML; the same as the setting `tags` of the rewards.",
        ),
    ] = "dianjin_r1",
    overwrite: OVERWRITE = False,
) -> None:
    """Turn a data set into questions, SFT rows and verl parquet."""
    from dianjin_ext.data.command import list_readers, prepare_files, write_guess
    from dianjin_ext.data.prepare_settings import PrepareSettings, parse_on_error
    from dianjin_ext.rewards.policy import parse_tags

    if dataset == "list":
        list_readers()
        return
    if guess is not None:
        write_guess(dataset, files or [], guess, overwrite=overwrite)
        return
    settings = PrepareSettings(
        rl_rows=rl_rows,
        val_rows=val_rows,
        seed=seed,
        max_prompt=max_prompt_length,
        on_error=parse_on_error(on_error),
        tags=parse_tags(tags),
        overwrite=overwrite,
    )
    prepare_files(dataset, files or [], out, mapping=mapping, hub=hub, settings=settings)


@app.command("check-data")
def check_data(
    files: Annotated[
        list[Path],
        typer.Argument(
            help="verl parquet, questions.parquet or JSON lines (also .gz); several are splits."
        ),
    ],
    json_: Annotated[
        Path | None, typer.Option("--json", help="Also write every finding as JSON.")
    ] = None,
    allow: Annotated[
        list[str] | None,
        typer.Option(help="Kinds of findings that don't count, such as percent; repeatable."),
    ] = None,
    settings: SETTINGS = None,
    rewards: REWARDS = None,
    overwrite: OVERWRITE = False,
    tokenizer: Annotated[
        Path | None,
        typer.Option(help="Folder with the model's tokenizer: finds prompts that are too long."),
    ] = None,
    max_prompt_length: Annotated[
        int, typer.Option(min=1, help="Longest prompt of the training, in tokens.")
    ] = 1024,
) -> None:
    """Check training data.

    The exit code is 1 when something is wrong.

    Found are gold answers that no response could match, gold numbers without a percent sign where
    the question asks for a percentage, unknown data sources, bad rows, questions that come twice
    (also with their options shuffled), and questions of one file that are in another too.
    """
    from dianjin_ext.data.check import check_data as check
    from dianjin_ext.data.prompt_length import PromptLimit
    from dianjin_ext.evaluation.settings_file import load_settings, reward_files, split_judge
    from dianjin_ext.outputs import check_output

    given = load_settings(settings, rewards=rewards)
    if json_ is not None:
        inputs = [*files, *([settings] if settings else []), *reward_files(given)]
        check_output(json_, inputs=inputs, overwrite=overwrite)
    rules, _ = split_judge(given)
    fine = check(
        files,
        report_file=json_,
        allow=allow or (),
        settings=rules,
        limit=PromptLimit(tokenizer, max_prompt_length) if tokenizer is not None else None,
    )
    raise typer.Exit(0 if fine else 1)
