"""Thinking that is verified and taken up again until it is right, merged into one natural text.

The search of HuatuoGPT-o1 (https://arxiv.org/abs/2412.18925, section 2), which Fino1
(https://arxiv.org/abs/2502.08127) uses: a first thought, a verifier, and where it says no, a new
thought by one of four strategies, up to `rounds` times, then a new start, up to `attempts` times.
Backtracking joins from the second new thought on, as in their script: after the first there is
nothing to go back to. What differs from the script:

- The verifier is the reward that trains, and a judge only for what it leaves open; a judge's
  verdict counts only in the form asked for, where the script takes any reply with `true` in it.
- A question whose attempts all failed is given up. With `tell_gold`, the model is told the gold
  answer; such a path is verified as any other, and flagged, where the script marks it as verified.
- Strategies are drawn by the seed, the question, the attempt and the round, so that a run that
  goes on draws what it drew before.
"""

import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final, NamedTuple

from dianjin_ext.answers.tags import TAGS, Tags
from dianjin_ext.data import prompts
from dianjin_ext.data.candidate import Candidate
from dianjin_ext.data.steps.base import Result, RowStep
from dianjin_ext.data.steps.distill import fitted
from dianjin_ext.data.steps.grading import answer_of, graded
from dianjin_ext.data.steps.merge_agents import read_conclusion
from dianjin_ext.data.steps.settings import Search
from dianjin_ext.data.steps.verdicts import verdict
from dianjin_ext.inference.asking import TRIES, Asking, in_form
from dianjin_ext.inference.request import Request
from dianjin_ext.questions.prompts import gold_text, task
from dianjin_ext.questions.question import Question
from dianjin_ext.rewards.policy import parse_tags

STRATEGIES: Final = ("new_path", "verify", "correct")
LATER: Final = (*STRATEGIES, "backtrack")

_LAYOUT: Final = TAGS["think_only"]


class Thought(NamedTuple):
    """One round: how it came about, what was thought, and the line with its answer."""

    strategy: str
    text: str
    conclusion: str
    right: bool


async def work(question: Question, settings: Search, asking: Asking) -> Result:
    """Return the candidate of a question; dropped where no attempt came to the right answer."""
    path = Searcher(question, settings, asking)
    thoughts: list[Thought] = []
    for attempt in range(settings.attempts):
        if (thoughts := await path.attempt(attempt)) and thoughts[-1].right:
            return Result([await path.merged(thoughts)])
    if settings.tell_gold and thoughts:
        told = await path.think("told", thoughts, settings.attempts, 0)
        if told is not None and told.right:
            found = await path.merged([*thoughts, told])
            return Result([replace(found, told_gold=True)])
    last = thoughts[-1] if thoughts else Thought("", "", "", False)
    lost = path.candidate(last.text or None, last.conclusion)
    return Result([path.noted(lost).drop("search", "not_found")])


