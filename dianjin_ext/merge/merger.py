"""Merge a checkpoint: plan, write, publish."""

import os
import re
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from dianjin_ext.errors import DianjinError
from dianjin_ext.merge.folder import OutputFolder, sync_folder
from dianjin_ext.merge.plan import INDEX, Plan, check_space, plan_merge
from dianjin_ext.merge.sources import RankReader
from dianjin_ext.merge.write import Merger

_UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
_UNITS |= {f"{unit}I": 1024**power for power, unit in enumerate("KMGT", start=1)}


def parse_size(size: int | str) -> int:
    """Read a size as transformers writes it: `5GB` is 5·10⁹ bytes, `5GiB` is 5·2³⁰.

    Raises:
        DianjinError: It is no size, or not positive.
    """
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([KMGT]?I?)B?\s*", str(size).upper())
    value = int(float(match[1]) * _UNITS[match[2]]) if match and match[2] in _UNITS else 0
    if value <= 0:
        raise DianjinError(f"max_shard_size: expected a size such as 5GB, got {size!r}")
    return value


def merge_checkpoint(
    source: str | Path | Sequence[str | Path],
    target: str | Path,
    *,
    base_model: str | Path | None = None,
    dtype: str = "keep",
    max_shard_size: int | str = "5GB",
    overwrite: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Plan:
    """Merge an FSDP checkpoint that verl wrote into a folder in Hugging Face format.

    The tensors are copied bit for bit, unless `dtype` says otherwise, in memory that does not grow
    with the model. Nothing in the checkpoint is executed. The target appears complete or not at
    all.

    Args:
        source: verl's `global_step_N` or its `actor` folder; several where the machines of a run
            kept their ranks apart.
        target: The folder to make.
        base_model: A local folder in Hugging Face format that supplies the config or the
            tokenizer if the checkpoint lacks them.
        dtype: `keep` what was trained, or convert to `bf16`, `fp16` or `fp32`, rounding as torch
            does; integers and 8-bit floats stay.
        max_shard_size: Bytes of tensors a file, or a string such as `5GB` (transformers' default
            before version 5) or `5GiB`.
        overwrite: Replace a model that is in the target; it stays until the new one is whole.
        progress: Called now and then with the bytes written and the bytes in total.

    Returns:
        The plan that was carried out.

    Raises:
        DianjinError: The checkpoint is incomplete, damaged or of an unknown kind, or the target
            cannot be written.
    """
    sources = [source] if isinstance(source, str | Path) else list(source)
    plan = plan_merge(
        [Path(path) for path in sources],
        base_model=None if base_model is None else Path(base_model),
        dtype=dtype,
        max_shard_size=parse_size(max_shard_size),
    )
    try:
        write_plan(plan, Path(target), overwrite=overwrite, progress=progress)
    except OSError as error:
        raise DianjinError(f"merging into {target} failed: {error}") from error
    return plan


def write_plan(
    plan: Plan, target: Path, *, overwrite: bool, progress: Callable[[int, int], None] | None
) -> None:
    """Carry out a plan.

    Raises:
        DianjinError: As `merge_checkpoint`.
        OSError: Reading or writing failed.
    """
    written = 0

    def advance(nbytes: int) -> None:
        nonlocal written
        written += nbytes
        if progress is not None:
            progress(written, plan.nbytes)

    with OutputFolder(target, overwrite=overwrite, keep=plan.checkpoint.folders) as folder:
        check_space(plan, folder)
        with RankReader(plan.checkpoint.ranks) as reader:
            merger = Merger(reader, advance)
            for file in plan.files:
                part = folder / f"{file.name}.part"
                merger.write_file(file, part)
                part.rename(folder / file.name)
        for name, source in plan.side_files.items():
            copy = folder / name
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, copy)
        if plan.index is not None:
            (folder / INDEX).write_text(plan.index, encoding="utf-8")
        if plan.config is not None:
            (folder / "config.json").write_text(plan.config, encoding="utf-8")
        for path in [p for p in folder.rglob("*") if p.suffix != ".safetensors"]:
            _sync(path)


def _sync(path: Path) -> None:
    if path.is_dir():
        sync_folder(path)
        return
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
