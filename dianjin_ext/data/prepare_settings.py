"""How questions become training rows."""

from dataclasses import dataclass

from dianjin_ext.answers.tags import DIANJIN_R1, Tags
from dianjin_ext.data.bad_rows import ON_ERROR, OnError
from dianjin_ext.errors import DianjinError

RL_ROWS = 4096
"""Size of DianJin-R1's RL set (https://arxiv.org/abs/2504.15716); its rows are not published."""

VAL_ROWS = 500
MAX_PROMPT = 1024
"""Tokens of the longest RL prompt: DianJin-R1's `data.max_prompt_length`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PrepareSettings:
    """How questions become training rows.

    Attributes:
        rl_rows: Most rows for RL training; None for `RL_ROWS`, or where there are fewer, a quarter
            of what validation leaves, and at least those that have no response for SFT.
        val_rows: Most rows for validation; None for `VAL_ROWS`, or a tenth of the questions.
        seed: Seed of the split.
        max_prompt: Most tokens of a prompt for RL and validation, by an estimate.
        on_error: What is done with bad rows.
        tags: The layout that prompts ask for and SFT responses have.
        overwrite: Replace the files of an earlier run.
    """

    rl_rows: int | None = None
    val_rows: int | None = None
    seed: int = 0
    max_prompt: int = MAX_PROMPT
    on_error: OnError = "stop"
    tags: Tags = DIANJIN_R1
    overwrite: bool = False


def parse_on_error(text: str) -> OnError:
    """Return what is to be done with bad rows.

    Raises:
        DianjinError: The text names nothing known.
    """
    for known in ON_ERROR:
        if text == known:
            return known
    raise DianjinError(f"--on-error: expected {', '.join(ON_ERROR)}, found {text!r}")
