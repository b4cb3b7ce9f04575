"""Whether the answer is right: rules first, the judge for what they leave open.

Fin-R1's first filter (https://arxiv.org/abs/2503.16252, section 2). The rules are the reward that
trains the model, in the strict layout. They decide what they can read, and the judge is asked for
open answers alone, and where asked to for a share of the others, so that the two can be compared.
With `reasoning`, the judge also says whether the reasoning holds (DianJin-R1,
https://arxiv.org/abs/2504.15716, section 2).
"""

import hashlib
import re
from dataclasses import replace
from typing import Any, Final

from dianjin_ext.data import prompts
from dianjin_ext.data.candidate import Candidate
from dianjin_ext.data.steps.base import Result, RowStep
from dianjin_ext.data.steps.grading import answer_of, graded
from dianjin_ext.data.steps.settings import Verify
from dianjin_ext.data.steps.verdicts import row_of, verdict
from dianjin_ext.inference.asking import Asking, in_form
from dianjin_ext.inference.request import Request
from dianjin_ext.questions.prompts import gold_text, task
from dianjin_ext.rewards.judge.cleaning import clean
from dianjin_ext.rewards.policy import parse_tags

_REASONING: Final = re.compile(r"REASONING: (sound|broken)")


async def work(candidate: Candidate, settings: Verify, asking: Asking) -> Result:
    """Return a candidate with its verdict; dropped where it is not right."""
    tags = parse_tags(settings.tags)
    found = graded(candidate, tags)
    said: dict[str, Any] = {"rule": found.reason}
    answer = answer_of(found, tags)
    decided = found.reason in ("correct", "wrong")
    if asking.has("judge") and (
        found.reason == "undecided" or (decided and _drawn(found, settings.agreement))
    ):
        row = row_of(candidate, "verify")
        said["judge"] = await verdict(
            asking, found.question, answer, row=row, max_tokens=settings.max_tokens
        )
        if not decided and said["judge"] != "undecided":
            right = float(said["judge"] == "correct")
            found = replace(found, score=right, acc=right, reason=said["judge"])
    if found.reason != "correct":
        return Result([found.note("verify", said).drop("verify", found.reason)])
    if settings.reasoning:
        said["reasoning"] = await _reasoning(found, settings, asking)
        if said["reasoning"] != "sound":
            found = found.drop("verify", f"reasoning_{said['reasoning']}")
    return Result([found.note("verify", said)])


async def _reasoning(candidate: Candidate, settings: Verify, asking: Asking) -> str:
    """Return `sound`, `broken` or, where the judge doesn't say, `undecided`."""
    text = prompts.load("reasoning_check")
    question = candidate.question
    request = Request(
        row_of(candidate, "reasoning"),
        text.messages(
            question.language,
            question=clean(task(question)),
            answer=clean(gold_text(question)),
            reasoning=clean(candidate.reasoning or ""),
        ),
        options={"temperature": 0.0, "max_tokens": settings.max_tokens},
        notes={"step": "verify", "prompt": text.label},
    )
    return await in_form(asking, "judge", request, read_reasoning) or "undecided"


def read_reasoning(reply: str) -> str | None:
    """Return what the last line says; None where it is not in the form asked for."""
    said = reply.strip()
    if said.upper().count("REASONING:") != 1:
        return None
    match = _REASONING.fullmatch(said.rpartition("\n")[2].strip(" *`"))
    return match[1] if match else None


def _drawn(candidate: Candidate, share: float) -> bool:
    """Return whether a candidate is in a share of all; the same whenever it is asked."""
    text = row_of(candidate, "agreement").encode()
    return int(hashlib.sha256(text).hexdigest()[:8], 16) < share * 2**32


STEP = RowStep(
    name="verify",
    version=1,
    takes="candidates",
    gives="candidates",
    roles=("judge",),
    needs=lambda settings: ("judge",) if settings.reasoning else (),
    prompts=("reasoning_check",),
    work=work,
)
