"""Merge a checkpoint: plan, write, publish."""

import hashlib
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from dianjin_ext.errors import DianjinError
from dianjin_ext.merge.advance import Advance, Report
from dianjin_ext.merge.folder import OutputFolder, sync
from dianjin_ext.merge.places import local_images, local_path, url_of
from dianjin_ext.merge.plan import Plan, check_space, plan_merge
from dianjin_ext.merge.settings import MergeSettings
from dianjin_ext.merge.sources import RankReader
from dianjin_ext.merge.stores import write_to_store
from dianjin_ext.merge.verify import write_sums
from dianjin_ext.merge.write import Merger


def merge_checkpoint(
    source: str | Path | Sequence[str | Path],
    target: str | Path,
    settings: MergeSettings | None = None,
    *,
    progress: Report | None = None,
    **changes: Any,
) -> Plan:
    """Merge an FSDP checkpoint that verl wrote into a folder in Hugging Face format.

    The tensors are copied bit for bit, unless `dtype` says otherwise, in memory that does not grow
    with the model. Nothing in the checkpoint is executed. The target appears complete or not at
    all.

    Args:
        source: verl's `global_step_N` or its `actor` folder; several where the machines of a run
            kept their ranks apart. URLs that fsspec knows (s3://, oss://, hdfs://) do too.
        target: The folder to make; or a URL, where files appear one by one and SHA256SUMS last.
        settings: How; without them, the defaults of `MergeSettings`.
        progress: Called now and then with the bytes done and the bytes in total; verifying counts
            them again.
        changes: Fields of `MergeSettings` that differ from `settings`, such as `verify=True`.

    Returns:
        The plan that was carried out.

    Raises:
        DianjinError: The checkpoint is incomplete, damaged or of an unknown kind, or the target
            cannot be written.
    """
    settings = replace(settings or MergeSettings(), **changes)
    sources = [source] if isinstance(source, str | Path) else list(source)
    url = url_of(target)
    if settings.resume and (url or any(url_of(place) for place in sources)):
        raise DianjinError("resume: only a merge from local folders into a local one can go on")
    with local_images(sources) as images:
        plan = plan_merge(images, settings)
        advance = Advance(plan.nbytes, verify=settings.verify, report=progress)
        try:
            if url is not None:
                write_to_store(plan, url, settings, advance)
            else:
                _carry_out(plan, local_path(target), settings, advance)
        except OSError as error:
            raise DianjinError(f"merging into {target} failed: {error}") from error
    return plan


def _carry_out(plan: Plan, target: Path, settings: MergeSettings, advance: Advance) -> None:
    sums = settings.sums or settings.verify
    output = OutputFolder(
        target,
        overwrite=settings.overwrite,
        protected=plan.inputs,
        fingerprint=plan.fingerprint(),
        resume=settings.resume,
    )
    with output as folder, RankReader(plan.checkpoint.files, plan.checkpoint.fetchers) as reader:
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
        for file in plan.files if settings.verify else ():
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
