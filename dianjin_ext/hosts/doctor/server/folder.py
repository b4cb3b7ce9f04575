"""What the folder of a model says: its chat template, where replies end, how it samples."""

import json
from functools import cached_property
from pathlib import Path
from typing import Any

from dianjin_ext.data.prompt_length import load_tokenizer
from dianjin_ext.errors import DianjinError

__all__ = ["Folder"]


class Folder:
    """A model's folder, of which only tokenizer and settings are read.

    Args:
        path: The folder.
        what: What names it, for messages.

    Raises:
        DianjinError: There is no tokenizer, no chat template, or no transformers to read them.
    """

    def __init__(self, path: Path, what: str) -> None:
        self.path = path
        self.tokenizer: Any = load_tokenizer(path, what)
        if not self.tokenizer.chat_template:
            raise DianjinError(
                f"{what}: {path} has no chat template; name the folder that training wrote"
            )

    def render(self, messages: list[dict[str, str]], *, prompted: bool) -> list[int]:
        """Return the tokens of messages.

        Raises:
            DianjinError: The template refuses them.
        """
        try:
            ids: list[int] = self.tokenizer.apply_chat_template(
                messages, add_generation_prompt=prompted, tokenize=True, return_dict=False
            )
        except Exception as error:  # whatever a template raises
            why = " ".join(str(error).split())[:200]
            raise DianjinError(f"the chat template of {self.path} refuses: {why}") from None
        return ids

    def opens(self, mark: str) -> bool:
        """Return whether the template ends the prompt with a mark."""
        prompt = self.render([{"role": "user", "content": "?"}], prompted=True)
        return self.text(prompt).rstrip().endswith(mark)

    def text(self, tokens: list[int]) -> str:
        """Return the text of tokens, special ones included."""
        text: str = self.tokenizer.decode(tokens, skip_special_tokens=False)
        return text

    def token(self, number: int) -> str:
        """Return how a token is written, with its number."""
        return f"{self.text([number])} ({number})"

    @cached_property
    def generation(self) -> dict[str, Any]:
        """generation_config.json; empty where there is none."""
        return self._json("generation_config.json")

    @cached_property
    def ends(self) -> dict[str, set[int]]:
        """The tokens that end a reply, by where they stand; what says nothing is left out."""
        config = self._json("config.json")
        found = {
            "generation_config.json": self.generation.get("eos_token_id"),
            "config.json": config.get("eos_token_id")
            or (config.get("text_config") or {}).get("eos_token_id"),
            "the tokenizer": self.tokenizer.eos_token_id,
        }
        return {
            where: set(ids) if isinstance(ids, list) else {ids}
            for where, ids in found.items()
            if ids is not None
        }

    def end_of_turn(self, after: str) -> int | None:
        """Return the token that begins what the template writes after a reply.

        None where that is no token of its own.
        """
        known = {*self.tokenizer.all_special_ids, *self.tokenizer.added_tokens_decoder}
        ids = self.tokenizer.encode(after.lstrip(), add_special_tokens=False)
        return ids[0] if ids and ids[0] in known else None

    def _json(self, name: str) -> dict[str, Any]:
        path = self.path / name
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise DianjinError(f"{path} can't be read: {error}") from None
        return found if isinstance(found, dict) else {}
