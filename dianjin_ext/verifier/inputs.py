"""From labelled answers to tokens, as a server cuts them."""

from collections.abc import Sequence
from typing import Any, Final

from dianjin_ext.errors import DianjinError
from dianjin_ext.verifier.labelled import Labelled

_FILLERS: Final = ("<|finetune_right_pad_id|>", "<|endoftext|>")


def fill_with(tokenizer: Any) -> None:
    """Give a tokenizer a token that fills batches where it has none, as Llama's; on the right.

    Raises:
        DianjinError: It has none that would do.
    """
    if tokenizer.pad_token is None:
        known = tokenizer.get_vocab()
        tokenizer.pad_token = next((t for t in _FILLERS if t in known), tokenizer.eos_token)
    if tokenizer.pad_token is None:
        raise DianjinError(
            f"{tokenizer.name_or_path}: the tokenizer has neither a token that fills batches nor "
            "one that ends texts; take another model"
        )
    tokenizer.padding_side = "right"


def encode(
    answers: Sequence[Labelled], tokenizer: Any, most: int
) -> tuple[list[Labelled], dict[str, list[int]]]:
    """Return the answers whose texts are short enough, and the tokens of each text.

    Args:
        answers: Labelled answers.
        tokenizer: Adds what it adds where nothing else is said, as in a server.
        most: Tokens of a text.

    Raises:
        DianjinError: A text ends in the token that fills batches.
    """
    kept, found = [], {}
    for each in answers:
        ids = tokenizer(each.text)["input_ids"]
        if len(ids) > most:
            continue
        # transformers would read the token before it, a server reads this one
        if ids[-1] == tokenizer.pad_token_id:
            raise DianjinError(
                f"template: the input ends in {tokenizer.pad_token}, which fills batches; end it "
                "in another way"
            )
        kept.append(each)
        found[each.text] = ids
    return kept, found
