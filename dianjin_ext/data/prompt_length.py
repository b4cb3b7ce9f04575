"""How long a prompt is in tokens: as verl counts it, or about, without a tokenizer."""

import re
from pathlib import Path
from typing import Any

from dianjin_ext.errors import DianjinError

# About what Qwen's tokenizer makes one token of: a digit, a Chinese character, a mark, a piece of a
# word. It has fewer tokens than this on Chinese text and about as many on English text.
_PIECE = re.compile(r"[A-Za-z]{1,6}|[^\sA-Za-z]|\n")


def estimated_tokens(text: str) -> int:
    """Return about how many tokens a text has, rather too many than too few."""
    return sum(1 for _ in _PIECE.finditer(text))


def load_tokenizer(folder: Path, what: str) -> Any:
    """Return the tokenizer of a folder.

    Args:
        folder: Of the tokenizer, or of a model with one.
        what: The setting or option that names it, for messages.

    Raises:
        DianjinError: transformers is missing, or the folder has no tokenizer.
    """
    try:
        from transformers import AutoTokenizer
    except ModuleNotFoundError as error:
        raise DianjinError(
            f"{what} needs {error.name}; run it in verl's or LLaMA-Factory's environment"
        ) from error
    try:
        return AutoTokenizer.from_pretrained(folder)
    except (OSError, ValueError, KeyError) as error:
        why = str(error).splitlines()[0]
        raise DianjinError(f"{what}: {folder} has no usable tokenizer ({why})") from None


class PromptLimit:
    """Tells prompts that training would leave out.

    Args:
        tokenizer: A folder with the model's tokenizer and its chat template.
        most: Tokens; `data.max_prompt_length` of the training.

    Raises:
        DianjinError: transformers is missing, or the folder has no tokenizer or chat template.
    """

    def __init__(self, tokenizer: Path, most: int) -> None:
        self.most = most
        if not tokenizer.is_dir():
            raise DianjinError(f"--tokenizer: {tokenizer} is no folder; name that of the model")
        self._tokenizer = load_tokenizer(tokenizer, "--tokenizer")
        if not self._tokenizer.chat_template:
            raise DianjinError(f"--tokenizer: {tokenizer} has no chat template; give one that has")

    def problem(self, prompt: list[dict[str, str]]) -> tuple[str, str] | None:
        """Return the kind and the explanation of what is wrong with a prompt, if anything is."""
        from jinja2 import TemplateError

        try:
            ids: Any = self._tokenizer.apply_chat_template(
                prompt, add_generation_prompt=True, tokenize=True, return_dict=False
            )
        except TemplateError as error:  # such as of a template that knows no system message
            return "no_prompt", f"the chat template refuses it ({error})"
        if len(ids) <= self.most:
            return None
        return "too_long", f"the prompt has {len(ids)} tokens, training takes {self.most}"
