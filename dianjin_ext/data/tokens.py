"""How many tokens a text has: as a tokenizer counts them, or about."""

from collections.abc import Callable
from pathlib import Path

from dianjin_ext.data.prompt_length import estimated_tokens, load_tokenizer


def token_counter(tokenizer: Path | None) -> Callable[[str], int]:
    """Return what counts tokens: the tokenizer of a folder, without special tokens, or an estimate.

    Raises:
        DianjinError: transformers is missing, or the folder has no tokenizer.
    """
    if tokenizer is None:
        return estimated_tokens
    loaded = load_tokenizer(tokenizer, "tokenizer")
    return lambda text: len(loaded.encode(text, add_special_tokens=False))
