"""Decide everything before a byte is written: tensors, files, offsets, side files; and check it."""

import hashlib
import json
import shutil
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dianjin_ext.errors import DianjinError
from dianjin_ext.merge.adapters import CONFIG as ADAPTER_CONFIG
from dianjin_ext.merge.adapters import WEIGHTS as ADAPTER_WEIGHTS
from dianjin_ext.merge.adapters import adapter_config, config_text, fuse, split_adapter
from dianjin_ext.merge.assemble import Tensor, assemble
from dianjin_ext.merge.base_weights import find_base_weights, read_base_weights
from dianjin_ext.merge.casts import target_dtype
from dianjin_ext.merge.checks import check_keys, drop_tied
from dianjin_ext.merge.dtypes import FLOATS
from dianjin_ext.merge.names import (
    config_of_head,
    names_on_disk,
    names_when_running,
    strip_wrappers,
)
from dianjin_ext.merge.places import Images
from dianjin_ext.merge.settings import MergeSettings
from dianjin_ext.merge.sidefiles import config_with_dtype, find_side_files, read_config
from dianjin_ext.merge.sources import Checkpoint, RankReader, find_checkpoint

INDEX = "model.safetensors.index.json"
_ALIGN = 4096  # the header is padded to this, so that the data begins on a page


@dataclass(frozen=True)
class WeightFile:
    """One safetensors file: its header, then the tensors back to back."""

    name: str
    header: bytes
    tensors: tuple[Tensor, ...]

    @property
    def nbytes(self) -> int:
        """The size of the file."""
        return len(self.header) + sum(tensor.nbytes for tensor in self.tensors)


@dataclass(frozen=True)
class Plan:
    """What a merge will write.

    Attributes:
        checkpoint: The rank files.
        files: The safetensors files.
        index: The text of the index file; None where one file holds all.
        side_files: Files to copy, by their path in the merged folder.
        config: The text of config.json where its element type had to be corrected, else None.
        tied: Keys left out because the config ties them to the input embeddings.
        checksums: Whether the rank files carry CRC32s.
        adapter: The text of the config of a LoRA adapter that is written beside the weights, else
            None.
    """

    checkpoint: Checkpoint
    files: tuple[WeightFile, ...]
    index: str | None
    side_files: dict[str, Path]
    config: str | None
    tied: tuple[str, ...]
    checksums: bool
    adapter: str | None = None

    @property
    def tensors(self) -> list[Tensor]:
        """All tensors, in the order in which they are written."""
        return [tensor for file in self.files for tensor in file.tensors]

    @property
    def texts(self) -> dict[str, str]:
        """What is written beside the copied files, by path."""
        texts = {INDEX: self.index, ADAPTER_CONFIG: self.adapter, "config.json": self.config}
        return {name: text for name, text in texts.items() if text is not None}

    @property
    def inputs(self) -> list[Path]:
        """Folders that are read from."""
        files = (*self.checkpoint.base, *self.side_files.values())
        return [*self.checkpoint.folders, *(path.parent for path in files)]

    @property
    def nbytes(self) -> int:
        """Bytes of all weight files."""
        return sum(file.nbytes for file in self.files)

    def fingerprint(self) -> str:
        """A SHA-256 that is the same only for the same output from the same, unchanged files."""
        sums = hashlib.sha256()
        for file in self.files:
            scales = [t.delta and t.delta.scale for t in file.tensors]
            stored = [(t.name, t.stored) for t in file.tensors]
            sums.update(repr((file.name, stored, scales)).encode())
            sums.update(file.header)
        for path in self.checkpoint.files:
            status = path.stat()
            sums.update(repr((str(path), status.st_size, status.st_mtime_ns)).encode())
        return sums.hexdigest()


