"""Rows like those of DianJin-R1's CCC, which is not published."""

from dianjin_ext.evaluation.benchmarks.base import Benchmark, by_gold

BENCHMARK = Benchmark(
    name="ccc",
    about="whether a dialogue of customer service complies with its rules",
    reader="ccc",
    kinds=("label",),
    rewards=("ccc",),
    files=("*ccc*.json", "*ccc*.jsonl"),
    category=by_gold,
)
