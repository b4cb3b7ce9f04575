"""Commands on rewards: score, audit, reward-server."""

from pathlib import Path
from typing import Annotated

import typer

from dianjin_ext.cli.app import OVERWRITE, REWARDS, SETTINGS, app

_PRESET = Annotated[
    str | None, typer.Option(help="dianjin_r1, fin_r1, fino1, deepseek_r1_zero or deepseek_r1.")
]
_STRICTNESS = Annotated[str | None, typer.Option(help="strict, lenient or dianjin.")]


@app.command()
def score(
    file: Annotated[
        Path, typer.Argument(help="JSON lines, also .gz, or .parquet; - is the standard input.")
    ],
    out: Annotated[
        Path, typer.Option(help="The rows with their scores, also .gz; - is the standard output.")
    ],
    workers: Annotated[int, typer.Option(min=1, help="Processes that grade.")] = 1,
    settings: SETTINGS = None,
    rewards: REWARDS = None,
    preset: _PRESET = None,
    strictness: _STRICTNESS = None,
    skip_bad: Annotated[
        bool, typer.Option("--skip-bad", help="Leave bad rows out instead of failing.")
    ] = False,
    rescore: Annotated[
        bool, typer.Option("--rescore", help="Replace the scores that rows have already.")
    ] = False,
    overwrite: OVERWRITE = False,
) -> None:
    """Grade the responses in a file.

    Each gets every key of compute_score, with the reason for every zero.

    A row is {"data_source", "response", "ground_truth", "extra_info"}; the last may be left out,
    and other keys are kept. Every key of compute_score is added. A row that has such a key already
    is bad, unless --rescore is given. The file may be larger than memory.
    """
    from dianjin_ext.evaluation.score_file import score_file
    from dianjin_ext.evaluation.settings_file import load_settings, reward_files
    from dianjin_ext.jsonl import STANDARD
    from dianjin_ext.outputs import check_output

    given = load_settings(settings, preset=preset, strictness=strictness, rewards=rewards)
    if out != STANDARD:
        # The shell may have redirected a file to the standard input.
        read = Path("/dev/stdin") if file == STANDARD else file
        inputs = [read, *([settings] if settings else []), *reward_files(given)]
        check_output(out, inputs=inputs, overwrite=overwrite)
    score_file(file, out, settings=given, workers=workers, skip_bad=skip_bad, rescore=rescore)


@app.command()
def audit(
    preset: Annotated[
        str | None, typer.Argument(help="A preset; without one, the default policies.")
    ] = None,
    rewards: REWARDS = None,
) -> None:
    """Try known hacks and traps on the rewards.

    Beside other graders; exit code 1 if one works on ours.
    """
    from dianjin_ext.audit import run
    from dianjin_ext.hosts.verl.scorers import graders
    from dianjin_ext.rewards.own import load_rewards

    load_rewards(rewards or [])
    raise typer.Exit(run(preset, graders()))


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
    settings: SETTINGS = None,
    rewards: REWARDS = None,
    preset: _PRESET = None,
    strictness: _STRICTNESS = None,
    write_prompts: Annotated[
        Path | None,
        typer.Option(help="Write the prompts for LLaMA-Factory to train on, and stop."),
    ] = None,
    overwrite: OVERWRITE = False,
) -> None:
    """Serve the rewards to LLaMA-Factory's PPO.

    For reward_model_type: api; run it in LLaMA-Factory's environment.

    The trainer sends prompt and response as one text, without the gold answer. The server finds the
    row by its prompt, which it renders as the training does: give it the same recipe and overrides.
    """
    from dianjin_ext.hosts.llamafactory import prompts
    from dianjin_ext.outputs import check_output

    if write_prompts is not None:
        inputs = [data, recipe, *([settings] if settings else [])]
        check_output(write_prompts, inputs=inputs, overwrite=overwrite)
        prompts.write_prompts(prompts.read_rows(data), write_prompts)
        return
    from dianjin_ext.evaluation.settings_file import load_settings
    from dianjin_ext.hosts.llamafactory.reward_server import read_recipe, serve

    given = load_settings(settings, preset=preset, strictness=strictness, rewards=rewards)
    serve(data, read_recipe(recipe, overrides or []), given, host=host, port=port)
