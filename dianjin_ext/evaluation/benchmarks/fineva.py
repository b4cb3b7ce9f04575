"""Ant_Finance/Fin-Eva: the rows with published answers."""

from dianjin_ext.evaluation.benchmarks.base import Benchmark

BENCHMARK = Benchmark(
    name="fineva",
    about="cognition, knowledge, logic, writing and safety in finance, by task",
    reader="fineva",
    kinds=("choice", "label"),
    rewards=("fineva", "ccc"),
    files=("Ant/*/*.csv", "Ant__*.csv"),
    size=2_343,
)
