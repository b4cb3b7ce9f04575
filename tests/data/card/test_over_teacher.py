"""The card of a build over a teacher that knows the truth and errs at stated rates."""

import json

import pytest

from dianjin_ext.data.build import build
from dianjin_ext.data.candidate import read_candidates
from dianjin_ext.data.card import write_card
from dianjin_ext.data.pipeline import load_pipeline
from dianjin_ext.questions.question import write_questions
from dianjin_ext.quickstart.teacher import serving_teacher, truth, world_questions
from dianjin_ext.quickstart.teacher.files import write_labels
from dianjin_ext.quickstart.teacher.world_questions import opened_question

for module in ("pyarrow", "aiohttp", "openai", "tenacity"):
    pytest.importorskip(module)

PIPELINE = """
name: world
models:
  teacher: {teacher}
  judge: {judge}
  student: {student}
steps:
  asked: {{step: read, files: "{folder}/asked.parquet"}}
  answers: {{step: distill, from: asked, samples: 2}}
  right: {{step: verify, from: answers, agreement: 0.5}}
  good: {{step: select, from: right}}
  sampled: {{step: sample, from: asked, samples: 4}}
  banded: {{step: bands, from: sampled}}
  trained: {{step: mix, from: good, rl_inputs: [banded]}}
"""


SEARCH = """
name: searched
models: {{teacher: {model}, judge: {model}}}
steps:
  asked: {{step: read, files: "{folder}/asked.parquet"}}
  paths: {{step: search, from: asked, rounds: 1, attempts: 1}}
  set: {{step: mix, from: paths}}
"""


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A build with 200 candidates for SFT, and its labels: one line for each."""
    folder = tmp_path_factory.mktemp("world")
    write_questions(world_questions(100, seed=5), folder / "asked.parquet")
    with serving_teacher() as url:
        model = f"base_url: {url}, keyless: true, prices: {{prompt: 1, completion: 2}}"
        roles = ("teacher", "judge", "student")
        given = {name: f"{{model: the {name}, {model}}}" for name in roles}
        (folder / "world.yaml").write_text(PIPELINE.format(folder=folder, **given))
        build(load_pipeline(folder / "world.yaml"), folder / "out")
    with (folder / "labels.jsonl").open("w", encoding="utf-8") as file:
        for each in read_candidates(folder / "out/good.parquet"):
            name = {"id": each.question.id, "sample": each.sample, "model": each.model}
            found = truth(each.question, each.reasoning or "", each.response)
            file.write(json.dumps(name | found._asdict()) + "\n")
    facts = write_card(folder / "out", truth=folder / "labels.jsonl")
    return folder, facts


def counted(rows, good):
    """Return good and kept, bad and kept, good and dropped, bad and dropped."""
    cells = [0, 0, 0, 0]
    for row, kept in rows:
        found = truth(row.question, row.reasoning or "", row.response)
        cells[(not kept) * 2 + (not good(found))] += 1
    return cells


def told(found):
    return [found[key] for key in ("good_kept", "bad_kept", "good_dropped", "bad_dropped")]


def test_precision_and_recall_are_those_of_the_teachers_truth(world):
    folder, facts = world
    verify, select, both = facts["quality"]["filters"]
    rows = [row for row in read_candidates(folder / "out/good.parquet") if "verify" in row.notes]
    right = [(row, not row.dropped.startswith("verify")) for row in rows]
    assert told(verify["overall"]) == counted(right, lambda found: found.right)
    assert verify["overall"]["precision"]["rate"] == 1.0  # rules find what is right
    came = [(row, not row.dropped) for row in rows if "select" in row.notes]
    assert told(select["overall"]) == counted(came, all)
    assert select["overall"]["keep_all"]["precision"]["k"] == sum(
        all(truth(row.question, row.reasoning or "", row.response)) for row, _ in came
    )
    assert (
        select["overall"]["precision"]["low"] > (select["overall"]["keep_all"]["precision"]["high"])
    )
    assert told(both["overall"]) == counted([(row, not row.dropped) for row in rows], all)
    assert sorted(select["by_language"]) == ["en", "zh"]


def test_what_the_student_answered_is_told_though_its_answers_are_in_no_set(world):
    _, facts = world
    answers = {each["model"]: each for each in facts["answers"]}
    student = answers["the student"]
    assert student["outcomes"]["right"]["n"] == 400
    assert 0.6 < student["outcomes"]["right"]["rate"] < 0.95
    assert sum(entry["questions"] for entry in student["passed"]) == 100
    assert {entry["of"] for entry in student["passed"]} == {4}
    assert sum(entry["questions"] for entry in answers["the teacher"]["passed"]) == 100
    assert facts["by"]["set"].keys() == {"world"}


def test_what_was_spent_is_what_the_steps_say(world):
    folder, facts = world
    manifest = json.loads((folder / "out/manifest.json").read_text(encoding="utf-8"))
    spent = [
        each for step in manifest["steps"] for each in step["report"].get("spent", {}).values()
    ]
    assert sum(each["cost"] for each in facts["spent"]) == sum(each["cost"] for each in spent) > 0
    assert {(each["name"], each["role"]) for each in facts["spent"]} == {
        ("answers", "teacher"), ("right", "judge"), ("good", "judge"), ("sampled", "student"),
    }  # fmt: skip
    agreement = facts["judge"]["agreement"]
    assert agreement["same"]["n"] > 50 and agreement["same"]["rate"] > 0.8


def test_a_search_and_its_judge_are_measured_against_the_truth(tmp_path):
    asked = world_questions(120, seed=3)
    asked[60:] = map(opened_question, asked[60:])
    write_questions(asked, tmp_path / "asked.parquet")
    with serving_teacher(seed=3, judge_errs=0.2, guess=1.0) as url:
        model = f"{{model: teacher, base_url: {url}, keyless: true}}"
        (tmp_path / "s.yaml").write_text(SEARCH.format(folder=tmp_path, model=model))
        build(load_pipeline(tmp_path / "s.yaml"), tmp_path / "out")
    write_labels(tmp_path / "out/paths.parquet", tmp_path / "labels.jsonl")
    quality = write_card(tmp_path / "out", truth=tmp_path / "labels.jsonl")["quality"]
    right, sound = quality["filters"]
    rows = [(row, not row.dropped) for row in read_candidates(tmp_path / "out/paths.parquet")]
    assert len(rows) == right["overall"]["labelled"] == 120
    assert told(right["overall"]) == counted(rows, lambda found: found.right)
    assert told(sound["overall"]) == counted(rows, all)
    assert right["overall"]["precision"]["low"] > right["overall"]["keep_all"]["precision"]["high"]
    rules, judge = quality["decided"]["rules"], quality["decided"]["judge"]
    assert rules["precision"]["rate"] == rules["recall"]["rate"] == 1.0
    assert judge["bad_kept"] > 0 and judge["bad_dropped"] > 0
    page = (tmp_path / "out/card.md").read_text("utf-8")
    assert "search: right and sound" in page and "No step filtered" not in page
