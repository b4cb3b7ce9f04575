"""ConvFinQA's development set, each turn a question; the test set has no gold answers."""

import re

from dianjin_ext.evaluation.benchmarks.base import Benchmark
from dianjin_ext.questions.question import Question

_TURN = re.compile(r"/[0-9]+(~[0-9]+)?$")
_KINDS = {"convfinqa/Single": "simple", "convfinqa/Double": "hybrid"}


def _conversation(question: Question) -> str | None:
    """Return the name without the number of the turn; a row read twice has two (`~2`)."""
    return _TURN.sub(r"\1", question.id)


def _category(question: Question) -> str:
    """Return `simple` for a conversation on one question of FinQA, `hybrid` for one on two."""
    return _KINDS.get(question.id.partition("_")[0], question.category)


BENCHMARK = Benchmark(
    name="convfinqa",
    about="calculations on a page of an annual report, in conversations",
    reader="convfinqa",
    kinds=("number",),
    rewards=("convfinqa",),
    files=("dev.json",),
    size=1_490,
    split="val",
    category=_category,
    conversation=_conversation,
)
