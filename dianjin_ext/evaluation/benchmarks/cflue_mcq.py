"""CFLUE's knowledge questions, which DianJin-R1 reports; the test set is not published."""

from dianjin_ext.evaluation.benchmarks.base import Benchmark

BENCHMARK = Benchmark(
    name="cflue_mcq",
    about="exam questions of the financial trades: single, multiple and true or false",
    reader="cflue",
    kinds=("choice",),
    rewards=("cflue_mcq",),
    files=("knowledge*.json",),
    size=3_864,
)
