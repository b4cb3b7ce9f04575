"""FinanceIQ's test set, by trade."""

from dianjin_ext.evaluation.benchmarks.base import Benchmark

BENCHMARK = Benchmark(
    name="financeiq",
    about="exam questions of ten financial trades",
    reader="financeiq",
    kinds=("choice",),
    rewards=("financeiq",),
    files=("test/*.csv", "test__*.csv"),
    size=7_123,
)
