"""Merges that run beside training: one at a time, in a process of their own, at a limited rate."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from dianjin_ext.errors import DianjinError

__all__ = ["BackgroundMerges", "keep_newest", "run_merge"]

_NICE = 19  # the lowest priority


class BackgroundMerges:
    """A queue of merges.

    Args:
        done: Called in the queue's thread as `done(step, target, error)` when a merge has ended;
            `error` is None when it worked.
    """

    def __init__(self, done: Callable[[int, Path, Exception | None], None]) -> None:
        self._done = done
        self._queue = ThreadPoolExecutor(max_workers=1, thread_name_prefix="merge")
        self._last: Future[None] | None = None

    def submit(self, step: int, source: Path, target: Path, *, dtype: str, io_limit: str) -> None:
        """Queue the merge of `source` into `target`.

        verl may remove old checkpoints while their merge waits or runs, so the files are given a
        second name (a hard link, which takes no space) until it is done.
        """
        held = _hold(source)

        def work() -> None:
            error = None
            try:
                run_merge(held or source, target, dtype=dtype, io_limit=io_limit)
            except Exception as failure:
                error = failure
            finally:
                if held is not None:
                    shutil.rmtree(held, ignore_errors=True)
            self._done(step, target, error)

        self._last = self._queue.submit(work)

    def wait(self) -> None:
        """Wait until the queue is empty."""
        if self._last is not None:
            self._last.result()


def run_merge(source: Path, target: Path, *, dtype: str, io_limit: str) -> None:
    """Run `dianjin merge` as a process of the lowest priority, and wait for it.

    Raises:
        DianjinError: It failed; the message is its own.
    """
    command = [sys.executable, "-m", "dianjin_ext", "merge", str(source), str(target)]
    command += ["--overwrite", "--sums", "--dtype", dtype, "--io-limit", io_limit]
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        try:
            os.setpriority(os.PRIO_PROCESS, process.pid, _NICE)
            output, _ = process.communicate()
        except BaseException:
            process.kill()
            raise
    if process.returncode != 0:
        said = output.decode(errors="replace").strip().removeprefix("error: ")
        raise DianjinError(said or f"the merge ended with exit code {process.returncode}")


def keep_newest(folder: Path, count: int, name: str = "merged") -> list[Path]:
    """Remove all but the newest `count` of `folder/global_step_N/{name}`; return what was removed.

    What is removed disappears at once for whoever reads it, by a rename.
    """
    steps = {
        int(match[1]): path / name
        for path in folder.iterdir()
        if (match := re.fullmatch(r"global_step_(\d+)", path.name)) and (path / name).is_dir()
    }
    removed = [steps[step] for step in sorted(steps, reverse=True)[count:]]
    for path in removed:
        hidden = path.rename(path.with_name(f".{path.name}.removed"))
        shutil.rmtree(hidden)
    return removed


def _hold(source: Path) -> Path | None:
    """Return a folder of hard links to the files of `source`; None where links aren't possible."""
    held = source.with_name(f".{source.name}.merging")
    shutil.rmtree(held, ignore_errors=True)  # left by a run that was killed
    try:
        shutil.copytree(source, held, copy_function=os.link)
    except (OSError, shutil.Error):
        shutil.rmtree(held, ignore_errors=True)
        return None
    return held
