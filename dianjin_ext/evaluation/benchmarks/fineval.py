"""FinEval's validation set, by subject; the test set has no published answers.

Its `dev` are examples for the prompt, five a subject, and no part of it.
"""

from dianjin_ext.evaluation.benchmarks.base import Benchmark
from dianjin_ext.questions.question import Question


def _no_example(question: Question) -> bool:
    return "_dev." not in question.file


BENCHMARK = Benchmark(
    name="fineval",
    about="exam questions of 34 subjects of finance, economics and accounting",
    reader="fineval",
    kinds=("choice",),
    rewards=("fineval",),
    files=("*_val.csv",),
    size=1_151,
    split="val",
    keep=_no_example,
)
