"""What a mix draws from: candidates, their questions, and which of them each use could take."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dianjin_ext.data.candidate import Candidate
from dianjin_ext.data.rows_file import read_items
from dianjin_ext.data.steps.choose import choose
from dianjin_ext.data.steps.settings import Mix
from dianjin_ext.data.tokens import token_counter
from dianjin_ext.data.usable import gold_problem
from dianjin_ext.errors import DianjinError
from dianjin_ext.questions.prompts import prompt
from dianjin_ext.questions.question import Question
from dianjin_ext.rewards.policy import parse_tags

_HELD = ("val", "test")


@dataclass
class Pool:
    """What a mix draws from.

    Attributes:
        candidates: Of the inputs, in their order.
        questions: Of inputs and RL inputs, by id.
        taught: Question to the places of the candidates that SFT could take, each with why.
        practised: Questions that RL and validation could take.
        unused: How many questions are of no use for SFT or RL, by reason.
    """

    candidates: list[Candidate] = field(default_factory=list)
    questions: dict[str, Question] = field(default_factory=dict)
    taught: dict[str, dict[int, str]] = field(default_factory=dict)
    practised: set[str] = field(default_factory=set)
    unused: Counter[str] = field(default_factory=Counter)

    def difficulty(self) -> dict[str, str]:
        """Return `hard`, `medium` or `easy` of each question whose pass rate is known."""
        rates = {c.question.id: c.pass_rate for c in self.candidates}
        return {
            name: "hard" if rate < 1 / 3 else "medium" if rate < 2 / 3 else "easy"
            for name, rate in rates.items()
            if rate is not None
        }


def gather(inputs: Sequence[Path], settings: Mix) -> Pool:
    """Read the inputs and decide what each question could be used for.

    Raises:
        DianjinError: Two questions have one id, or a setting is not known.
    """
    pool = Pool()
    pool.practised = {name for path in inputs for name in _read(path, pool, keep=True)}
    if settings.rl_inputs:
        pool.practised = {n for path in settings.rl_inputs for n in _read(path, pool, keep=False)}
    _for_sft(pool, settings)
    _for_rl(pool, settings)
    return pool


def _read(path: Path, pool: Pool, *, keep: bool) -> set[str]:
    found = set()
    for item in read_items(path):
        question = item.question if isinstance(item, Candidate) else item
        known = pool.questions.setdefault(question.id, question)
        if (known.question, known.context) != (question.question, question.context):
            raise DianjinError(f"{path}: two questions have the id {question.id!r}")
        found.add(question.id)
        if isinstance(item, Candidate) and keep:
            pool.candidates.append(item)
    return found


def _for_sft(pool: Pool, settings: Mix) -> None:
    tags, tokens = parse_tags(settings.tags), token_counter(settings.tokenizer)
    standing: dict[str, list[int]] = {}
    for place, candidate in enumerate(pool.candidates):
        if candidate.dropped:
            continue
        if candidate.question.split in _HELD:
            pool.unused[f"sft: published for {candidate.question.split}"] += 1
            continue
        if candidate.reasoning is None:
            pool.unused["sft: without reasoning"] += 1
            continue
        length = tokens(prompt(candidate.question, tags)) + tokens(candidate.text(tags))
        if length > settings.max_tokens:
            pool.unused["sft: too long"] += 1
        elif length < settings.min_tokens:
            pool.unused["sft: too short"] += 1
        else:
            standing.setdefault(candidate.question.id, []).append(place)
    for name, places in standing.items():
        chosen = choose([pool.candidates[i] for i in places], settings.choose, seed=settings.seed)
        pool.taught[name] = {places[i]: why for i, why in chosen.items()}


def _for_rl(pool: Pool, settings: Mix) -> None:
    tags, tokens = parse_tags(settings.tags), token_counter(settings.tokenizer)
    for name in sorted(pool.practised):
        question = pool.questions[name]
        why = ""
        if question.answer is None or gold_problem(question):
            why = "without a gold answer that can be graded"
        elif tokens(prompt(question, tags)) > settings.max_prompt:
            why = "prompt too long"
        elif question.split == "test":
            why = "published for test"
        if why:
            pool.unused[f"rl: {why}"] += 1
            pool.practised.remove(name)
