"""math-verify in a process of its own, which is ended when it takes too long.

A signal can't stop a comparison inside a thread, and training grades in threads.
"""

import atexit
import contextlib
import importlib.util
import json
import select
import subprocess
import sys
import threading
from typing import Any, Final, NamedTuple

from dianjin_ext.errors import DianjinError

TIMEOUT_S: Final = 5.0
"""Seconds for one comparison; math-verify's own default."""

_START_S: Final = 120.0


class Compared(NamedTuple):
    """What a comparison came to.

    Attributes:
        right: Whether the answer is the gold answer; None where that can't be told.
        pred: The answer as it was read; empty where it was not.
        late: Whether it took too long.
    """

    right: bool | None
    pred: str = ""
    late: bool = False


class MathProcess:
    """Compares answers one at a time; thread-safe. Starts when it is first asked."""

    def __init__(self, timeout_s: float = TIMEOUT_S) -> None:
        self._timeout_s = timeout_s
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def compare(self, gold: str, answer: str) -> Compared:
        """Compare two answers in LaTeX.

        Raises:
            DianjinError: math-verify is missing, or its process can't be started.
        """
        with self._lock:
            process = self._started()
            assert process.stdin is not None
            with contextlib.suppress(BrokenPipeError):
                process.stdin.write(json.dumps([gold, answer]).encode() + b"\n")
                process.stdin.flush()
            told = self._line(process, self._timeout_s)
            if told is None:
                late = process.poll() is None
                self._end()
                return Compared(None, late=late)
            return Compared(*told)

    def close(self) -> None:
        """End the process."""
        with self._lock:
            self._end()

    def _started(self) -> "subprocess.Popen[bytes]":
        if self._process is None or self._process.poll() is not None:
            if importlib.util.find_spec("math_verify") is None:
                raise DianjinError(
                    "grading mathematics needs math-verify; pip install 'dianjin-ext[math]'"
                )
            self._process = subprocess.Popen(
                [sys.executable, "-m", "dianjin_ext.rewards.math_worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            )
            atexit.register(self._end)
            if self._line(self._process, _START_S) is None:
                self._end()
                raise DianjinError("the process that grades mathematics does not start")
        return self._process

    def _line(self, process: "subprocess.Popen[bytes]", within_s: float) -> Any:
        """Return what the process says next; None where it says nothing in time."""
        assert process.stdout is not None
        ready, _, _ = select.select([process.stdout], [], [], within_s)
        line = process.stdout.readline() if ready else b""
        return json.loads(line) if line.endswith(b"\n") else None

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            for pipe in (self._process.stdin, self._process.stdout):
                with contextlib.suppress(OSError):
                    assert pipe is not None
                    pipe.close()
            self._process = None
