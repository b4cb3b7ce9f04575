"""Run one probe in a process of its own, so that a crash or a hang there is a finding too."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from dianjin_ext.hosts.doctor.findings import Finding

TIMEOUT = 300.0
"""Seconds; importing a host takes 5 to 20, on a cold network disk minutes."""


def run_probe(name: str, timeout: float = TIMEOUT) -> list[Finding]:
    """Run `dianjin_ext.hosts.doctor.probe` for the name of a host, or `torch`."""
    with TemporaryDirectory(prefix="dianjin-doctor-") as directory:
        result = Path(directory, "findings.json")
        command = [sys.executable, "-P", "-m", "dianjin_ext.hosts.doctor.probe", name, str(result)]
        try:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                timeout=timeout,
                check=False,
            )
        except subprocess.TimeoutExpired:
            text = f"importing it took over {timeout:.0f} s"
            return [Finding("problem", name, text, f"run it by hand: {_by_hand(name)}")]
        if result.is_file():
            return [Finding(**finding) for finding in json.loads(result.read_text("utf-8"))]
        lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
        ending = f"signal {_signal(-done.returncode)}" if done.returncode < 0 else "an error"
        text = f"importing it ended with {ending}: {lines[-1] if lines else 'no message'}"
        return [Finding("problem", name, text, f"see all of it: {_by_hand(name)}")]


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return str(number)


def _by_hand(name: str) -> str:
    return f"{sys.executable} -X faulthandler -c 'import {name.replace('-', '_')}'"
