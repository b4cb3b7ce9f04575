"""The command chat."""

import contextlib
from typing import Annotated

import typer

from dianjin_ext.cli.app import app
from dianjin_ext.errors import DianjinError


@app.command(no_args_is_help=True)
def chat(
    model: Annotated[
        str | None,
        typer.Option(
            help="Folder of a model, which is served meanwhile; or its name at --base-url."
        ),
    ] = None,
    base_url: Annotated[str | None, typer.Option(help="Its OpenAI-compatible endpoint.")] = None,
    system: Annotated[
        str | None, typer.Option(help="System prompt; else what the chat template has.")
    ] = None,
    instruct: Annotated[
        bool,
        typer.Option(
            "--instruct", help="Ask for the layout in the words that stood before every question."
        ),
    ] = False,
    temperature: Annotated[
        float | None, typer.Option(min=0.0, help="Else the server's own.")
    ] = None,
    max_tokens: Annotated[int | None, typer.Option(min=1, help="Longest reply, in tokens.")] = None,
    tags: Annotated[
        str,
        typer.Option(
            help="Layout of its responses: dianjin_r1, think_only, channels, or pairs of marks as "
            "YAML."
        ),
    ] = "dianjin_r1",
    api_key_env: Annotated[
        str, typer.Option(help="NAME of the environment variable with the endpoint's key.")
    ] = "OPENAI_API_KEY",
) -> None:
    """Talk to a model.

    Reasoning and answer are shown apart; of earlier replies the model sees the answers only. Lines
    from a pipe are asked one after the other.
    """
    from rich.console import Console

    try:
        from dianjin_ext.inference.chat import Conversation, Partner, reach
        from dianjin_ext.inference.chat import chat as talk
    except ModuleNotFoundError as error:
        raise DianjinError(
            f"talking to a model needs {error.name}; pip install 'dianjin-ext[ask]'"
        ) from error
    from dianjin_ext.questions.language import language_of
    from dianjin_ext.questions.prompts import output_format
    from dianjin_ext.rewards.policy import parse_tags

    layout = parse_tags(tags)
    given = {"temperature": temperature, "max_tokens": max_tokens}
    options = {name: value for name, value in given.items() if value is not None}
    console = Console(highlight=False)
    with reach(model, base_url, api_key_env=api_key_env, console=Console(stderr=True)) as reached:
        partner = Partner(
            base_url=reached.base_url,
            model=reached.model,
            key=reached.key,
            system=system,
            options={**reached.options, **options},
            tags=layout,
            dress=lambda text: (
                f"{output_format(language_of(text), layout)}\n{text}" if instruct else text
            ),
        )
        with contextlib.closing(Conversation(partner)) as conversation:
            talk(conversation, console)
