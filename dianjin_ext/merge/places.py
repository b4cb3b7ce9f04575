"""Checkpoints in object stores and distributed file systems, through fsspec.

A remote checkpoint gets a local image: small files are downloaded, a rank file becomes a sparse
file of the same size with only its headers filled in. Planning works on the image; the bytes of
the tensors are fetched range by range while they are merged.
"""

import os
import re
import tempfile
import zipfile
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from dianjin_ext.errors import DianjinError
from dianjin_ext.merge.sidefiles import is_weights
from dianjin_ext.merge.sources import RANK_FILE, Fetcher

_PACKAGES = {
    "s3": "s3fs",
    "s3a": "s3fs",
    "oss": "ossfs",
    "gs": "gcsfs",
    "gcs": "gcsfs",
    "abfs": "adlfs",
    "hdfs": "pyarrow",
    "sftp": "paramiko",
}
_SMALL = 1 << 16  # bytes: such records are fetched with the headers
_TAIL = 1 << 16  # bytes at the end of a rank file that are fetched first
_GAP = 1 << 16  # bytes: ranges closer than this are fetched as one


def url_of(place: str | Path) -> str | None:
    """The URL of a remote place, also where a Path has swallowed one of its slashes.

    Returns:
        None for a local path and for file://.
    """
    match = re.match(r"([a-z][a-z0-9+.-]+)(?:::[^/]*)?:/{1,2}(?=[^/])", str(place))
    if not match or match[1] in ("file", "local"):
        return None
    return f"{str(place)[: match.end()].rstrip('/')}//{str(place)[match.end() :]}".rstrip("/")


def local_path(place: str | Path) -> Path:
    """The path of a local place."""
    return Path(re.sub(r"^(file|local):/*(?=/)", "", str(place)))


def file_system(url: str) -> tuple[Any, str]:
    """The file system of a URL, and the path in it.

    Raises:
        DianjinError: fsspec or what it needs for this protocol is missing.
    """
    protocol = url.partition(":")[0]
    try:
        import fsspec  # type: ignore[import-untyped]
    except ImportError as error:
        package = _PACKAGES.get(protocol, "")
        raise DianjinError(f"{url} needs fsspec: pip install fsspec {package}".strip()) from error
    try:
        found, path = fsspec.core.url_to_fs(url)
    except ImportError as error:
        package = _PACKAGES.get(protocol, "")
        line = f"pip install {package}" if package else str(error)
        raise DianjinError(f"{url} needs another package: {line}") from error
    except Exception as error:  # of whatever kind the backend raises
        raise DianjinError(f"cannot open {url}: {error}") from error
    found.invalidate_cache()
    return found, str(path).rstrip("/")


class Images(NamedTuple):
    """Local folders that stand for places, and how to read the files that stand for remote ones."""

    folders: list[Path]
    fetchers: dict[Path, Fetcher]


@contextmanager
def local_images(places: Sequence[str | Path]) -> Iterator[Images]:
    """Make local images of the remote places among several.

    Yields:
        A local folder for each place.

    Raises:
        DianjinError: A remote place cannot be read.
    """
    images = Images([], {})
    with ExitStack() as stack:
        for place in places:
            url = url_of(place)
            if url is None:
                images.folders.append(local_path(place))
                continue
            scratch = stack.enter_context(tempfile.TemporaryDirectory(prefix="dianjin-"))
            folder = Path(scratch).resolve().joinpath(*re.split(r":*/+", url))
            try:
                images.fetchers.update(_make_image(url, folder))
            except (DianjinError, MemoryError):
                raise
            except Exception as error:  # of whatever kind the backend raises
                raise DianjinError(f"cannot read {url}: {error}") from error
            images.folders.append(folder)
        yield images


