"""The 30 problems of AIME 2024."""

from dianjin_ext.evaluation.benchmarks.base import Benchmark

BENCHMARK = Benchmark(
    name="aime_2024",
    about="the 30 problems of AIME 2024, each a whole number up to 999",
    reader="aime_2024",
    kinds=("math",),
    rewards=("aime_2024",),
    files=("*aime*.json", "*aime*.jsonl", "*aime*.csv", "*aime*.parquet"),
    size=30,
)
