"""The quality of right answers' reasoning, by seven criteria from a judge and rules beside them.

Fin-R1's second filter (https://arxiv.org/abs/2503.16252, section 2), whose prompt is not published
with its criteria apart. What passes is for SFT; what doesn't, though its answer is right, is a
candidate for RL, which needs no reasoning.
"""

import re
from typing import Any, Final

from dianjin_ext.data import prompts
from dianjin_ext.data.candidate import Candidate
from dianjin_ext.data.steps.base import Result, RowStep
from dianjin_ext.data.steps.measures import measures
from dianjin_ext.data.steps.settings import Select
from dianjin_ext.data.steps.verdicts import row_of
from dianjin_ext.inference.asking import Asking, in_form
from dianjin_ext.inference.request import Request
from dianjin_ext.questions.prompts import task
from dianjin_ext.rewards.judge.cleaning import clean

CRITERIA: Final = (
    "internal_consistency",
    "term_overlap",
    "reasoning_steps",
    "logical_consistency",
    "content_diversity",
    "task_relevance",
    "instruction_consistency",
)
"""Fin-R1's seven, in the order of its paper."""

_LINE: Final = re.compile(r"[-*\s]*(?:\d[.)、]\s*)?[*`]*([a-z_]+)[*`]*\s*[:：][*\s]*([01])[*.\s]*")


async def work(candidate: Candidate, settings: Select, asking: Asking) -> Result:
    """Return a candidate with its criteria and measures; dropped where they don't hold."""
    measured = measures(candidate)
    said: dict[str, Any] = {"measures": measured._asdict()}
    failed = [
        name
        for name, holds in (
            ("steps", measured.steps >= settings.min_steps),
            ("overlap", measured.overlap >= settings.min_overlap),
            ("repetition", measured.repetition <= settings.max_repetition),
            ("language", measured.language >= settings.min_language),
        )
        if not holds
    ]
    if settings.judged:
        criteria = await _criteria(candidate, settings, asking)
        said["criteria"] = criteria
        if criteria is None:
            return Result([candidate.note("select", said).drop("select", "undecided")])
        missed = [name for name in CRITERIA if not criteria[name]]
        if len(missed) > len(CRITERIA) - settings.least:
            failed = missed + failed
    found = candidate.note("select", said)
    return Result([found.drop("select", failed[0]) if failed else found])


async def _criteria(
    candidate: Candidate, settings: Select, asking: Asking
) -> dict[str, int] | None:
    text = prompts.load("select")
    question = candidate.question
    request = Request(
        row_of(candidate, "select"),
        text.messages(
            question.language,
            instruction=clean(task(question)),  # the layout is not seen here
            reasoning=clean(candidate.reasoning or ""),
            answer=clean(candidate.response),
        ),
        options={"temperature": 0.0, "max_tokens": settings.max_tokens},
        notes={"step": "select", "prompt": text.label},
    )
    return await in_form(asking, "judge", request, read_criteria)


def read_criteria(reply: str) -> dict[str, int] | None:
    """Return the verdict on each criterion; None where the reply is not in the form asked for."""
    lines = [line for line in reply.strip().strip("`").splitlines() if line.strip()]
    matches = [_LINE.fullmatch(line) for line in lines]
    found = {match[1]: int(match[2]) for match in matches if match}
    whole = len(lines) == len(CRITERIA) and tuple(found) == CRITERIA
    return found if whole else None


STEP = RowStep(
    name="select",
    version=2,
    takes="candidates",
    gives="candidates",
    roles=("judge",),
    needs=lambda settings: ("judge",) if settings.judged else (),
    prompts=("select",),
    work=work,
)
