"""GPQA-Diamond: every row of its file, options shuffled by the reader."""

from dianjin_ext.evaluation.benchmarks.base import Benchmark

BENCHMARK = Benchmark(
    name="gpqa_diamond",
    about="198 questions of science that search engines don't answer",
    reader="gpqa",
    kinds=("choice",),
    rewards=("choice",),
    files=("gpqa_diamond.csv",),
    size=198,
    config="gpqa_diamond",
)
