"""What a model folder needs beside its weights: config, generation config, tokenizer, code."""

import copy
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from dianjin_ext.errors import DianjinError

# One of these makes a tokenizer; the others may come with it.
_TOKENIZER = (
    "tokenizer.json",
    "tokenizer_config.json",
    "tokenizer.model",
    "spiece.model",
    "vocab.json",
    "vocab.txt",
)
_TOKENIZER_EXTRAS = (
    "special_tokens_map.json",
    "added_tokens.json",
    "merges.txt",
    "chat_template.json",
    "chat_template.jinja",
    "additional_chat_templates",
    "preprocessor_config.json",
    "processor_config.json",
    "video_preprocessor_config.json",
)
# Weights of whatever kind, and what lies beside a model on a hub.
_SKIPPED_SUFFIXES = (
    ".safetensors",
    ".bin",
    ".pt",
    ".pth",
    ".gguf",
    ".h5",
    ".msgpack",
    ".onnx",
    ".index.json",
)


def find_side_files(folders: Sequence[Path], base_model: Path | None) -> dict[str, Path]:
    """Choose the files to copy.

    Those that verl saved in `huggingface/` come first. The base model supplies what is missing
    there, but never part of a tokenizer or of a config that verl did save.

    Args:
        folders: The checkpoint's folders.
        base_model: A folder in Hugging Face format, or None.

    Returns:
        Where each file comes from, by its path in the merged folder; config.json among them.

    Raises:
        DianjinError: There is no config or no tokenizer.
    """
    saved = next((f / "huggingface" for f in folders if (f / "huggingface").is_dir()), None)
    files = dict(_files(saved)) if saved else {}
    if base_model is not None:
        if not base_model.is_dir():
            raise DianjinError(f"the base model {base_model} is not a local folder")
        base = dict(_files(base_model))
        if "config.json" not in files:
            files |= {n: p for n, p in base.items() if n == "config.json" or n.endswith(".py")}
        if not _has_tokenizer(files):
            files |= {n: p for n, p in base.items() if _is_tokenizer(n)}
        if "generation_config.json" in base:
            files.setdefault("generation_config.json", base["generation_config.json"])
    where = saved or folders[0] / "huggingface"
    for what, present in (
        ("config.json", "config.json" in files),
        ("tokenizer", _has_tokenizer(files)),
    ):
        if not present:
            also = f" nor in the base model {base_model}" if base_model else ""
            raise DianjinError(
                f"no {what} in {where}{also}; name the folder of the model that was trained as "
                "base model (--base-model)"
            )
    return files


def is_weights(name: str) -> bool:
    """Whether a file is not to be copied: weights, or what lies beside a model on a hub."""
    return name.endswith(_SKIPPED_SUFFIXES) or name.startswith(".")


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and not is_weights(name):
            yield name, path


def _has_tokenizer(files: dict[str, Path]) -> bool:
    return any(name in _TOKENIZER or name.endswith(".tiktoken") for name in files)


def _is_tokenizer(name: str) -> bool:
    top = name.split("/")[0]
    return top in _TOKENIZER + _TOKENIZER_EXTRAS or top.endswith(".tiktoken")


def read_config(path: Path) -> dict[str, Any]:
    """Read a config.json.

    Raises:
        DianjinError: It holds no JSON object.
    """
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise DianjinError(f"{path}: not valid JSON: {error}") from error
    if not isinstance(config, dict):
        raise DianjinError(f"{path}: expected a JSON object")
    return config


def config_with_dtype(config: dict[str, Any], dtype: str) -> dict[str, Any] | None:
    """Make a config name the element type of the weights, which transformers loads them in.

    Args:
        config: A model's config; not changed.
        dtype: Such as `bfloat16`.

    Returns:
        The changed config, parts such as `text_config` included; None if it was right already.
    """
    changed = copy.deepcopy(config)
    for part in (changed, *changed.values()):
        if isinstance(part, dict):
            part.update({key: dtype for key in ("dtype", "torch_dtype") if key in part})
    if "dtype" not in changed:
        changed["torch_dtype"] = dtype  # the name that every version of transformers reads
    return None if changed == config else changed
