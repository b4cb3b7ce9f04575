"""The files of a benchmark: those that are named, and in a folder those that it is published in."""

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
        if _matches(file, benchmark.files)
        and not _hidden(file.relative_to(path))
        and file.is_file()
    )
    if not found:
        raise DianjinError(
            f"{path} has no file of {benchmark.name} ({', '.join(benchmark.files)}); name the "
            "files themselves if they are called otherwise"
        )
    return found


def _matches(file: Path, patterns: Iterable[str]) -> bool:
    """Match from the right, folder by folder, so that a part of what is published will do."""
    unpacked = file.absolute().with_name(file.name.removesuffix(".gz"))
    return any(unpacked.match(pattern) for pattern in patterns)


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)
