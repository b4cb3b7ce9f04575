"""Checks of the assembled tensors against config.json."""

import re
from pathlib import Path
from typing import Any

from dianjin_ext.errors import DianjinError
from dianjin_ext.merge.assemble import Tensor, same_bytes
from dianjin_ext.merge.sources import RankReader


def _text_config(config: dict[str, Any]) -> dict[str, Any]:
    """The part that describes the language model; the whole for a text-only model."""
    text = config.get("text_config")
    return {**config, **text} if isinstance(text, dict) else config


def drop_tied(
    tensors: list[Tensor], config: dict[str, Any], reader: RankReader
) -> tuple[list[Tensor], tuple[str, ...]]:
    """Leave out an output head that the config ties to the input embeddings, as transformers does.

    Raises:
        DianjinError: The config ties them, but they differ.
    """
    head = next((t for t in tensors if t.name == "lm_head.weight"), None)
    tie = config.get("tie_word_embeddings", _text_config(config).get("tie_word_embeddings"))
    if not tie or head is None:
        return tensors, ()
    inputs = [t for t in tensors if t.name.endswith("embed_tokens.weight")]
    for embedding in inputs:
        if (embedding.shape, embedding.stored) == (head.shape, head.stored) and all(
            one.box == other.box and same_bytes(one, other, reader)
            for one, other in zip(embedding.pieces, head.pieces, strict=True)
        ):
            return [t for t in tensors if t is not head], (head.name,)
    names = " or ".join(t.name for t in inputs) or "any embed_tokens.weight"
    raise DianjinError(
        f"config.json says tie_word_embeddings, but {head.name} does not equal {names}; if they "
        "were trained apart, set tie_word_embeddings to false in the checkpoint's config.json"
    )


def check_keys(tensors: list[Tensor], config: dict[str, Any], path: Path) -> None:
    """Check the keys and shapes that a config of a decoder-only model foretells.

    Raises:
        DianjinError: A layer or the output head is missing, or the vocabulary has another size.
    """
    text = _text_config(config)
    shapes = {tensor.name: tensor.shape for tensor in tensors}
    matches = (re.match(r"model\.(?:language_model\.)?layers\.(\d+)\.", name) for name in shapes)
    found = {int(match[1]) for match in matches if match}
    layers = text.get("num_hidden_layers")
    if found and isinstance(layers, int) and found != set(range(layers)):
        wrong = sorted(found ^ set(range(layers)))
        raise DianjinError(
            f"{path} says {layers} layers, but layer {wrong[0]} is "
            f"{'missing from' if wrong[0] < layers else 'also in'} the checkpoint"
        )
    expected = (text.get("vocab_size"), text.get("hidden_size"))
    for name in ("model.embed_tokens.weight", "model.language_model.embed_tokens.weight"):
        if name in shapes and None not in expected and shapes[name] != expected:
            raise DianjinError(
                f"{name} has shape {shapes[name]}, but {path} says vocab_size and hidden_size "
                f"{expected}"
            )
    causal = any(str(a).endswith("ForCausalLM") for a in config.get("architectures") or ())
    tied = config.get("tie_word_embeddings", text.get("tie_word_embeddings"))
    heads = ("lm_head.", "score.", "v_head.", "classifier.")  # the later ones are a critic's
    if causal and tied is False and not any(name.startswith(heads) for name in shapes):
        raise DianjinError(
            f"the checkpoint lacks lm_head.weight, and {path} does not tie it to the embeddings"
        )
