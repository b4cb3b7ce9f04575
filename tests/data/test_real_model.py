"""A first set from a real pretrained model, whose answers are what they are."""

from pathlib import Path

import pytest

from dianjin_ext.data.candidate import read_candidates
from dianjin_ext.data.card import write_card
from dianjin_ext.data.run_step import run_step
from dianjin_ext.data.steps.sample import STEP
from dianjin_ext.data.steps.settings import Sample
from dianjin_ext.inference.settings import AskSettings
from dianjin_ext.questions.question import write_questions
from dianjin_ext.quickstart.teacher.world_questions import world_questions

MODEL = Path(__file__).parents[2] / "models/SmolLM2-135M-Instruct"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.long,
]


def test_what_share_of_its_answers_is_right_cut_or_none_stands_in_the_card(tmp_path):
    pytest.importorskip("transformers")
    if not MODEL.exists():
        pytest.skip("no real model; make real-model fetches it")
    asked = [q for q in world_questions(60, seed=3) if q.language == "en"][:8]
    write_questions(asked, tmp_path / "questions.parquet")
    out = tmp_path / "sampled.parquet"
    run_step(
        STEP,
        [tmp_path / "questions.parquet"],
        out,
        settings=Sample(samples=2, max_tokens=32, strictness="lenient", tags="think_only"),
        models={"student": AskSettings(model=str(MODEL), timeout_s=900)},
        journal=tmp_path / "journal",
    )
    rows = list(read_candidates(out))
    assert len(rows) == 16 and {row.model for row in rows} == {str(MODEL)}
    assert all(row.dropped for row in rows)  # it knows no layout with reasoning
    assert all(row.completion_tokens <= 32 for row in rows)
    assert len({row.response for row in rows}) > 8  # real text, and no two samples alike
    cut = sum(row.finish_reason == "length" for row in rows)
    card = write_card(out)
    (model,) = card["answers"]
    told = {name: share["k"] for name, share in model["outcomes"].items()}
    assert told["cut"] == cut and sum(told.values()) == 16
