"""TAT-QA's test set with gold answers; the category is the type of the answer."""

from dianjin_ext.evaluation.benchmarks.base import Benchmark

BENCHMARK = Benchmark(
    name="tatqa",
    about="questions about a table and its paragraphs: spans, counts and calculations",
    reader="tatqa",
    kinds=("number", "open"),
    rewards=("tatqa",),
    files=("*test_gold*.json",),
    size=1_663,
)
