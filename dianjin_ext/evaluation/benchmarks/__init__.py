"""One file a benchmark: what is asked, of which split, and by what it is told apart."""

from pathlib import Path

from dianjin_ext.errors import DianjinError
from dianjin_ext.evaluation.benchmarks import (
    aime_2024,
    ccc,
    cflue_application,
    cflue_mcq,
    convfinqa,
    docmath,
    finance_instruct,
    financeiq,
    fineva,
    fineval,
    finqa,
    gpqa_diamond,
    math_500,
    tatqa,
    tfns,
    xbrl_math,
)
from dianjin_ext.evaluation.benchmarks.base import OWN, Benchmark, questions
from dianjin_ext.evaluation.benchmarks.counting import Survey, survey
from dianjin_ext.evaluation.benchmarks.files import benchmark_files
from dianjin_ext.evaluation.benchmarks.own import own_benchmark
from dianjin_ext.evaluation.benchmarks.subset import Subset, chosen

BENCHMARKS: dict[str, Benchmark] = {
    benchmark.name: benchmark
    for benchmark in (
        cflue_mcq.BENCHMARK,
        cflue_application.BENCHMARK,
        finqa.BENCHMARK,
        convfinqa.BENCHMARK,
        ccc.BENCHMARK,
        tfns.BENCHMARK,
        fineva.BENCHMARK,
        finance_instruct.BENCHMARK,
        financeiq.BENCHMARK,
        fineval.BENCHMARK,
        tatqa.BENCHMARK,
        docmath.SIMPLONG,
        docmath.COMPLONG,
        xbrl_math.BENCHMARK,
        math_500.BENCHMARK,
        gpqa_diamond.BENCHMARK,
        aime_2024.BENCHMARK,
    )
}
"""Every benchmark by its name."""


def get_benchmark(name: str, *, mapping: Path | None = None) -> Benchmark:
    """Return a benchmark.

    Args:
        name: A name of `BENCHMARKS`, or `own:NAME` for a file of one's own.
        mapping: For `own:NAME`, which column is what, as YAML.

    Raises:
        DianjinError: There is none of that name (the message lists those there are), or the mapping
            is missing, can't be used, or is given for another.
    """
    if name == OWN or name.startswith(f"{OWN}:"):
        return own_benchmark(name, mapping)
    if name not in BENCHMARKS:
        known = ", ".join(BENCHMARKS)
        raise DianjinError(f"no benchmark {name!r}; known: {known}, or {OWN}:NAME with --map")
    if mapping is not None:
        raise DianjinError(f"--map is for a file of your own: {OWN}:NAME, not {name}")
    return BENCHMARKS[name]


__all__ = [
    "BENCHMARKS",
    "Benchmark",
    "Subset",
    "Survey",
    "benchmark_files",
    "chosen",
    "get_benchmark",
    "questions",
    "survey",
]
