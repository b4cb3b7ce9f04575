"""Finance-Instruct-500K, which is published as training data; Fin-R1 reports a part of it."""

from dianjin_ext.evaluation.benchmarks.base import Benchmark

BENCHMARK = Benchmark(
    name="finance_instruct",
    about="instructions on finance with answers in prose",
    reader="finance_instruct",
    kinds=("open",),
    rewards=("finance_instruct",),
    files=("train*.json", "train*.jsonl", "train*.parquet"),
    split="train",
)
