"""Run a server that ends with its parent: `python -m dianjin_ext.inference.child PARENT COMMAND…`.

For servers that don't watch for that themselves, such as vLLM, which would else hold a GPU for ever
after a SIGKILL of whoever started it. The process has to lead its process group.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Final

__all__ = ["run"]

_POLL_S: Final = 0.5
_GRACE_S: Final = 10.0


def run(parent: int, command: Sequence[str]) -> int:
    """Run a command until it ends, or until the parent is gone; then its whole group is ended.

    Args:
        parent: Process id of whoever started this one.
        command: What is run.

    Returns:
        The exit code of the command.
    """
    # who stops the group waits for the command, which knows best how it ends
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    child = subprocess.Popen(command)
    while os.getppid() == parent:
        try:
            return child.wait(_POLL_S)
        except subprocess.TimeoutExpired:
            continue
    os.killpg(0, signal.SIGTERM)
    deadline = time.monotonic() + _GRACE_S
    while child.poll() is None and time.monotonic() < deadline:
        time.sleep(_POLL_S)
    os.killpg(0, signal.SIGKILL)
    raise AssertionError("a process outlived SIGKILL")


if __name__ == "__main__":
    sys.exit(run(int(sys.argv[1]), sys.argv[2:]))
