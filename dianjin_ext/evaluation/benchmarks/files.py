"""The files of a benchmark: those that are named, and in a folder those that it is published in."""

import fnmatch
from collections.abc import Iterable, Sequence
from pathlib import Path

from dianjin_ext.errors import DianjinError
from dianjin_ext.evaluation.benchmarks.base import Benchmark


def benchmark_files(benchmark: Benchmark, given: Sequence[Path]) -> list[Path]:
    """Return the files of a benchmark, in a fixed order.

    Args:
        benchmark: The benchmark.
        given: Files, and folders to look through for the benchmark's files, also packed with gzip.

    Raises:
        DianjinError: Nothing is given, a folder has none of the files, or one is named twice.
    """
    if not given:
        raise DianjinError(f"name the files of {benchmark.name}, or their folder: --data PATH")
    found = [file for path in given for file in _files(benchmark, path)]
    seen: set[Path] = set()
    for path in found:
        if path.resolve() in seen:
            raise DianjinError(f"{path} is named twice; each of its rows would count twice")
        seen.add(path.resolve())
    return found


def _files(benchmark: Benchmark, path: Path) -> Iterable[Path]:
    if not path.is_dir():
        return [path]
    found = sorted(
        file
        for file in path.rglob("*")
        if _matches(file.relative_to(path), benchmark.files) and file.is_file()
    )
    if not found:
        raise DianjinError(
            f"{path} has no file of {benchmark.name} ({', '.join(benchmark.files)}); name the "
            "files themselves if they are called otherwise"
        )
    return found


def _matches(path: Path, patterns: Iterable[str]) -> bool:
    name = path.as_posix().removesuffix(".gz")
    if any(part.startswith(".") for part in path.parts):
        return False
    return any(
        fnmatch.fnmatchcase(name, pattern) or fnmatch.fnmatchcase(name, f"*/{pattern}")
        for pattern in patterns
    )
