"""Our benchmarks in EvalScope, and what came out."""

import json
from pathlib import Path
from typing import NamedTuple

import pytest


class Ran(NamedTuple):
    """A folder of EvalScope's."""

    folder: Path

    @property
    def rows(self):
        """The rows of `dianjin eval`, less the texts that stand in the host's own files."""
        rows = []
        for line in self._lines("reviews"):
            score = line["sample_score"]["score"]
            rows.append({**score["metadata"], "response": score["prediction"]})
            assert score["value"] == {"accuracy": rows[-1]["acc"]}
            assert score["extracted_prediction"] == rows[-1]["pred"]
        return rows

    @property
    def report(self):
        (file,) = self.folder.glob("reports/m/*.json")
        return json.loads(file.read_text(encoding="utf-8"))

    @property
    def metrics(self):
        """The numbers of the report, by aggregation and k."""
        identities = [(each["identity"], each["score"]) for each in self.report["metrics"]]
        return {(i["aggregation"], i["dimensions"].get("k")): score for i, score in identities}

    def _lines(self, kind):
        (file,) = self.folder.glob(f"{kind}/m/*.jsonl")
        return [json.loads(line) for line in file.read_text(encoding="utf-8").split("\n") if line]


@pytest.fixture
def run(server, tmp_path):
    """Run our benchmarks in EvalScope; returns what came out of each."""
    from dianjin_ext.evaluation.plan import Choices
    from dianjin_ext.hosts.evalscope.run import Server, run_ours

    def _run(names, data, protocol, settings=None, **choices):
        folders = run_ours(
            names,
            str(protocol),
            Server("m", server.base_url, 16),
            tmp_path / "es",
            data=[f"{name}={data[name]}" for name in names],
            settings=settings,
            choices=Choices(**choices),
        )
        return [Ran(folder) for folder in folders]

    return _run


@pytest.fixture
def ran_in():
    return Ran
