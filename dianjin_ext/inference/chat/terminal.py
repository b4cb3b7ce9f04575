"""The terminal's side of a conversation: what is typed or piped in, and how a reply is shown."""

import contextlib
import sys

from rich.console import Console

from dianjin_ext.errors import DianjinError
from dianjin_ext.inference.chat.conversation import Conversation
from dianjin_ext.inference.chat.splitting import Part
from dianjin_ext.visible import visible

__all__ = ["chat"]

_STYLES: dict[Part, str] = {"reasoning": "dim italic", "answer": ""}


def chat(conversation: Conversation, console: Console) -> None:
    """Talk until the input ends.

    In a terminal a line is a turn, Ctrl-C ends a reply and Ctrl-D the chat, and what goes wrong is
    said. From a pipe each line is a turn, without prompts, and what goes wrong ends the chat.

    Raises:
        DianjinError: From a pipe: there is no reply.
    """
    if sys.stdin.isatty():
        _converse(conversation, console)
        return
    for line in sys.stdin:
        if text := line.strip():
            _reply(conversation, text, console)


def _converse(conversation: Conversation, console: Console) -> None:
    with contextlib.suppress(ImportError):
        import readline  # noqa: F401  (editing, and the lines before with the arrow keys)
    console.print("Ctrl-C ends a reply, Ctrl-D the chat.", style="dim")
    while True:
        asked = False
        try:
            if text := input("> ").strip():  # not rich's: readline must know the prompt
                asked = True
                _reply(conversation, text, console)
        except EOFError:
            console.print()
            return
        except KeyboardInterrupt:
            console.print("\n(stopped)" if asked else "", style="yellow")
        except DianjinError as error:
            console.print(f"error: {error}", style="red", markup=False, highlight=False)


def _reply(conversation: Conversation, text: str, console: Console) -> None:
    part: Part | None = None
    begun = False  # text stands on the current line
    try:
        for piece in conversation.ask(text):
            if piece.part != part and not piece.corrects:
                _head(piece.part, console, begun)
                part = piece.part
            console.print(
                visible(piece.text),
                end="",
                style=_STYLES[piece.part],
                markup=False,
                highlight=False,
                soft_wrap=True,
            )
            begun = True
            if piece.corrects:
                console.print("\n(all of this was reasoning)", style="yellow", end="")
                part = "reasoning"
            console.file.flush()
    finally:
        if begun:
            console.print()
    if conversation.finish_reason == "length":
        console.print("(cut at the limit of tokens; --max-tokens raises it)", style="yellow")
    if not begun:
        console.print("(an empty reply)", style="yellow")


def _head(part: Part, console: Console, begun: bool) -> None:
    if begun:
        console.print()
    console.print(f"── {part}", style="bold magenta" if part == "reasoning" else "bold green")
