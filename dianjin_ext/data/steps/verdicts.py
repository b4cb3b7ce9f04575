"""A judge's verdict on an answer: the judge of the rewards, its replies in the journal."""

from dianjin_ext.data.candidate import Candidate
from dianjin_ext.inference.asking import Asking, in_form
from dianjin_ext.inference.request import Request
from dianjin_ext.questions.prompts import gold_text, with_options
from dianjin_ext.questions.question import Question
from dianjin_ext.rewards.judge.cleaning import says_nothing
from dianjin_ext.rewards.judge.prompt import (
    PROMPT_VERSION,
    Verdict,
    fixed_nonce,
    messages,
    read_verdict,
)


async def verdict(
    asking: Asking, question: Question, answer: str, *, row: str, max_tokens: int
) -> Verdict:
    """Return whether an answer says what the gold answer says; `undecided` where nobody knows.

    Args:
        asking: Whom to ask, in the role `judge`.
        question: Has a gold answer.
        answer: What is checked, without reasoning.
        row: What the replies are recorded under.
        max_tokens: Of a reply.
    """
    if says_nothing(answer):
        return "wrong"
    texts = with_options(question), gold_text(question), answer
    request = Request(
        row,
        messages(*texts, nonce=fixed_nonce(*texts)),
        options={"temperature": 0.0, "max_tokens": max_tokens},
        notes={"step": "judge", "prompt": f"judge/{PROMPT_VERSION}"},
    )
    found: Verdict | None = await in_form(asking, "judge", request, read_verdict)
    return found or "undecided"


def row_of(candidate: Candidate, what: str) -> str:
    """Return what replies about a candidate are recorded under."""
    return f"{candidate.question.id}#{candidate.sample}/{what}"
