"""XBRL-Math, which Fino1 reports; the data set is gated."""

from dianjin_ext.evaluation.benchmarks.base import Benchmark

BENCHMARK = Benchmark(
    name="xbrl_math",
    about="formulas over the values of XBRL filings",
    reader="xbrl_math",
    kinds=("number",),
    rewards=("xbrl_math",),
    files=("*xbrl*.json", "*xbrl*.jsonl", "*xbrl*.csv", "*xbrl*.parquet"),
    size=90,
)
