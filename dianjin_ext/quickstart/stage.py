"""One stage of a quickstart run."""

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from dianjin_ext.quickstart import progress as told
from dianjin_ext.quickstart.plan import Plan
from dianjin_ext.recipes import Command


@dataclass(frozen=True)
class Stage:
    """One command, run in the folder of the run.

    Attributes:
        name: Of the stage, its log and its entry in summary.json.
        title: What it does.
        make: Returns its command; called when all earlier stages are done.
        progress: How far it says it is.
        model: The name of the model that it evaluates; empty for any other stage.
    """

    name: str
    title: str
    make: Callable[[], Command]
    progress: told.Progress = told.none
    model: str = ""


def environment(command: Command, plan: Plan) -> dict[str, str]:
    """Return the variables of a command: the user's, and what small models on a CPU need."""
    found = {
        **os.environ,
        "OMP_NUM_THREADS": "1",  # more threads wait for each other longer than they work
        "TOKENIZERS_PARALLELISM": "false",
        "HF_HUB_OFFLINE": "1",
        "RAY_USAGE_STATS_ENABLED": "0",
        **command.environment,
    }
    theirs = command.words[0].startswith("llamafactory")
    programs = (plan.llamafactory if theirs else Path(sys.executable)).parent
    found["PATH"] = f"{programs}{os.pathsep}{os.environ.get('PATH', '')}"
    found.pop("RAY_ADDRESS", None)  # the run starts a Ray of its own
    found.pop("PYTHONDONTWRITEBYTECODE", None)  # a dozen processes import the same modules
    return found


def typed(command: Command, out: Path) -> str:
    """Return a command as people type it in the folder of the run."""
    return str(command).replace(f"{out}/", "")
