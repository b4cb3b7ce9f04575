"""A teacher for as long as a context lasts."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Final

from dianjin_ext.errors import DianjinError
from dianjin_ext.quickstart.teacher.rates import Rates

_GRACE_S: Final = 5.0


@contextmanager
def serving_teacher(
    *, questions: Sequence[Path] = (), seed: int = 0, latency: float = 0.0, **rates: float
) -> Iterator[str]:
    """Serve a teacher in a process of its own, which ends with this one; yields its `base_url`.

    Args:
        questions: questions.parquet that it knows the answers to, beside the made-up world.
        seed: Of all that it draws.
        latency: Seconds that it takes for each reply.
        rates: How often it errs: the fields of `Rates`.

    Raises:
        DianjinError: A rate is no probability, or the server does not start.
    """
    given = asdict(Rates(**rates))
    command = [sys.executable, "-m", "dianjin_ext.quickstart.teacher", "--port", "0"]
    command += ["--parent", str(os.getpid()), "--seed", str(seed), "--latency", str(latency)]
    for path in questions:
        command += ["--questions", str(path)]
    for name, rate in given.items():
        command += [f"--{name.replace('_', '-')}", str(rate)]
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,  # an interrupt of this process ends it through its parent
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise DianjinError(f"the teacher ended with code {process.wait()}; it says why above")
        yield line.split()[-1]
    finally:
        process.terminate()
        try:
            process.wait(_GRACE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        with contextlib.suppress(OSError):
            assert process.stdout is not None
            process.stdout.close()
