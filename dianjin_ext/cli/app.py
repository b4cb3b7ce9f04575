"""The `dianjin` command itself, and how it ends."""

import signal
import sys
import threading
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

SETTINGS = Annotated[
    Path | None, typer.Option(help="YAML file of reward settings; the keys of reward_kwargs.")
]
"""The option --settings of every command that grades."""

OVERWRITE = Annotated[
    bool, typer.Option("--overwrite", help="Replace a file that is there already.")
]
"""The option --overwrite of every command that writes files."""

REWARDS = Annotated[
    list[str] | None,
    typer.Option(
        help="File or module with rewards of your own, such as my_rewards.py; repeatable."
    ),
]
"""The option --rewards of every command that grades."""


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


def main() -> None:
    """Run the command line; a `DianjinError` becomes one red line and exit code 1.

    So does what the system says of a file, such as that reading it is not permitted. SIGTERM ends
    a command as Ctrl-C does, so that it clears away what it has half written.
    """
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        app()
    except DianjinError as error:
        _fail(str(error))
    except OSError as error:
        if error.filename is None:
            raise
        _fail(f"{error.filename}: {error.strerror}; check the path and its permissions")


def _fail(line: str) -> None:
    Console(stderr=True, emoji=False).print(
        f"error: {line}", style="red", markup=False, highlight=False, soft_wrap=True
    )
    sys.exit(1)
