"""The steps of a multi-agent workflow to one reasoning and result, as DianJin-R1 made CCC.

The paper (https://arxiv.org/abs/2504.15716, section 2) has GPT-4o merge what the agents wrote into
one reasoning; prompt and data are not published. Here the result is graded against the gold label
like any other answer, so that a merged text which comes to another result is dropped.
"""

import re
from typing import Final

from dianjin_ext.data import prompts
from dianjin_ext.data.candidate import Candidate
from dianjin_ext.data.steps.base import Result, RowStep
from dianjin_ext.data.steps.distill import fitted
from dianjin_ext.data.steps.grading import graded
from dianjin_ext.data.steps.settings import MergeAgents
from dianjin_ext.inference.asking import Asking, in_form
from dianjin_ext.inference.request import Request
from dianjin_ext.questions.prompts import task
from dianjin_ext.questions.question import Question
from dianjin_ext.rewards.policy import parse_tags

# a formula of its own, in three lines
_DISPLAYED: Final = re.compile(r"(?:\\\[|\$\$)\s*(\\boxed\{[^\n]*\})\s*(?:\\\]|\$\$)$")


async def work(question: Question, settings: MergeAgents, asking: Asking) -> Result:
    """Return the merged reasoning of a question's agents, whose steps are its `reasoning`."""
    tags = parse_tags(settings.tags)
    bare = Candidate(question=question, model=asking.model("teacher"), response="")
    if not question.reasoning:
        return Result([bare.drop("merge-agents", "without_steps")])
    text = prompts.load("merge_agents")
    request = Request(
        f"{question.id}/merge_agents",
        text.messages(question.language, instruction=task(question), steps=question.reasoning),
        options={"temperature": settings.temperature, "max_tokens": settings.max_tokens},
        notes={"step": "merge-agents", "prompt": text.label},
    )
    parts = await in_form(asking, "teacher", request, read_conclusion)
    if parts is None:
        return Result([bare.drop("merge-agents", "not_in_form")])
    found = Candidate(
        question=question,
        model=bare.model,
        reasoning=parts[0],
        response=parts[1],
        finish_reason="stop",
    )
    found = graded(fitted(found, "merge-agents", tags), tags)
    if not found.dropped and found.reason != "correct":
        found = found.drop("merge-agents", found.reason)
    return Result([found])


def read_conclusion(reply: str) -> tuple[str, str] | None:
    r"""Return reasoning and the line of its answer; None where they are not as asked for.

    Asked for is one last line with the answer in `\boxed{}`.
    """
    text, _, last = _DISPLAYED.sub(r"\1", reply.strip()).rpartition("\n")
    return (text.strip(), last.strip()) if text.strip() and last.count("\\boxed{") == 1 else None


STEP = RowStep(
    name="merge-agents",
    version=1,
    takes="questions",
    gives="candidates",
    roles=("teacher",),
    needs=lambda _: ("teacher",),
    prompts=("merge_agents",),
    work=work,
)
