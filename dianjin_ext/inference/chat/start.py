"""Whom a chat reaches: a model at an endpoint, or a server started for a folder."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console

from dianjin_ext.errors import DianjinError
from dianjin_ext.inference.endpoint import Server, choose
from dianjin_ext.inference.server import serving

__all__ = ["Reached", "reach"]


@dataclass(frozen=True)
class Reached:
    """Where a model answers.

    Attributes:
        base_url: The endpoint.
        model: Its name there.
        key: The key; empty for none.
        options: What to sample with where the user names nothing.
    """

    base_url: str
    model: str
    key: str = ""
    options: dict[str, float] = field(default_factory=dict)


@contextmanager
def reach(
    model: str | None, base_url: str | None, *, api_key_env: str, console: Console
) -> Iterator[Reached]:
    """Reach a model for as long as the context lasts.

    Args:
        model: A folder, which is served meanwhile where no `base_url` is given; or a name, which
            may be left out where the endpoint has one model only.
        base_url: An endpoint that speaks OpenAI's protocol; else OPENAI_BASE_URL where `model` is
            no folder.
        api_key_env: The NAME of the environment variable with its key.
        console: Says that a server starts, which takes a while.

    Raises:
        DianjinError: Neither is there, or the endpoint doesn't answer, or has no such model.
    """
    if base_url is None and (model is None or not Path(model).is_dir()):
        base_url = os.environ.get("OPENAI_BASE_URL")
        if base_url is None:
            what = f"there is no folder {model}" if model else "no model is named"
            raise DianjinError(f"{what}; give --model FOLDER, or --base-url URL with --model NAME")
    if base_url is not None:
        with Server(base_url, api_key_env=api_key_env) as server:
            found = choose(server, model)
            reached = Reached(server.base_url, found["id"], server.key)
        yield reached
        return
    folder = Path(model or "")
    with ExitStack() as stack:
        logs = stack.enter_context(TemporaryDirectory(prefix="dianjin-chat-"))
        with console.status(f"starting a server for {folder}"):
            url = stack.enter_context(serving(folder, log=Path(logs, "server.log")))
        # as examples/serve.sh; a server's own default is 1.0
        yield Reached(url, folder.resolve().name, options={"temperature": 0.6, "top_p": 0.95})
