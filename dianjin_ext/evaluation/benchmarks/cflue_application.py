"""CFLUE's application tasks: labels by rule, prose by a judge."""

from dianjin_ext.evaluation.benchmarks.base import Benchmark

BENCHMARK = Benchmark(
    name="cflue_application",
    about="25 tasks of financial text work: classification, extraction, advice, writing",
    reader="cflue_application",
    kinds=("label", "open"),
    rewards=("label", "cflue_oe"),
    files=("application*.json",),
    size=125,
)
