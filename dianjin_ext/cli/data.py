"""Commands on data: prepare, check-data."""

from pathlib import Path
from typing import Annotated

import typer

from dianjin_ext.cli.app import OVERWRITE, REWARDS, SETTINGS, app

prepare_app = typer.Typer(
    help="Turn a data set into SFT rows and verl parquet.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.add_typer(prepare_app, name="prepare")


@prepare_app.command("cflue")
def prepare_cflue(
    file: Annotated[Path, typer.Argument(help="CFLUE's data/knowledge/knowledge.json.")],
    out: Annotated[Path, typer.Option(help="Directory for sft/, rl/ and counts.json.")],
    rl_rows: Annotated[
        int | None,
        typer.Option(
            min=1,
            show_default="4096, or a quarter of a small file",
            help="Most rows for RL training: gold checked, prompt of at most 1024 characters.",
        ),
    ] = None,
    val_rows: Annotated[
        int | None,
        typer.Option(
            min=1, show_default="500, or a tenth of a small file", help="Most rows for validation."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the split.")] = 0,
    skip_bad: Annotated[
        bool, typer.Option("--skip-bad", help="Leave bad rows out instead of stopping.")
    ] = False,
    tags: Annotated[
        str,
        typer.Option(
            help="Layout of the responses: dianjin_r1, think_only, channels, or pairs of marks as "
            "YAML; the same as the setting `tags` of the rewards.",
        ),
    ] = "dianjin_r1",
    overwrite: OVERWRITE = False,
) -> None:
    """Split CFLUE into SFT, RL and validation rows."""
    from dianjin_ext.data.counts import show
    from dianjin_ext.data.prepare import prepare_cflue as prepare
    from dianjin_ext.rewards.policy import parse_tags

    counts = prepare(
        file,
        out,
        rl_rows=rl_rows,
        val_rows=val_rows,
        seed=seed,
        skip_bad=skip_bad,
        tags=parse_tags(tags),
        overwrite=overwrite,
    )
    show(counts, out)


@app.command("check-data")
def check_data(
    files: Annotated[
        list[Path],
        typer.Argument(help="verl parquet or JSON lines (also .gz); several are splits."),
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
