"""The paths that a search is compared with: the teacher's own, chosen by no verdict."""

from pathlib import Path

import pytest

from dianjin_ext.data.build import build
from dianjin_ext.data.candidate import read_candidates
from dianjin_ext.data.pipeline import load_pipeline
from dianjin_ext.questions.question import write_questions
from dianjin_ext.quickstart.teacher import serving_teacher, world_questions

for module in ("pyarrow", "aiohttp", "omegaconf"):
    pytest.importorskip(module)

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
PIPELINE = """
name: searched
models: {{teacher: {model}, judge: {model}}}
steps:
  asked: {{step: read, files: ["{folder}/asked.parquet"]}}
  paths: {{step: search, from: asked, rounds: 1}}
"""


def test_paths_are_the_teachers_whatever_a_verifier_says_of_them(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    from unfiltered_paths import thoughts_of, write_unfiltered

    write_questions(world_questions(150, seed=6), tmp_path / "asked.parquet")
    out = tmp_path / "unfiltered.parquet"
    with serving_teacher(seed=6, guess=1.0) as url:
        model = f"{{model: teacher, base_url: {url}, keyless: true}}"
        (tmp_path / "s.yaml").write_text(PIPELINE.format(folder=tmp_path, model=model))
        pipeline = load_pipeline(tmp_path / "s.yaml")
        build(pipeline, tmp_path / "build")
        write_unfiltered(pipeline, tmp_path / "build", out)
    searched = {row.question.id: row for row in read_candidates(tmp_path / "build/paths.parquet")}
    found = list(read_candidates(out))
    assert [row.question.id for row in found] == list(searched)
    assert all(row.reasoning and "\\boxed{" in row.response for row in found)
    seen = set()
    for row in found:
        own, other = (each.notes["search"]["rounds"] for each in (row, searched[row.question.id]))
        assert own[0] == other[0]  # the same first thought
        seen.add((own[0]["verdict"], len(own)))
        # the text ends as the last thought does, right or wrong
        assert (row.dropped == "") == (own[-1]["verdict"] == "correct")
    # a right thought is gone on with, and a wrong one is left as it is
    assert seen == {(verdict, number) for verdict in ("correct", "wrong") for number in (1, 2)}
    accepted = [thoughts_of(row) for row in searched.values() if not row.dropped]
    two = accepted.count(2) / len(accepted)
    assert two == pytest.approx(sum(thoughts_of(row) == 2 for row in found) / 150, abs=0.12)
