"""MATH-500; the category is subject and level."""

from dianjin_ext.evaluation.benchmarks.base import Benchmark

BENCHMARK = Benchmark(
    name="math_500",
    about="500 problems of MATH's test set",
    reader="math_500",
    kinds=("math",),
    rewards=("math_500",),
    files=("test.jsonl", "math500*.jsonl"),
    size=500,
)
