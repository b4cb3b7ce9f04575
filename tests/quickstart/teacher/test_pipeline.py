"""The steps of the data methods over the teacher: what they keep, against the truth.

The bounds are those of the stated rates, four standard deviations wide.
"""

import json
import math

import pytest

from dianjin_ext.data.candidate import read_candidates
from dianjin_ext.data.run_step import run_step
from dianjin_ext.data.steps import distill, merge_agents, rewrite, sample, search, select, verify
from dianjin_ext.data.steps.settings import (
    Distill,
    MergeAgents,
    Rewrite,
    Sample,
    Search,
    Select,
    Verify,
)
from dianjin_ext.inference.settings import read_settings
from dianjin_ext.questions.question import Question, read_questions, write_questions
from dianjin_ext.quickstart import world
from dianjin_ext.quickstart.teacher import serving_teacher, truth, world_questions
from dianjin_ext.quickstart.teacher.files import write_labels
from dianjin_ext.quickstart.teacher.rates import Rates

for module in ("pyarrow", "aiohttp", "openai", "tenacity"):
    pytest.importorskip(module)

COUNT = 300
USUAL = Rates()


@pytest.fixture
def run(tmp_path):
    """Return a function that runs a step on a file and returns the path of its output."""

    def one(step, source, settings, url):
        model = {"model": "teacher", "base_url": url, "keyless": True, "max_in_flight": 64}
        asked = read_settings(model | {"state_dir": str(tmp_path / "state")}, "model")
        models = dict.fromkeys(step.roles, asked)
        out = tmp_path / f"{source.stem}-{step.name}.parquet"
        journal = tmp_path / out.stem
        run_step(step, [source], out, settings=settings, models=models, journal=journal)
        return out

    return one


@pytest.fixture
def questions(tmp_path):
    path = tmp_path / "world.parquet"
    write_questions(world_questions(COUNT, seed=3), path)
    return path


def within(found, of, share):
    """Whether a count is what a share of so many would give, four standard deviations wide."""
    return abs(found - of * share) <= 4 * math.sqrt(of * share * (1 - share)) + 1e-9


def labelled(path):
    """Yield each candidate with what is true of it and whether it is kept."""
    for candidate in read_candidates(path):
        found = truth(candidate.question, candidate.reasoning or "", candidate.response)
        yield candidate, found, not candidate.dropped


def test_a_teachers_answers_are_right_and_sound_at_the_stated_rates(run, questions):
    with serving_teacher() as url:
        rows = list(labelled(run(distill.STEP, questions, Distill(samples=2), url)))
    assert len(rows) == 2 * COUNT
    cut = sum(candidate.finish_reason == "length" for candidate, *_ in rows)
    assert within(cut, len(rows), USUAL.cut)
    whole = [found for candidate, found, _ in rows if candidate.finish_reason == "stop"]
    right = sum(found.right for found in whole)
    assert within(right, len(whole), (1 - USUAL.no_answer) * (1 - USUAL.wrong))
    sound = sum(found.right and found.sound for found in whole)
    assert within(sound, right, 1 - USUAL.broken)
    # wrong reasoning leads to the wrong answer
    assert sum(found.sound and not found.right for found in whole) <= 4 * USUAL.no_answer * COUNT
    languages = {candidate.question.language for candidate, *_ in rows}
    assert languages == {"zh", "en"}


def test_verify_and_select_keep_what_the_stated_rates_say(run, questions):
    with serving_teacher() as url:
        given = run(distill.STEP, questions, Distill(samples=2), url)
        plain = list(labelled(run(verify.STEP, given, Verify(), url)))
        judged = run(verify.STEP, given, Verify(reasoning=True), url)
        checked = list(labelled(judged))
        selected = list(labelled(run(select.STEP, judged, Select(), url)))
    # the rules alone keep the right answers and nothing else
    assert all(kept == found.right for _, found, kept in plain)
    good = [kept for _, found, kept in checked if found == (True, True)]
    bad = [kept for _, found, kept in checked if found == (True, False)]
    assert not any(kept for _, found, kept in checked if not found.right)
    heard = 1 - USUAL.judge_errs
    # of what no try of three gave a verdict is dropped; the second and third ask the same
    lost = USUAL.off_form**2
    assert within(sum(good), len(good), heard * (1 - lost))
    assert within(sum(bad), len(bad), USUAL.judge_errs * (1 - lost))
    passed = [
        after
        for (_, f, before), (*_, after) in zip(checked, selected, strict=True)
        if before and f.sound
    ]
    assert within(sum(passed), len(passed), (1 - USUAL.criteria_err) ** 7 * (1 - lost))
    kept = [found.sound for _, found, kept in selected if kept]
    assert precision_is_above(kept, 0.98)


def precision_is_above(kept, share):
    return sum(kept) >= len(kept) * share - 4 * math.sqrt(len(kept) * share * (1 - share))


def test_selection_by_criteria_is_right_where_nobody_errs(run, questions, rates):
    with serving_teacher(**rates(wrong=0.3, broken=0.5)) as url:
        given = run(distill.STEP, questions, Distill(), url)
        verified = run(verify.STEP, given, Verify(), url)
        rows = list(labelled(run(select.STEP, verified, Select(), url)))
    assert all(kept == (found == (True, True)) for _, found, kept in rows)
    assert {kept for *_, kept in rows} == {True, False}


