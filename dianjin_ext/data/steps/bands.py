"""Questions that are worth training on with RL: neither always right nor never.

A group of responses that are all right or all wrong has no advantage, so its prompt teaches nothing
(DAPO, https://arxiv.org/abs/2503.14476, section 3.2). open-r1 (https://github.com/huggingface/
open-r1) keeps pass rates above 0.1 and below 0.9, Skywork-OR1 drops 0 and all of 16. The pass rate
is that of the model that `sample` asked, and goes with each candidate.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dianjin_ext.data.rows_file import inputs_of, removing
from dianjin_ext.data.steps.base import Removed, SetStep
from dianjin_ext.data.steps.settings import Bands


def run(inputs: Sequence[Path], out: Path, settings: Bands) -> dict[str, Any]:
    """Keep the candidates of the questions in the band; see `Bands`."""
    rates = pass_rates(inputs)
    why = {name: _outside(right, of, settings) for name, (right, of, _) in rates.items()}
    removed = [
        Removed(name, text, why[name], f"{right} of {of}")
        for name, (right, of, text) in rates.items()
        if why[name]
    ]
    rows = inputs_of(inputs, "candidates", "bands")
    kept = (row for row in rows if not why[row.question.id])
    return removing(kept, removed, out, "candidates") | {"questions": len(rates)}


def pass_rates(inputs: Sequence[Path]) -> dict[str, tuple[int, int, str]]:
    """Return of each question how many responses are right, how many there are, and its text.

    Where `sample` counted them, its count holds; else what is graded is counted here.
    """
    found: dict[str, tuple[int, int, str]] = {}
    for candidate in inputs_of(inputs, "candidates", "bands"):
        question = candidate.question
        if candidate.of:
            found[question.id] = candidate.right or 0, candidate.of, question.question
        elif candidate.acc is not None:
            right, of, text = found.get(question.id, (0, 0, question.question))
            found[question.id] = right + (candidate.acc == 1.0), of + 1, text
        else:
            found.setdefault(question.id, (0, 0, question.question))
    return found


def _outside(right: int, of: int, settings: Bands) -> str:
    if not of:
        return "not_graded"
    if right / of <= settings.low:
        return "too_hard"
    return "too_easy" if right / of >= settings.high else ""


STEP = SetStep(name="bands", version=1, takes="candidates", run=run)