def plan_merge(images: Images, settings: MergeSettings) -> Plan:
    """Read all headers and plan a merge.

    Args:
        images: Where the checkpoint lies.
        settings: How it is merged.

    Raises:
        DianjinError: The checkpoint is incomplete, inconsistent, or not of a kind that can be
            merged; the message says which file or key.
    """
    checkpoint = replace(find_checkpoint(images.folders), fetchers=images.fetchers)
    base_model = settings.base_folder
    side_files = find_side_files(checkpoint.folders, base_model)
    config = read_config(side_files["config.json"])
    with RankReader(checkpoint.ranks, checkpoint.fetchers) as reader:
        tensors, adapter = split_adapter(strip_wrappers(assemble(checkpoint, reader)))
    apart: list[Tensor] = []
    adapter_text = None
    if adapter is not None:
        if not tensors:
            checkpoint = replace(checkpoint, base=find_base_weights(base_model))
            tensors = read_base_weights(checkpoint.base, len(checkpoint.ranks))
            tensors = names_when_running(tensors, config)
        lora = adapter_config(adapter, tensors, checkpoint.folders, settings.lora_alpha)
        if settings.merge_lora:
            tensors = fuse(tensors, adapter, lora)
        else:
            adapter_text, apart = config_text(lora), adapter.tensors()
    elif settings.merge_lora or settings.lora_alpha is not None:
        raise DianjinError(f"{checkpoint.folders[0]} holds no LoRA adapter")
    tied: tuple[str, ...] = ()
    if tensors:
        with RankReader(checkpoint.files, checkpoint.fetchers) as reader:
            tensors, tied = drop_tied(tensors, config, reader)
        check_keys(tensors, config, side_files["config.json"])
    right = config_of_head(config, tensors)
    tensors = names_on_disk(tensors, config)
    tensors = [replace(t, dtype=target_dtype(t.stored, settings.dtype)) for t in tensors]
    apart = [replace(t, dtype=target_dtype(t.stored, settings.dtype)) for t in apart]
    types: Counter[str] = Counter()
    for tensor in tensors:
        types[tensor.dtype.name] += tensor.nbytes
    floats = [name for name, _ in types.most_common() if name in FLOATS]
    changed = config_with_dtype(right, floats[0]) if floats else None
    if changed is None and right is not config:
        changed = right
    files = _split(tensors, settings.shard_bytes) if tensors else ()
    index = _index(files, tensors) if len(files) > 1 else None
    if apart:
        files += (_weight_file(ADAPTER_WEIGHTS, apart),)
    return Plan(
        checkpoint=checkpoint,
        files=files,
        index=index,
        side_files=side_files,
        config=json.dumps(changed, indent=2, ensure_ascii=False) + "\n" if changed else None,
        tied=tied,
        checksums=all(p.record.crc is not None for t in tensors for p in t.pieces),
        adapter=adapter_text,
    )


def check_space(plan: Plan, folder: Path) -> None:
    """Check that a plan's output fits on the file system of an existing folder.

    Raises:
        DianjinError: It does not.
    """
    free = shutil.disk_usage(folder).free
    if free < plan.nbytes:
        raise DianjinError(
            f"{folder} has {free / 1e9:.2f} GB free, but the merged model takes "
            f"{plan.nbytes / 1e9:.2f} GB"
        )


def _split(tensors: list[Tensor], limit: int) -> tuple[WeightFile, ...]:
    groups: list[list[Tensor]] = [[]]
    size = 0
    for tensor in tensors:
        if groups[-1] and size + tensor.nbytes > limit:
            groups.append([])
            size = 0
        groups[-1].append(tensor)
        size += tensor.nbytes
    names = ["model.safetensors"]
    if len(groups) > 1:
        names = [
            f"model-{i:05d}-of-{len(groups):05d}.safetensors" for i in range(1, len(groups) + 1)
        ]
    return tuple(_weight_file(name, group) for name, group in zip(names, groups, strict=True))


def _weight_file(name: str, tensors: list[Tensor]) -> WeightFile:
    # Wider types first: every tensor then begins at a multiple of its element size.
    ordered = sorted(tensors, key=lambda tensor: -tensor.dtype.size)
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    offset = 0
    for tensor in ordered:
        end = offset + tensor.nbytes
        header[tensor.name] = {
            "dtype": tensor.dtype.code,
            "shape": list(tensor.shape),
            "data_offsets": [offset, end],
        }
        offset = end
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-(8 + len(text)) % _ALIGN)
    return WeightFile(name, len(text).to_bytes(8, "little") + text, tuple(ordered))


def _index(files: tuple[WeightFile, ...], tensors: list[Tensor]) -> str:
    where = {tensor.name: file.name for file in files for tensor in file.tensors}
    index = {
        "metadata": {"total_size": sum(tensor.nbytes for tensor in tensors)},
        "weight_map": {tensor.name: where[tensor.name] for tensor in tensors},
    }
    return json.dumps(index, indent=2, ensure_ascii=False) + "\n"
