"""Run a command of verl, its whole output into a log file and the lines that matter to the console.

    python -m dianjin_ext.hosts.verl.console LOG COMMAND…

The exit code is that of the command. Ctrl-C and SIGTERM reach it, and it is waited for. Give Python
`-u`, or a step is shown when a buffer is full; PYTHONUNBUFFERED would reach Ray's workers, too.
"""

import os
import selectors
import signal
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Any

from dianjin_ext.hosts.verl.console_lines import ConsoleLines

__all__ = ["main"]

_GRACE = 2.0  # seconds for what is still in the pipe; a process of Ray may hold it open for longer
_COLOURS = {"ERROR": "\x1b[31m", "WARNING": "\x1b[33m"}


def main(arguments: list[str]) -> int:
    """Run `arguments[1:]` with the log file `arguments[0]`; return the exit code."""
    if len(arguments) < 2:
        print("usage: python -m dianjin_ext.hosts.verl.console LOG COMMAND…", file=sys.stderr)
        return 2
    path, command = Path(arguments[0]), arguments[1:]
    path.parent.mkdir(parents=True, exist_ok=True)
    screen = _Screen()
    screen.show(f"log: {path} (VERBOSE=1 shows all of it here)")
    with path.open("ab") as log:
        log.write(f"{datetime.now():%Y-%m-%d %H:%M:%S} {command}\n".encode())
        process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=os.environ | {"PYTHONIOENCODING": "utf-8"},
        )

        def forward(number: int, frame: Any) -> None:
            process.send_signal(number)

        # The terminal sends Ctrl-C to the command as well: here it must only not end the reading.
        signal.signal(signal.SIGINT, lambda number, frame: None)
        signal.signal(signal.SIGTERM, forward)
        _copy(process, log, screen)
    code = process.wait()
    code = 128 - code if code < 0 else code
    if code:
        screen.show(f"ended with exit code {code}; the whole output is in {path}")
    return code


class _Screen:
    """Standard output in UTF-8, whatever the locale; a terminal that is gone ends nothing."""

    def __init__(self) -> None:
        self._colours = sys.stdout.isatty() and "NO_COLOR" not in os.environ

    def show(self, line: str) -> None:
        colour = _COLOURS.get(line.partition(":")[0]) if self._colours else None
        text = f"{colour}{line}\x1b[0m\n" if colour else f"{line}\n"
        try:
            sys.stdout.buffer.write(text.encode(errors="replace"))
            sys.stdout.buffer.flush()
        except OSError:
            pass


def _copy(process: "subprocess.Popen[bytes]", log: Any, screen: _Screen) -> None:
    """Copy the output until the command has ended and the pipe is empty."""
    assert process.stdout is not None
    pipe = process.stdout.fileno()
    lines = ConsoleLines()
    rest = b""
    ended: float | None = None
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        while ended is None or time.monotonic() < ended + _GRACE:
            if process.poll() is not None and ended is None:
                ended = time.monotonic()
            if not selector.select(timeout=0.2):
                if ended is not None:
                    break
                continue
            chunk = os.read(pipe, 65536)
            if not chunk:
                break
            log.write(chunk)
            log.flush()
            *whole, rest = (rest + chunk).split(b"\n")
            for line in whole:
                _show(lines, screen, line)
    if rest:
        _show(lines, screen, rest)


def _show(lines: ConsoleLines, screen: _Screen, line: bytes) -> None:
    shown = lines(line.decode(errors="replace"))
    if shown is not None:
        screen.show(shown)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
