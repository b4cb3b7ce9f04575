"""A corpus of known hacks and traps, and how graders do on it."""

from dianjin_ext.audit.command import run
from dianjin_ext.audit.corpus import KINDS, Case, load_cases
from dianjin_ext.audit.graders import Grader, other_graders, our_grader, own_reward_grader
from dianjin_ext.audit.tally import Tally, audit

__all__ = [
    "KINDS",
    "Case",
    "Grader",
    "Tally",
    "audit",
    "load_cases",
    "other_graders",
    "our_grader",
    "own_reward_grader",
    "run",
]
