"""Reasoning and answer from a teacher, in the layout of the set.

The settings are those that DeepSeek-R1 recommends for itself
(https://github.com/deepseek-ai/DeepSeek-R1, "Usage Recommendations"): temperature 0.6, no system
prompt, the answer asked for in a box, the reply begun with its thinking. Every response is kept,
also one that is cut; `verify` says which are right.
"""

from dianjin_ext.answers.response import split
from dianjin_ext.answers.tags import TAGS, Tags
from dianjin_ext.data.candidate import Candidate
from dianjin_ext.data.steps.base import Result, RowStep
from dianjin_ext.data.steps.settings import Distill
from dianjin_ext.inference.answer import Answer
from dianjin_ext.inference.asking import Asking
from dianjin_ext.inference.request import Request
from dianjin_ext.questions.prompts import prompt
from dianjin_ext.questions.question import Question
from dianjin_ext.rewards.policy import parse_tags

_PREFILLED = {"continue_final_message": True, "add_generation_prompt": False}


async def work(question: Question, settings: Distill, asking: Asking) -> Result:
    """Return the teacher's responses to a question."""
    tags = parse_tags(settings.tags)
    # The teacher thinks by itself and is asked for the answer alone; its parts are laid out here.
    messages = [{"role": "user", "content": prompt(question, TAGS["think_only"])}]
    options = {
        "temperature": settings.temperature,
        "top_p": settings.top_p,
        "max_tokens": settings.max_tokens,
        "seed": settings.seed,
    }
    if settings.prefill:
        messages.append({"role": "assistant", "content": "<think>\n"})
        options |= _PREFILLED
    request = Request(
        question.id, messages, samples=settings.samples, options=options, notes={"step": "distill"}
    )
    answers = await asking.samples("teacher", request)
    model = asking.model("teacher")
    return Result([candidate(question, answer, model, tags) for answer in answers])


def candidate(question: Question, answer: Answer, model: str, tags: Tags) -> Candidate:
    """Return a teacher's answer as a candidate; dropped where nothing can be made of it."""
    reply = answer.reply
    if reply is None:
        bare = Candidate(question=question, sample=answer.sample, model=model, response="")
        return bare.drop("distill", answer.outcome)
    reasoning, content = reply.reasoning, reply.content
    if tags.answer is not None and tags.answer[0] in content:  # it was trained in such a layout
        inside = split(content, "false", tags).answer
        content = content if inside is None else inside
    found = Candidate(
        question=question,
        sample=answer.sample,
        model=model,
        reasoning=reasoning.strip() if reasoning is not None else None,
        response=content.strip(),
        finish_reason=reply.finish_reason,
        prompt_tokens=reply.prompt_tokens,
        completion_tokens=reply.completion_tokens,
    )
    if answer.outcome != "answered":
        return found.drop("distill", answer.outcome)
    return fitted(found, "distill", tags)


def fitted(found: Candidate, step: str, tags: Tags) -> Candidate:
    """Return a response, dropped where it has no place in a layout."""
    if not found.reasoning:
        return found.drop(step, "no_reasoning")
    if not found.response:
        return found.drop(step, "no_answer")
    if any(mark in text for mark in tags.marks for text in (found.reasoning, found.response)):
        return found.drop(step, "contains_marks")
    return found


STEP = RowStep(
    name="distill",
    version=1,
    takes="questions",
    gives="candidates",
    roles=("teacher",),
    needs=lambda _: ("teacher",),
    prompts=(),
    work=work,
)
