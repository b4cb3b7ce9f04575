"""Ant_Finance/Fin-Eva: the rows with published answers."""

from dianjin_ext.evaluation.benchmarks.base import Benchmark

BENCHMARK = Benchmark(
    name="fineva",
    about="cognition, knowledge, logic, writing and compliance in finance, by task",
    reader="fineva",
    kinds=("choice", "label", "open"),
    rewards=("fineva", "ccc", "exact"),
    files=("Ant/*/*.csv", "Ant__*.csv"),
    size=2_343,
)
