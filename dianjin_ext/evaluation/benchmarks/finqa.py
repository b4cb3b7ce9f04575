"""FinQA's test set."""

from dianjin_ext.evaluation.benchmarks.base import Benchmark

BENCHMARK = Benchmark(
    name="finqa",
    about="calculations on a page of an annual report",
    reader="finqa",
    kinds=("number",),
    rewards=("finqa",),
    files=("test.json",),
    size=1_147,
)
