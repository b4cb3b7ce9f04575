"""A benchmark of one's own: a file of any columns, by the mapping that `dianjin prepare` takes."""

import re
from pathlib import Path

from dianjin_ext.errors import DianjinError
from dianjin_ext.evaluation.benchmarks.base import OWN, Benchmark
from dianjin_ext.questions.mapping import DATA_SOURCES, load_mapping

_NAME = re.compile(rf"{OWN}:(\w[\w.-]*)")


def own_benchmark(name: str, mapping: Path | None) -> Benchmark:
    """Return the benchmark of a mapping.

    Args:
        name: `own:NAME`; NAME stands in reports and in names of files.
        mapping: YAML that says which column is what; see
            `dianjin_ext.questions.mapping.OwnMapping`.

    Raises:
        DianjinError: The name can't be used, the mapping is missing, or says no gold answers.
    """
    if not _NAME.fullmatch(name):
        raise DianjinError(
            f"{name!r}: expected {OWN}:NAME with a name of letters, digits, '_', '-' and '.'"
        )
    if mapping is None:
        raise DianjinError(
            f"{name} needs the mapping of its columns: --map MAP.yaml; "
            f"`dianjin prepare {OWN} FILE --guess MAP.yaml` writes one"
        )
    given = load_mapping(mapping)
    if given.answer is None:
        raise DianjinError(f"{mapping}: answer: expected the column of the gold answers")
    return Benchmark(
        name=name,
        about=f"questions of one's own, by {mapping.name}",
        reader=OWN,
        kinds=(given.kind,),
        rewards=(given.data_source or DATA_SOURCES[given.kind],),
        files=("*.csv", "*.tsv", "*.xlsx", "*.json", "*.jsonl", "*.ndjson", "*.parquet"),
        mapping=given,
    )
