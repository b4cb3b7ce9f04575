"""What steps ask the grader: the one that trains."""

from dataclasses import replace

from dianjin_ext.answers.tags import Tags
from dianjin_ext.data.candidate import Candidate
from dianjin_ext.rewards import compute_score
from dianjin_ext.rewards.format import extract
from dianjin_ext.rewards.policy import Policy


def graded(candidate: Candidate, tags: Tags, strictness: str = "strict") -> Candidate:
    """Return a candidate with what the grader says of it, in a layout."""
    question = candidate.question
    if question.answer is None:
        return replace(candidate, reason="gold_unusable")
    found = compute_score(
        question.data_source,
        candidate.text(tags),
        question.answer,
        question.extra_info,
        tags=tags,
        strictness=strictness,
    )
    return replace(
        candidate,
        score=float(found["score"]),
        acc=float(found["acc"]),
        reason=str(found["reason"]),
        pred=str(found["pred"]),
    )


def answer_of(candidate: Candidate, tags: Tags) -> str:
    """Return what a judge is given of a response; empty where the layout gives no answer."""
    return extract(candidate.text(tags), Policy(tags=tags), needs_box=False).text
