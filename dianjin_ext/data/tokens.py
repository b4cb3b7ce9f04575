"""How many tokens a text has: as a tokenizer counts them, or about."""

from collections.abc import Callable
from pathlib import Path

from dianjin_ext.data.prompt_length import estimated_tokens
from dianjin_ext.errors import DianjinError


def token_counter(tokenizer: Path | None) -> Callable[[str], int]:
    """Return what counts tokens: the tokenizer of a folder, without special tokens, or an estimate.

    Raises:
        DianjinError: transformers is missing, or the folder has no tokenizer.
    """
    if tokenizer is None:
        return estimated_tokens
    try:
        from transformers import AutoTokenizer
    except ModuleNotFoundError as error:
        raise DianjinError(
            f"tokenizer needs {error.name}; run it in verl's or LLaMA-Factory's environment"
        ) from error
    try:
        loaded = AutoTokenizer.from_pretrained(tokenizer)
    except (OSError, ValueError, KeyError) as error:
        why = str(error).splitlines()[0]
        raise DianjinError(f"tokenizer: {tokenizer} has no usable tokenizer ({why})") from None
    return lambda text: len(loaded.encode(text, add_special_tokens=False))
