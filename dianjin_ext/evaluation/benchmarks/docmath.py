"""DocMath-Eval's subsets of long documents; testmini has gold answers, test has none."""

from dianjin_ext.evaluation.benchmarks.base import Benchmark
from dianjin_ext.questions.question import Question


def _simplong(question: Question) -> bool:
    return question.category == "simplong"


def _complong(question: Question) -> bool:
    return question.category == "complong"


SIMPLONG = Benchmark(
    name="docmath_simplong",
    about="simple calculations on long financial documents",
    reader="docmath",
    kinds=("number",),
    rewards=("docmath",),
    files=("simplong_testmini*.json",),
    size=100,
    keep=_simplong,
)
COMPLONG = Benchmark(
    name="docmath_complong",
    about="compound calculations on long financial documents",
    reader="docmath",
    kinds=("number",),
    rewards=("docmath",),
    files=("complong_testmini*.json",),
    size=300,
    keep=_complong,
)
