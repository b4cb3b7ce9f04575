"""Which use every question is put to, and why those without one have none."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.progress import track

from dianjin_ext.data.prepare_settings import RL_ROWS, VAL_ROWS, PrepareSettings
from dianjin_ext.data.prompt_length import estimated_tokens
from dianjin_ext.data.split import Split, split, unambiguous
from dianjin_ext.data.usable import gold_problem, response_problem
from dianjin_ext.questions.prompts import prompt
from dianjin_ext.questions.question import Question
from dianjin_ext.questions.readers import BadRow


@dataclass(frozen=True, slots=True)
class Uses:
    """What becomes of every question.

    Attributes:
        sides: The questions by their use.
        responses: How many have a response to train on.
        taught: Those of `sides.sft` that have one.
        excluded: Those that nothing is done with, by the reason.
        unused: Those that are kept for later, by the reason.
        problems: Gold answers and responses that the grader doesn't score 1.0.
        too_long: How many have a prompt that is too long for RL and validation.
    """

    sides: Split
    responses: int
    taught: list[Question]
    excluded: dict[str, list[Question]]
    unused: dict[str, list[Question]]
    problems: list[BadRow]
    too_long: int


def decide(questions: Sequence[Question], settings: PrepareSettings) -> Uses:
    """Decide on the use of every question."""
    problems: list[BadRow] = []
    unusable: set[str] = set()
    silent: set[str] = set()  # without a response to train on
    long: set[str] = set()
    for question in track(questions, "grading", transient=True, disable=len(questions) < 20_000):
        if why := gold_problem(question):
            unusable.add(question.id)
            problems.append(_problem(question, "answer", why))
            continue
        if not question.reasoning:
            silent.add(question.id)
        elif why := response_problem(question, settings.tags):
            silent.add(question.id)
            problems.append(_problem(question, "reasoning", why))
        if estimated_tokens(prompt(question, settings.tags)) > settings.max_prompt:
            long.add(question.id)
    usable, excluded = unambiguous(q for q in questions if q.id not in unusable)
    excluded["gold_unusable"] = [q for q in questions if q.id in unusable]

    def fits_rl(question: Question) -> bool:
        return question.answer is not None and question.id not in long

    def fits_sft(question: Question) -> bool:
        return question.id not in silent

    fitting = [question for question in usable if fits_rl(question)]
    rl_rows, val_rows = _sizes(fitting, settings, sum(not fits_sft(q) for q in fitting))
    sides = split(
        usable,
        rl_rows=rl_rows,
        val_rows=val_rows,
        seed=settings.seed,
        fits_rl=fits_rl,
        fits_sft=fits_sft,
    )
    excluded["leaked"] = sides.leaked
    taught = [question for question in sides.sft if fits_sft(question)]
    used = {q.id for side in (taught, sides.train, sides.val, sides.test) for q in side}
    used |= {question.id for question in sides.leaked}
    unused: dict[str, list[Question]] = {
        "without_gold": [],
        "prompt_too_long": [],
        "without_response": [],
        "not_drawn": [],
    }
    pool = {question.id for question in sides.sft}
    for question in usable:
        if question.id not in used:
            if question.answer is None:
                reason = "without_gold"
            elif question.id in long:
                reason = "prompt_too_long"
            else:
                reason = "without_response" if question.id in pool else "not_drawn"
            unused[reason].append(question)
    return Uses(
        sides=sides,
        responses=sum(map(fits_sft, usable)),
        taught=taught,
        excluded=excluded,
        unused=unused,
        problems=problems,
        too_long=sum(q.id in long for q in usable),
    )


def _sizes(fitting: Sequence[Question], settings: PrepareSettings, silent: int) -> tuple[int, int]:
    """Return the most rows for RL and for validation, of questions that fit them.

    `silent` is how many of these have no response for SFT.
    """
    published = any(question.split == "train" for question in fitting)
    pool = len(fitting)
    if published:
        pool = sum(question.split not in ("val", "test") for question in fitting)
    drawn = not (published and any(question.split == "val" for question in fitting))
    val = settings.val_rows
    if val is None:
        val = min(VAL_ROWS, pool // 10) if drawn else VAL_ROWS
    if settings.rl_rows is not None:
        return settings.rl_rows, val
    rest = pool - val if drawn else pool
    return min(RL_ROWS, max(rest // 4, silent)), val


def _problem(question: Question, name: str, why: str) -> BadRow:
    return BadRow(question.file, question.row, f"row {question.row}", name, why)
