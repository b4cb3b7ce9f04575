"""Run a command beside a teacher, which is served for as long as the command runs.

    python -m dianjin_ext.quickstart.teacher.beside [--seed N] [--guess 1] … -- COMMAND…

`{teacher}` in the command's words becomes the teacher's `base_url`. The exit code is the command's.
"""

import argparse
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import Final

from dianjin_ext.errors import DianjinError
from dianjin_ext.quickstart.teacher.rates import Rates
from dianjin_ext.quickstart.teacher.serving import serving_teacher

URL: Final = "{teacher}"


def main(arguments: list[str]) -> int:
    """Run it; returns the exit code."""
    at = arguments.index("--") if "--" in arguments else len(arguments)
    own, command = arguments[:at], arguments[at + 1 :]
    parser = argparse.ArgumentParser(prog="python -m dianjin_ext.quickstart.teacher.beside")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--questions", type=Path, action="append", default=[])
    for each in fields(Rates):
        parser.add_argument(f"--{each.name.replace('_', '-')}", type=float, default=each.default)
    given = vars(parser.parse_args(own))
    if not command:
        parser.error("expected -- and a command")
    with serving_teacher(**given) as url:
        return subprocess.call([word.replace(URL, url) for word in command])


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except DianjinError as error:
        sys.exit(str(error))