class Searcher:
    """The search for one question.

    Args:
        question: Has a gold answer.
        settings: Of the step.
        asking: Whom to ask.
    """

    def __init__(self, question: Question, settings: Search, asking: Asking) -> None:
        self.question, self.settings, self.asking = question, settings, asking
        self.rounds: list[dict[str, Any]] = []
        self.task = task(question)

    async def attempt(self, attempt: int) -> list[Thought]:
        """Return the thoughts of one start; the last of them is right, or none is."""
        thoughts: list[Thought] = []
        for number in range(self.settings.rounds + 1):
            if number and (not thoughts or thoughts[-1].right):
                break
            if (thought := await self.further(thoughts, attempt, number)) is not None:
                thoughts.append(thought)
        return thoughts

    async def further(self, before: Sequence[Thought], attempt: int, number: int) -> Thought | None:
        """Return the thought of a round, verified: the first of a start, or by a drawn strategy.

        Args:
            before: Thoughts of this start so far.
            attempt: Which start, from 0.
            number: Which of its rounds, from 0.
        """
        if number == 0:
            return await self.think("think", before, attempt, 0)
        draw = random.Random(f"{self.settings.seed}/{self.question.id}/{attempt}/{number}")
        strategy = draw.choice(STRATEGIES if number == 1 else LATER)
        return await self.think(strategy, before, attempt, number)

    async def think(
        self, strategy: str, before: Sequence[Thought], attempt: int, number: int
    ) -> Thought | None:
        """Return one more thought, verified; None where none came in the form asked for."""
        settings, question = self.settings, self.question
        text = prompts.load(f"search_{strategy}")
        given = {"question": self.task}
        if before:
            given["thoughts"] = "\n\n".join(f"{t.text}\n{t.conclusion}" for t in before)
        if strategy == "told":
            given["answer"] = gold_text(question)
        at = attempt * (settings.rounds + 1) + number
        options = {
            "temperature": settings.temperature,
            "top_p": settings.top_p,
            "max_tokens": settings.max_tokens,
            # a new start asks the same question, and is to get another reply
            "seed": settings.seed + at,
        }
        notes = {"step": "search", "prompt": text.label, "strategy": strategy}
        request = Request(
            f"{question.id}/search",
            text.messages(question.language, **given),
            round=at * TRIES,
            options=options,
            notes=notes,
        )
        parts = await in_form(self.asking, "teacher", request, read_conclusion)
        about: dict[str, Any] = {"attempt": attempt, "round": number, "strategy": strategy}
        if parts is None:
            self.rounds.append(about | {"verdict": "not_in_form"})
            return None
        found, said = await self.verified(self.candidate(*parts), f"search/{at}")
        about |= {"pred": found.pred, "answer": answer_of(found, _LAYOUT), "verdict": found.reason}
        self.rounds.append(about | said)
        return Thought(strategy, *parts, found.reason == "correct")

    async def verified(
        self, candidate: Candidate, what: str, tags: Tags = _LAYOUT
    ) -> tuple[Candidate, dict[str, str]]:
        """Return a candidate as the rules grade it, or the judge where they leave it open."""
        found = graded(candidate, tags)
        if found.reason != "undecided" or not self.asking.has("judge"):
            return found, {}
        answer = answer_of(found, tags)
        row = f"{self.question.id}/{what}/verdict"
        said = await verdict(self.asking, self.question, answer, row=row, max_tokens=1024)
        right = float(said == "correct")
        return replace(found, score=right, acc=right, reason=said), {"judge": said}

    async def merged(self, thoughts: Sequence[Thought]) -> Candidate:
        """Return the thoughts as one natural text, with a reply made of it."""
        written = "\n\n".join(f"{t.text}\n{t.conclusion}" for t in thoughts)
        reasoning = await self.write("search_merge", written)
        response = await self.write("search_answer", reasoning) if reasoning else ""
        tags = parse_tags(self.settings.tags)
        found = self.candidate(reasoning or None, response)
        found = fitted(found, "search", tags)
        if found.dropped:
            return self.noted(found)
        found, _ = await self.verified(found, "search/final", tags)
        if found.reason != "correct":
            found = found.drop("search", "answer_changed")
        return self.noted(found)

    async def write(self, name: str, thoughts: str) -> str:
        """Return the text that a prompt asks for; empty where none came."""
        text = prompts.load(name)
        request = Request(
            f"{self.question.id}/{name}",
            text.messages(self.question.language, question=self.task, thoughts=thoughts),
            options={"temperature": 0.0, "max_tokens": 2 * self.settings.max_tokens},
            notes={"step": "search", "prompt": text.label},
        )
        answer = await self.asking.one("teacher", request)
        return answer.reply.content.strip() if answer.reply and answer.outcome == "answered" else ""

    def candidate(self, reasoning: str | None, response: str) -> Candidate:
        """Return a response to the question."""
        return Candidate(
            question=self.question,
            model=self.asking.model("teacher"),
            reasoning=reasoning,
            response=response,
            finish_reason="stop",
        )

    def noted(self, candidate: Candidate) -> Candidate:
        """Return a candidate with the rounds that led to it."""
        return candidate.note("search", {"rounds": self.rounds})


STEP = RowStep(
    name="search",
    version=2,
    takes="questions",
    gives="candidates",
    roles=("teacher", "judge"),
    needs=lambda _: ("teacher",),
    prompts=(
        *("search_think", "search_told", "search_merge", "search_answer"),
        *(f"search_{name}" for name in LATER),
    ),
    work=work,
)
