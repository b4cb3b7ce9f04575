"""Write a merged model into an object store or a distributed file system, through fsspec.

Most of these have neither locks nor a way to rename a folder. So files appear one by one, in an
order that keeps a half-written model from being taken for a whole one: the mark `.merging` first,
then the weights, everything else, config.json (without which nothing loads a model), and last
SHA256SUMS, which says that all is there; then the mark goes.
"""

import contextlib
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dianjin_ext.errors import DianjinError
from dianjin_ext.merge.advance import Advance
from dianjin_ext.merge.places import file_system
from dianjin_ext.merge.plan import Plan
from dianjin_ext.merge.settings import MergeSettings
from dianjin_ext.merge.sink import Block, Sink
from dianjin_ext.merge.sources import RankReader
from dianjin_ext.merge.verify import SUMS
from dianjin_ext.merge.write import Merger

_MARK = ".merging"
_PART = 16 << 20  # bytes: what a store is given at a time
_PARTS = 9_000  # at most so many of them; S3 takes 10,000


class StoreWriter(Sink):
    """Writes a file from front to back. It appears when all was written."""

    def __init__(self, system: Any, path: str, nbytes: int) -> None:
        self.path = Path(path)
        self._system, self._remote = system, path
        part = max(_PART, nbytes // _PARTS)
        self._file = system.open(path, "wb", block_size=part, autocommit=False)

    def close(self, *, failed: bool) -> None:
        """Let the file appear, or leave nothing of it."""
        if not failed:
            self._file.close()
            self._file.commit()
            return
        # The first error is the one to tell.
        with contextlib.suppress(Exception):
            self._file.discard()
        with contextlib.suppress(Exception):
            self._system.rm_file(self._remote)

    def take(self, block: Block, nbytes: int, offset: int) -> None:
        """Wait for `follow`: a store takes the parts in order."""

    def follow(self, block: Block, nbytes: int) -> None:
        """Write."""
        self._file.write(block.data[:nbytes])


def write_to_store(plan: Plan, url: str, settings: MergeSettings, advance: Advance) -> None:
    """Carry out a plan.

    Args:
        plan: What to write.
        url: Where to.
        settings: `overwrite`: a model that is there is unusable from the first byte on. `verify`:
            read all files again and compare their SHA-256.
        advance: Counts the bytes.

    Raises:
        DianjinError: The target exists, or cannot be written; what was written of it is removed.
    """
    system, root = file_system(url)
    before = _files(system, root)
    if before and _MARK not in before and not settings.overwrite:
        raise DianjinError(f"{url} exists; name a new place, or overwrite it (--overwrite)")
    if before and _MARK not in before and "config.json" not in before:
        raise DianjinError(f"{url} is not overwritten: it holds no config.json and so is no model")
    sums: dict[str, str] = {}
    try:
        system.makedirs(root, exist_ok=True)
        system.pipe_file(f"{root}/{_MARK}", b"")
        for name in (SUMS, "config.json"):  # from here on it is no model
            if name in before:
                system.rm_file(f"{root}/{name}")
        with RankReader(plan.checkpoint.files, plan.checkpoint.fetchers) as reader:
            merger = Merger(reader, advance)
            for file in plan.files:
                digest = hashlib.sha256()
                with StoreWriter(system, f"{root}/{file.name}", file.nbytes) as out:
                    merger.stream(file, out, digest)
                sums[file.name] = digest.hexdigest()
        small = {name: path.read_bytes() for name, path in plan.side_files.items()}
        small |= {name: text.encode() for name, text in plan.texts.items()}
        for name in sorted(small, key=lambda name: name == "config.json"):
            sums[name] = hashlib.sha256(small[name]).hexdigest()
            system.pipe_file(f"{root}/{name}", small[name])
        if settings.verify:
            _compare(system, root, sums, {file.name for file in plan.files}, advance)
        for name in before - sums.keys() - {SUMS, _MARK}:
            system.rm_file(f"{root}/{name}")
        lines = [f"{digest}  {name}\n" for name, digest in sorted(sums.items())]
        system.pipe_file(f"{root}/{SUMS}", "".join(lines).encode())
        system.rm_file(f"{root}/{_MARK}")
    except BaseException as error:
        for name in [*sums, _MARK]:
            with contextlib.suppress(Exception):
                system.rm_file(f"{root}/{name}")
        if isinstance(error, Exception) and not isinstance(error, DianjinError):
            raise DianjinError(f"merging into {url} failed: {error}") from error
        raise


def check_store(url: str) -> int:
    """Compare the files of a merged model in a store with its SHA256SUMS.

    Returns:
        The number of files.

    Raises:
        DianjinError: The model is incomplete or damaged.
    """
    system, root = file_system(url)
    found = _files(system, root)
    if SUMS not in found:
        raise DianjinError(f"{url} holds no {SUMS}: the merge into it did not end; merge again")
    lines = system.cat_file(f"{root}/{SUMS}").decode().splitlines()
    sums = {name: digest for digest, _, name in (line.partition("  ") for line in lines)}
    missing = sorted(sums.keys() - found)
    if missing:
        raise DianjinError(f"{url} lacks {missing[0]}, but {SUMS} lists it; merge again")
    _compare(system, root, sums, set(), lambda _: None)
    return len(sums)


def _files(system: Any, root: str) -> set[str]:
    return {str(path).removeprefix(root).lstrip("/") for path in system.find(root)}


def _compare(
    system: Any, root: str, sums: dict[str, str], counted: set[str], advance: Callable[[int], None]
) -> None:
    """Read files again, a part at a time."""
    for name, expected in sums.items():
        path, found, at = f"{root}/{name}", hashlib.sha256(), 0
        size = system.size(path)
        while at < size:
            part = system.cat_file(path, start=at, end=min(at + _PART, size))
            found.update(part)
            at += len(part)
            if name in counted:
                advance(len(part))
            if not part:
                break
        if found.hexdigest() != expected:
            raise DianjinError(f"{path}: its SHA-256 is not the one of what was written")