def _make_image(url: str, folder: Path) -> dict[Path, Fetcher]:
    """Fill a folder; returns how its rank files are read."""
    system, root = file_system(url)
    sizes = {
        str(path).removeprefix(root).lstrip("/"): int(info["size"])
        for path, info in system.find(root, detail=True).items()
    }
    if not sizes:
        raise DianjinError(f"{url} holds no files")
    folder.mkdir(parents=True)
    fetchers: dict[Path, Fetcher] = {}
    beside = any(RANK_FILE.fullmatch(name) for name in sizes)
    for name, size in sizes.items():
        if not beside and not name.startswith("actor/"):
            continue
        path = folder / name
        if RANK_FILE.fullmatch(path.name) and name.count("/") == (not beside):
            path.parent.mkdir(parents=True, exist_ok=True)
            fetchers[path] = RankImage(system, f"{root}/{name}", size, path).read_into
        elif not is_weights(name):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(system.cat_file(f"{root}/{name}"))
    return fetchers


class RankImage:
    """A sparse local file that stands for a remote rank file.

    Args:
        system: An fsspec file system.
        remote: The path in it.
        size: The file's size in bytes.
        path: The local file to make.
    """

    def __init__(self, system: Any, remote: str, size: int, path: Path) -> None:
        self._system, self._remote, self._size, self._path = system, remote, size, path
        self._begins: list[int] = []  # of the ranges that the image holds, sorted
        self._ends: list[int] = []
        with path.open("wb") as file:
            file.truncate(size)
        infos = self._directory()
        ranges = []
        for info in infos:
            small = not re.search(r"/data/\d+$", info.filename) or info.file_size <= _SMALL
            # a local header repeats the name, and torch pads it to 64 bytes
            header = 30 + len(info.filename.encode()) + len(info.extra) + 128
            end = info.header_offset + (header + info.file_size if small else 30)
            ranges.append((info.header_offset, min(end, size)))
        self._hold(_joined(ranges, _GAP))

    def _directory(self) -> list[zipfile.ZipInfo]:
        """Fetch the end of the file, from wherever the archive's directory begins."""
        length, end = _TAIL, self._size
        while True:
            begin = max(0, self._size - length)
            self._hold([(begin, end)])
            try:
                with zipfile.ZipFile(self._path) as archive:
                    return archive.infolist()
            except (zipfile.BadZipFile, OSError, ValueError):
                if length >= min(self._size, 1 << 28):
                    return []  # no archive; the reader says so of what it finds
            length, end = 4 * length, begin

    def _holds(self, begin: int, end: int) -> bool:
        at = bisect_right(self._begins, begin) - 1
        return at >= 0 and end <= self._ends[at]

    def _hold(self, ranges: list[tuple[int, int]]) -> None:
        ranges = [(begin, end) for begin, end in ranges if not self._holds(begin, end)]
        with self._path.open("r+b") as file:
            for at in range(0, len(ranges), 256):
                some = ranges[at : at + 256]
                begins, ends = zip(*some, strict=True)
                paths = [self._remote] * len(some)
                parts = self._system.cat_ranges(paths, list(begins), list(ends), on_error="raise")
                for begin, part in zip(begins, parts, strict=True):
                    file.seek(begin)
                    file.write(part)
        held = _joined([*zip(self._begins, self._ends, strict=True), *ranges], gap=0)
        self._begins, self._ends = [begin for begin, _ in held], [end for _, end in held]

    def read_into(self, offset: int, data: memoryview) -> None:
        """Fill `data` with the file's bytes from `offset` on.

        Raises:
            DianjinError: They cannot be fetched.
        """
        end = offset + len(data)
        if self._holds(offset, end):
            with self._path.open("rb") as file:
                part = os.pread(file.fileno(), len(data), offset)
        else:
            try:
                part = self._system.cat_file(self._remote, start=offset, end=end)
            except Exception as error:  # of whatever kind the backend raises
                raise DianjinError(f"cannot read {self._remote}: {error}") from error
        if len(part) != len(data):
            raise DianjinError(f"{self._remote} was changed while it was being merged")
        data[:] = part


def _joined(ranges: list[tuple[int, int]], gap: int) -> list[tuple[int, int]]:
    """Sort ranges, and join those that overlap or lie close."""
    joined: list[tuple[int, int]] = []
    for begin, end in sorted(ranges):
        if joined and begin <= joined[-1][1] + gap:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((begin, end))
    return joined
