"""What a merge is told, by `dianjin merge` and in Python alike."""

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from dianjin_ext.errors import DianjinError

_UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
_UNITS |= {f"{unit}I": 1024**power for power, unit in enumerate("KMGT", start=1)}


def parse_size(size: int | str, name: str = "max_shard_size") -> int:
    """Read a size as transformers writes it: `5GB` is 5·10⁹ bytes, `5GiB` is 5·2³⁰.

    Raises:
        DianjinError: It is no size, or not positive.
    """
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([KMGT]?I?)B?\s*", str(size).upper())
    value = int(float(match[1]) * _UNITS[match[2]]) if match and match[2] in _UNITS else 0
    if value <= 0:
        raise DianjinError(f"{name}: expected a size such as 5GB, got {size!r}")
    return value


@dataclass(frozen=True, kw_only=True)
class MergeSettings:
    """How a checkpoint is merged.

    Attributes:
        base_model: A local folder in Hugging Face format that supplies the config or the
            tokenizer if the checkpoint lacks them.
        dtype: `keep` what was trained, or convert to `bf16`, `fp16` or `fp32`, rounding as torch
            does; integers and 8-bit floats stay.
        max_shard_size: Bytes of tensors a file, or a string such as `5GB` (transformers' default
            before version 5) or `5GiB`; one larger tensor has its own file.
        merge_lora: Merge a LoRA adapter into the base weights, in float32, rounded once. Without
            it, the base weights and the adapter stay apart: the adapter goes to `lora_adapter/` in
            the target, in PEFT's format.
        lora_alpha: The adapter's alpha, where the checkpoint does not say it or is wrong.
        overwrite: Replace a model that is in the target; it stays until the new one is whole.
        resume: Keep the weight files that are finished if the merge is interrupted, and go on
            after those that an interrupted merge of the same files left. Without it, an
            interruption leaves nothing, or what a kill leaves is cleared away.
        sums: Leave the SHA-256 of every file in SHA256SUMS (in a URL it always is).
        verify: Read every weight file again before the target appears and compare it with the
            rank files, byte by byte; implies `sums`.

    Raises:
        DianjinError: `max_shard_size` is no size.
    """

    base_model: str | Path | None = None
    dtype: str = "keep"
    max_shard_size: int | str = "5GB"
    merge_lora: bool = False
    lora_alpha: float | None = None
    overwrite: bool = False
    resume: bool = False
    sums: bool = False
    verify: bool = False

    def __post_init__(self) -> None:
        parse_size(self.max_shard_size)

    @cached_property
    def shard_bytes(self) -> int:
        """`max_shard_size` in bytes."""
        return parse_size(self.max_shard_size)

    @property
    def base_folder(self) -> Path | None:
        """`base_model` as a path."""
        return None if self.base_model is None else Path(self.base_model)