def test_selection_keeps_the_lucky_guesses_of_what_the_teacher_does_not_know(run, questions, rates):
    hard = world.hard_titles(seed=4)
    names = {name for title in hard for name in title}
    with serving_teacher(seed=4, **rates(guess=1)) as url:
        given = run(distill.STEP, questions, Distill(samples=4), url)
        judged = run(verify.STEP, given, Verify(reasoning=True), url)
        rows = list(labelled(run(select.STEP, judged, Select(), url)))
    assert all(kept == (found == (True, True)) for _, found, kept in rows)
    one = [
        (found, kept)
        for candidate, found, kept in rows
        if len(names.intersection(candidate.question.choices.values())) == 1
    ]
    assert within(sum(kept for _, kept in one), len(one), 1 / 5)
    assert any(found == (True, False) for found, _ in one)


def test_rewritten_questions_are_those_that_hold(run, questions, rates):
    with serving_teacher(**rates(rewrite_errs=0.3)) as url:
        out = run(rewrite.STEP, questions, Rewrite(), url)
        found = list(read_questions(out))
        assert within(len(found), COUNT, 0.7)
        answers = run(distill.STEP, out, Distill(), url)
        rows = list(labelled(run(verify.STEP, answers, Verify(reasoning=True), url)))
        assert all(kept and found == (True, True) for _, found, kept in rows)
    assert {q.language for q in found} == {"zh", "en"}
    removed = out.with_suffix(".removed.jsonl").read_text("utf-8")
    for reason in ("contains_answer", "refers_to_options", "answer_changed"):
        assert reason in removed


def test_wrong_answers_to_open_questions_are_found_by_the_judge(run, questions, rates):
    with serving_teacher(**rates(wrong=0.5, judge_errs=0.1)) as url:
        opened = run(rewrite.STEP, questions, Rewrite(), url)
        rows = list(
            labelled(run(verify.STEP, run(distill.STEP, opened, Distill(), url), Verify(), url))
        )
    wrong = [kept for _, found, kept in rows if not found.right]
    assert within(sum(wrong), len(wrong), 0.1)
    # what the rules find right, nobody asks the judge about
    assert all(kept for _, found, kept in rows if found.right)


def test_a_search_ends_with_right_and_sound_reasoning(run, questions, rates):
    with serving_teacher(**rates(wrong_thought=0.5)) as url:
        rows = list(labelled(run(search.STEP, questions, Search(), url)))
    assert all(kept == (found == (True, True)) for _, found, kept in rows)
    assert within(sum(kept for *_, kept in rows), COUNT, 1 - 0.5**12)
    rounds = [len(candidate.notes["search"]["rounds"]) for candidate, *_ in rows]
    assert within(sum(number == 1 for number in rounds), COUNT, 0.5)
    turned = [c for (c, *_), number in zip(rows, rounds, strict=True) if number == 2]
    assert all(c.reasoning.count("题目问") + c.reasoning.count("Asked") == 2 for c in turned)


def test_samples_in_the_layout_of_training_are_graded_as_they_are(run, questions, rates):
    with serving_teacher(**rates(wrong=0.5)) as url:
        rows = list(labelled(run(sample.STEP, questions, Sample(samples=4), url)))
    assert len(rows) == 4 * COUNT
    assert all(kept == found.right for _, found, kept in rows)
    assert within(sum(found.right for _, found, _ in rows), len(rows), 0.5)
    assert {candidate.right for candidate, *_ in rows} == set(range(5))


def test_the_record_of_agents_is_merged(run, tmp_path, rates):
    path = tmp_path / "ccc.parquet"
    steps = "记录员：客服{}风险。\n审核员：准则要求说明风险。\n结论：{}"
    cases = [("说明了", "合规"), ("没有说明", "不合规")]
    write_questions(
        [
            Question(
                id=f"ccc/{number}",
                data_source="ccc",
                question=f"客服：编号 {number} 的产品……\n\n以上对话中的客服是否合规？"
                "请回答“合规”或“不合规”。",
                kind="label",
                labels=("合规", "不合规"),
                answer=answer,
                reasoning=steps.format(said, answer),
            )
            for number, (said, answer) in enumerate(cases * 50)
        ],
        path,
    )
    with serving_teacher(**rates(wrong=0.3)) as url:
        rows = list(read_candidates(run(merge_agents.STEP, path, MergeAgents(), url)))
    kept = [candidate for candidate in rows if not candidate.dropped]
    assert within(len(kept), len(rows), 0.7)
    assert all("审核员" not in candidate.reasoning for candidate in kept)


def test_labels_of_candidates_are_the_truth(run, questions, tmp_path):
    out = tmp_path / "labels.jsonl"
    with serving_teacher() as url:
        given = run(distill.STEP, questions, Distill(samples=2), url)
    assert write_labels(given, out) == 2 * COUNT
    found = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    for (candidate, known, _), label in zip(labelled(given), found, strict=True):
        assert label == {"id": candidate.question.id, "sample": candidate.sample, **known._asdict()}
