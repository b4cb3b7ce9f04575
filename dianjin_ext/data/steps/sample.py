"""Answers from one's own checkpoint, of which the right and readable ones stay.

DeepSeek-R1's rejection sampling (https://arxiv.org/abs/2501.12948, section 2.3.3): several samples
a prompt, the right ones kept, dropped what mixes languages, has long paragraphs or code blocks. The
paper gives no bounds; ours are settings. The model is asked with the very prompt that it is trained
with, and how many of its responses are right goes with each, with the model's name: the difficulty
of the question for this model.
"""

import re
from dataclasses import replace
from typing import Final

from dianjin_ext.answers.response import split
from dianjin_ext.answers.tags import Tags
from dianjin_ext.data.candidate import Candidate
from dianjin_ext.data.prompt_length import estimated_tokens
from dianjin_ext.data.steps.base import Result, RowStep
from dianjin_ext.data.steps.distill import fitted
from dianjin_ext.data.steps.measures import measures
from dianjin_ext.data.steps.settings import Sample
from dianjin_ext.inference.answer import Answer
from dianjin_ext.inference.asking import Asking
from dianjin_ext.inference.request import Request
from dianjin_ext.questions.prompts import prompt
from dianjin_ext.questions.question import Question
from dianjin_ext.rewards import compute_score
from dianjin_ext.rewards.policy import parse_tags

_CODE: Final = re.compile(r"```|~~~|^\s*(?:def |import |from \w+ import |print\()", re.MULTILINE)
_BREAK: Final = re.compile(r"\n\s*\n|\n")


async def work(question: Question, settings: Sample, asking: Asking) -> Result:
    """Return the model's responses to a question, graded."""
    tags = parse_tags(settings.tags)
    messages = [{"role": "user", "content": prompt(question, tags)}]
    if settings.system:
        messages.insert(0, {"role": "system", "content": settings.system})
    options = {
        "temperature": settings.temperature,
        "top_p": settings.top_p,
        "max_tokens": settings.max_tokens,
        "seed": settings.seed,
    }
    request = Request(
        question.id, messages, samples=settings.samples, options=options, notes={"step": "sample"}
    )
    answers = await asking.samples("student", request)
    model = asking.model("student")
    found = [_candidate(question, answer, model, tags, settings) for answer in answers]
    right = sum(candidate.acc == 1.0 for candidate in found)
    return Result([replace(candidate, right=right, of=len(found)) for candidate in found])


def _candidate(
    question: Question, answer: Answer, model: str, tags: Tags, settings: Sample
) -> Candidate:
    reply = answer.reply
    if reply is None:
        bare = Candidate(question=question, sample=answer.sample, model=model, response="")
        return bare.drop("sample", answer.outcome)
    parts = split(reply.text, tags=tags)
    whole = not parts.fault and parts.think is not None and parts.answer is not None
    found = Candidate(
        question=question,
        sample=answer.sample,
        model=model,
        reasoning=(parts.think or "").strip() if whole else None,
        response=(parts.answer or "").strip() if whole else reply.text,
        finish_reason=reply.finish_reason,
        prompt_tokens=reply.prompt_tokens,
        completion_tokens=reply.completion_tokens,
    )
    if question.answer is None:
        return found.drop("sample", "gold_unusable")
    # the text as the model wrote it, as a rollout of training is graded
    score = compute_score(
        question.data_source,
        reply.text,
        question.answer,
        question.extra_info,
        tags=tags,
        strictness=settings.strictness,
    )
    found = replace(
        found,
        score=float(score["score"]),
        acc=float(score["acc"]),
        reason=str(score["reason"]),
        pred=str(score["pred"]),
    )
    if answer.outcome != "answered":
        return found.drop("sample", answer.outcome)
    if found.reason != "correct":
        return found.drop("sample", found.reason)
    return readable(fitted(found, "sample", tags), settings)


def readable(candidate: Candidate, settings: Sample) -> Candidate:
    """Return a right candidate; dropped where its reasoning is not as people read it."""
    if candidate.dropped:
        return candidate
    text = candidate.reasoning or ""
    if _CODE.search(text):
        return candidate.drop("sample", "code_block")
    if max(map(estimated_tokens, _BREAK.split(text))) > settings.max_paragraph:
        return candidate.drop("sample", "long_paragraph")
    if measures(candidate).language < settings.min_language:
        return candidate.drop("sample", "mixed_language")
    return candidate


STEP = RowStep(
    name="sample",
    version=1,
    takes="questions",
    gives="candidates",
    roles=("student",),
    needs=lambda _: ("student",),
    prompts=(),
    work=work,
)
