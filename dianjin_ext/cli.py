"""The `dianjin` command: one thin function a subcommand, heavy imports inside."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from dianjin_ext.errors import DianjinError

app = typer.Typer(
    help="Financial-reasoning post-training for unforked verl and LLaMA-Factory.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # help in boxes would take as long to import as everything else
    context_settings={"help_option_names": ["-h", "--help"]},
)
prepare_app = typer.Typer(
    help="Turn a data set into SFT rows and verl parquet.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.add_typer(prepare_app, name="prepare")


def _version(show: bool) -> None:
    if show:
        from dianjin_ext import __version__

        typer.echo(f"dianjin-ext {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    pass


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
) -> None:
    """Split CFLUE into SFT, RL and validation rows."""
    from dianjin_ext.data.counts import show
    from dianjin_ext.data.prepare import prepare_cflue as prepare

    counts = prepare(file, out, rl_rows=rl_rows, val_rows=val_rows, seed=seed, skip_bad=skip_bad)
    show(counts, out)


_SETTINGS = Annotated[
    Path | None, typer.Option(help="YAML file of reward settings; the keys of reward_kwargs.")
]
_PRESET = Annotated[
    str | None, typer.Option(help="dianjin_r1, fin_r1, fino1, deepseek_r1_zero or deepseek_r1.")
]
_STRICTNESS = Annotated[str | None, typer.Option(help="strict, lenient or dianjin.")]


@app.command()
def score(
    file: Annotated[Path, typer.Argument(help="JSON lines, also .gz; - is the standard input.")],
    out: Annotated[
        Path, typer.Option(help="The rows with their scores, also .gz; - is the standard output.")
    ],
    workers: Annotated[int, typer.Option(min=1, help="Processes that grade.")] = 1,
    settings: _SETTINGS = None,
    preset: _PRESET = None,
    strictness: _STRICTNESS = None,
    skip_bad: Annotated[
        bool, typer.Option("--skip-bad", help="Leave bad rows out instead of failing.")
    ] = False,
    rescore: Annotated[
        bool, typer.Option("--rescore", help="Replace the scores that rows have already.")
    ] = False,
) -> None:
    """Grade the responses in a file.

    Each gets every key of compute_score, with the reason for every zero.

    A row is {"data_source", "response", "ground_truth", "extra_info"}; the last may be left out,
    and other keys are kept. Every key of compute_score is added. A row that has such a key already
    is bad, unless --rescore is given. The file may be larger than memory.
    """
    from dianjin_ext.evaluation.score_file import score_file
    from dianjin_ext.evaluation.settings_file import load_settings

    given = load_settings(settings, preset=preset, strictness=strictness)
    score_file(file, out, settings=given, workers=workers, skip_bad=skip_bad, rescore=rescore)


@app.command()
def audit(
    preset: Annotated[
        str | None, typer.Argument(help="A preset; without one, the default policies.")
    ] = None,
) -> None:
    """Try known hacks and traps on the rewards.

    Beside other graders; exit code 1 if one works on ours.
    """
    from dianjin_ext.audit import run
    from dianjin_ext.hosts.verl.scorers import graders

    raise typer.Exit(run(preset, graders()))


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
) -> None:
    """Check training data.

    The exit code is 1 when something is wrong.

    Found are gold answers that no response could match, gold numbers without a percent sign where
    the question asks for a percentage, unknown data sources, bad rows, questions that come twice
    (also with their options shuffled), and questions of one file that are in another too.
    """
    from dianjin_ext.data.check import check_data as check

    raise typer.Exit(0 if check(files, report_file=json_, allow=allow or ()) else 1)


@app.command()
def merge(
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="CKPT... OUT",
            help="global_step_N or its actor folder (several where ranks lie apart), then the "
            "folder for the Hugging Face model. Both may be URLs, such as s3://…",
        ),
    ],
    base_model: Annotated[
        Path | None,
        typer.Option(help="Folder with configuration and tokenizer, where CKPT lacks them."),
    ] = None,
    dtype: Annotated[
        str, typer.Option(help="keep, or convert the weights to bf16, fp16 or fp32.")
    ] = "keep",
    max_shard_size: Annotated[str, typer.Option(help="Largest safetensors file.")] = "5GB",
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a model that is in OUT.")
    ] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Keep the files that an interrupted merge finished.")
    ] = False,
    verify: Annotated[
        bool, typer.Option("--verify", help="Read OUT again, compare it, and write SHA256SUMS.")
    ] = False,
    merge_lora: Annotated[
        bool, typer.Option("--merge-lora", help="Merge a LoRA adapter into the base weights.")
    ] = False,
    lora_alpha: Annotated[
        float | None, typer.Option(help="The adapter's alpha, where CKPT does not say it.")
    ] = None,
    push: Annotated[
        str | None,
        typer.Option(
            metavar="ORG/NAME",
            help="Upload OUT to a model hub once it is verified (HF_TOKEN, HF_ENDPOINT).",
        ),
    ] = None,
    io_limit: Annotated[
        str | None, typer.Option(help="Bytes written a second at most, such as 200MB.")
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Only check the merged folder OUT, without CKPT.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check the checkpoint and show the plan only.")
    ] = False,
) -> None:
    """Merge an FSDP checkpoint of verl.

    OUT is a folder in Hugging Face format, or appears not at all.
    """
    from dianjin_ext.merge import command

    *ckpt, out = paths
    if check:
        if ckpt:
            raise typer.BadParameter("--check takes one folder: OUT")
        command.check(out)
        return
    if not ckpt:
        raise typer.BadParameter("give CKPT and OUT")
    command.run(
        ckpt,
        out,
        base_model=base_model,
        dtype=dtype,
        max_shard_size=max_shard_size,
        overwrite=overwrite,
        resume=resume,
        verify=verify,
        merge_lora=merge_lora,
        lora_alpha=lora_alpha,
        push=push,
        io_limit=io_limit,
        dry_run=dry_run,
    )


@app.command("reward-server")
def reward_server(
    data: Annotated[
        Path, typer.Option(help="verl parquet or JSON lines: prompts and their gold answers.")
    ],
    overrides: Annotated[
        list[str] | None,
        typer.Argument(metavar="[KEY=VALUE]...", help="As given to the training."),
    ] = None,
    recipe: Annotated[
        Path, typer.Option(help="YAML of the training: its model, template and cutoff_len.")
    ] = Path("configs/ppo.yaml"),
    host: Annotated[str, typer.Option(help="Address to listen at; no authentication.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option(help="Port to listen at.")] = 8902,
    settings: _SETTINGS = None,
    preset: _PRESET = None,
    strictness: _STRICTNESS = None,
    write_prompts: Annotated[
        Path | None,
        typer.Option(help="Write the prompts for LLaMA-Factory to train on, and stop."),
    ] = None,
) -> None:
    """Serve the rewards to LLaMA-Factory's PPO.

    For reward_model_type: api; run it in LLaMA-Factory's environment.

    The trainer sends prompt and response as one text, without the gold answer. The server finds the
    row by its prompt, which it renders as the training does: give it the same recipe and overrides.
    """
    from dianjin_ext.hosts.llamafactory import prompts

    if write_prompts is not None:
        prompts.write_prompts(prompts.read_rows(data), write_prompts)
        return
    from dianjin_ext.evaluation.settings_file import load_settings
    from dianjin_ext.hosts.llamafactory.reward_server import read_recipe, serve

    given = load_settings(settings, preset=preset, strictness=strictness)
    serve(data, read_recipe(recipe, overrides or []), given, host=host, port=port)


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


def main() -> None:
    """Run the command line; a `DianjinError` becomes one red line and exit code 1."""
    try:
        app()
    except DianjinError as error:
        Console(stderr=True).print(
            f"error: {error}", style="red", markup=False, highlight=False, soft_wrap=True
        )
        sys.exit(1)
