"""TFNS's validation set, the only one held out."""

from dianjin_ext.evaluation.benchmarks.base import Benchmark, by_gold

BENCHMARK = Benchmark(
    name="tfns",
    about="sentiment of tweets on finance",
    reader="tfns",
    kinds=("label",),
    rewards=("tfns",),
    files=("*valid*.csv",),
    size=2_388,
    split="val",
    category=by_gold,
)
