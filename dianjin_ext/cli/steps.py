"""One command for each step of a data pipeline, made from the settings of the step; and `build`."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import typer

from dianjin_ext.cli.app import OVERWRITE, app
from dianjin_ext.data.steps import ASKS, SETTINGS

_HELP = {
    "teacher": "who answers, rewrites or searches",
    "judge": "who judges",
    "student": "your checkpoint: a name at base_url, or a folder that is served meanwhile",
}


def _model_options(role: str) -> list[inspect.Parameter]:
    prefix = "judge-" if role == "judge" else ""
    name = f"{role}_model" if role == "judge" else "model"
    optional = role == "judge"
    return [
        _parameter(name, str | None, typer.Option(f"--{prefix}model", help=f"Model: {_HELP[role]}."
                   + (" Where it isn't named, no judge is asked." if optional else ""))),
        _parameter(f"{role}_url", str | None,
                   typer.Option(f"--{prefix}base-url", help="Its OpenAI-compatible endpoint.")),
        _parameter(f"{role}_key", str,
                   typer.Option(f"--{prefix}api-key-env",
                                help="NAME of the environment variable with its key."),
                   "OPENAI_API_KEY"),
    ]  # fmt: skip


def _parameter(name: str, kind: Any, option: Any, default: Any = None) -> inspect.Parameter:
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=Annotated[kind, option]
    )


def _setting_options(settings: type[Any]) -> list[inspect.Parameter]:
    hints = get_type_hints(settings, include_extras=True)
    found = []
    for field in fields(settings):
        kind, text = get_args(hints[field.name])[:2]
        default = field.default if field.default is not MISSING else None
        if get_origin(kind) is tuple:
            kind, default = _repeated(kind), None
            text = f"{text.rstrip('.')}; repeatable."
        elif get_origin(kind) is not None and issubclass(get_origin(kind), Mapping):
            kind, text = list[str] | None, f"{text.rstrip('.')}: NAME=NUMBER; repeatable."
        flag = f"--{field.name.replace('_', '-')}"
        if default is True:
            flag = f"{flag}/--no{flag[1:]}"
        found.append(_parameter(field.name, kind, typer.Option(flag, help=text), default))
    return found


def _repeated(kind: Any) -> Any:
    return list[Path] | None if Path in get_args(kind) else list[str] | None


def _command(name: str, settings: type[Any]) -> Callable[..., None]:
    roles = ASKS.get(name, ())
    several = name == "mix"
    head = [
        inspect.Parameter(
            "source",
            inspect.Parameter.POSITIONAL_OR_KEYWORD,
            annotation=Annotated[
                list[Path] if several else Path,
                typer.Argument(metavar="IN…" if several else "IN", help="Rows of an earlier step."),
            ],
        )
    ]
    if several:
        out = typer.Option(help="Folder of the set.")
        head.append(
            inspect.Parameter(
                "out", inspect.Parameter.KEYWORD_ONLY, annotation=Annotated[Path, out]
            )
        )
    else:
        out = typer.Argument(metavar="OUT", help="Parquet to write.")
        head.append(
            inspect.Parameter(
                "out", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=Annotated[Path, out]
            )
        )
    own = _setting_options(settings)
    parameters = [*head, *(p for role in roles for p in _model_options(role)), *own]
    if roles:
        parameters += [
            _parameter("models", Path | None, typer.Option(
                help="YAML of models by role, with prices, budgets, limits.")),
            _parameter("journal", Path | None, typer.Option(
                help="Folder that keeps the replies; else OUT's name with .journal.")),
            _parameter("engine", str, typer.Option(help="local, or ray."), "local"),
        ]  # fmt: skip
    parameters.append(
        inspect.Parameter(
            "overwrite", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=OVERWRITE
        )
    )

    def command(**given: Any) -> None:
        from dianjin_ext.data.step_command import run_command

        names = {field.name for field in fields(settings)}
        run_command(
            name,
            settings={key: value for key, value in given.items() if key in names},
            roles=roles,
            **{key: value for key, value in given.items() if key not in names},
        )

    command.__doc__ = inspect.getdoc(settings)
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    command.__annotations__ = {p.name: p.annotation for p in parameters}
    return command


for _name, _settings in SETTINGS.items():
    if _name != "read":
        app.command(_name, no_args_is_help=True)(_command(_name, _settings))


@app.command("build", no_args_is_help=True)
def build(
    pipeline: Annotated[Path, typer.Argument(help="YAML, such as those in configs/data.")],
    overrides: Annotated[
        list[str] | None,
        typer.Argument(metavar="KEY=VALUE…", help="Such as files.finqa=train.json."),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder of the build; else runs/NAME.")] = None,
    engine: Annotated[str, typer.Option(help="local, or ray.")] = "local",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be asked and cost; ask nothing.")
    ] = False,
) -> None:
    """Make a training set by the steps of a pipeline; goes on where it stopped."""
    from dianjin_ext.data.step_command import build_command

    build_command(pipeline, overrides or [], out=out, engine=engine, dry_run=dry_run)
