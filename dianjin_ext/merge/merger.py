"""Merge a checkpoint: plan, write, publish."""

import hashlib
import re
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from dianjin_ext.errors import DianjinError
from dianjin_ext.merge.folder import OutputFolder, sync
from dianjin_ext.merge.places import local_images, local_path, url_of
from dianjin_ext.merge.plan import Plan, check_space, plan_merge
from dianjin_ext.merge.sources import RankReader
from dianjin_ext.merge.stores import write_to_store
from dianjin_ext.merge.verify import write_sums
from dianjin_ext.merge.write import Merger

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


def merge_checkpoint(
    source: str | Path | Sequence[str | Path],
    target: str | Path,
    *,
    base_model: str | Path | None = None,
    dtype: str = "keep",
    max_shard_size: int | str = "5GB",
    overwrite: bool = False,
    resume: bool = False,
    sums: bool = False,
    verify: bool = False,
    merge_lora: bool = False,
    lora_alpha: float | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Plan:
    """Merge an FSDP checkpoint that verl wrote into a folder in Hugging Face format.

    The tensors are copied bit for bit, unless `dtype` says otherwise, in memory that does not grow
    with the model. Nothing in the checkpoint is executed. The target appears complete or not at
    all.

    Args:
        source: verl's `global_step_N` or its `actor` folder; several where the machines of a run
            kept their ranks apart. URLs that fsspec knows (s3://, oss://, hdfs://) do too.
        target: The folder to make; or a URL, where files appear one by one and SHA256SUMS last.
        base_model: A local folder in Hugging Face format that supplies the config or the
            tokenizer if the checkpoint lacks them.
        dtype: `keep` what was trained, or convert to `bf16`, `fp16` or `fp32`, rounding as torch
            does; integers and 8-bit floats stay.
        max_shard_size: Bytes of tensors a file, or a string such as `5GB` (transformers' default
            before version 5) or `5GiB`.
        overwrite: Replace a model that is in the target; it stays until the new one is whole.
        resume: Keep the weight files that are finished if the merge is interrupted, and go on
            after those that an interrupted merge of the same files left. Without it, an
            interruption leaves nothing, or what a kill leaves is cleared away.
        sums: Leave the SHA-256 of every file in SHA256SUMS (in a URL it always is).
        verify: Read every weight file again before the target appears and compare it with the
            rank files, byte by byte; implies `sums`.
        merge_lora: Merge a LoRA adapter into the base weights, in float32, rounded once. Without
            it, the base weights and the adapter stay apart: the adapter goes to `lora_adapter/` in
            the target, in PEFT's format.
        lora_alpha: The adapter's alpha, where the checkpoint does not say it or is wrong.
        progress: Called now and then with the bytes done and the bytes in total; verifying counts
            them again.

    Returns:
        The plan that was carried out.

    Raises:
        DianjinError: The checkpoint is incomplete, damaged or of an unknown kind, or the target
            cannot be written.
    """
    sources = [source] if isinstance(source, str | Path) else list(source)
    url = url_of(target)
    if resume and (url or any(url_of(place) for place in sources)):
        raise DianjinError("resume: only a merge from local folders into a local one can go on")
    with local_images(sources) as folders:
        plan = plan_merge(
            folders,
            base_model=None if base_model is None else Path(base_model),
            dtype=dtype,
            max_shard_size=parse_size(max_shard_size),
            merge_lora=merge_lora,
            lora_alpha=lora_alpha,
        )
        try:
            if url is not None:
                write_to_store(plan, url, overwrite=overwrite, verify=verify, progress=progress)
            else:
                path = local_path(target)
                _carry_out(
                    plan,
                    path,
                    overwrite=overwrite,
                    resume=resume,
                    sums=sums or verify,
                    verify=verify,
                    progress=progress,
                )
        except OSError as error:
            raise DianjinError(f"merging into {target} failed: {error}") from error
    return plan


def _carry_out(
    plan: Plan,
    target: Path,
    *,
    overwrite: bool,
    resume: bool,
    sums: bool,
    verify: bool,
    progress: Callable[[int, int], None] | None,
) -> None:
    done, total = 0, plan.nbytes * (2 if verify else 1)

    def advance(nbytes: int) -> None:
        nonlocal done
        done += nbytes
        if progress is not None:
            progress(done, total)

    output = OutputFolder(
        target,
        overwrite=overwrite,
        protected=plan.inputs,
        fingerprint=plan.fingerprint(),
        resume=resume,
    )
    with output as folder, RankReader(plan.checkpoint.files) as reader:
        check_space(plan, folder)
        merger = Merger(reader, advance)
        known = {}
        for file in plan.files:
            path = folder / file.name
            if path.exists():  # finished by the merge that is being resumed
                advance(file.nbytes)
                continue
            path.parent.mkdir(exist_ok=True)
            part = folder / f"{file.name}.part"
            digest = hashlib.sha256() if sums else None
            merger.write_file(file, part, digest)
            part.rename(path)
            if digest is not None:
                known[file.name] = digest.hexdigest()
        for file in plan.files if verify else ():
            try:
                merger.compare_file(file, folder / file.name)
            except DianjinError:
                (folder / file.name).unlink()  # not to be resumed from
                raise
        # The config comes last: a folder that has one is a whole model.
        for name in sorted({*plan.side_files, *plan.texts}, key=lambda n: (n == "config.json", n)):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            if name in plan.texts:
                (folder / name).write_text(plan.texts[name], encoding="utf-8")
            else:
                shutil.copyfile(plan.side_files[name], folder / name)
        if sums:
            write_sums(folder, known)
        for path in [p for p in folder.rglob("*") if p.suffix != ".safetensors"]:
            sync(path)
