"""`dianjin train-verifier`: from candidates to a model that the reward asks."""

import asyncio
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("accelerate")
pytest.importorskip("aiohttp")
pytest.importorskip("diskcache")
pytest.importorskip("pyarrow")
pytest.importorskip("torch")
pytest.importorskip("transformers")

from dianjin_ext.errors import DianjinError
from dianjin_ext.inference.server import serving
from dianjin_ext.rewards.judged import compute_score_with_judge
from dianjin_ext.verifier.command import train_verifier
from dianjin_ext.verifier.holding_out import hold_out
from dianjin_ext.verifier.labelled import gather
from dianjin_ext.verifier.settings import read_settings

ROOT = Path(__file__).resolve().parents[2]
CONFIG = ROOT / "configs/verifier_tiny.yaml"


@pytest.fixture
def words(candidates, base, tmp_path):
    """What a training is told, with other values where some are given."""

    def words(**own):
        given = {"answers": candidates, "model": base, "out": tmp_path / "verifier", "heldout": 0.3}
        return [f"{key}={value}" for key, value in (given | {"epochs": 6} | own).items()]

    return words


@pytest.fixture
def asked(tmp_path):
    """Ask a verifier about answers as the reward of a training does; returns the rows."""

    def asked(folder, answers, **own):
        async def all_at_once(judge):
            return await asyncio.gather(
                *(
                    compute_score_with_judge(
                        question.data_source,
                        f"<think>x</think><answer>\\boxed{{{answer}}}</answer>",
                        question.answer,
                        question.extra_info,
                        judge=judge,
                    )
                    for question, answer in answers
                )
            )

        with serving(folder, log=tmp_path / "log", engine="local") as url:
            judge = {"kind": "classifier", "model": folder.name, "base_url": url, "keyless": True}
            judge |= {"cache_dir": str(tmp_path / "cache"), "deadline_s": 300.0}
            return asyncio.run(all_at_once(judge | own))

    return asked


def held_out(words):
    settings = read_settings(CONFIG, words)
    answers = gather(settings).answers
    return hold_out(answers, share=settings.heldout, seed=settings.seed)[1]


def answer_of(labelled):
    return labelled.text.rpartition("\nAnswer:\n")[2]


def test_it_learns_and_the_reward_asks_it(words, asked, one_thread, tmp_path, capsys):
    with one_thread():
        train_verifier(CONFIG, words())
    out = tmp_path / "verifier"
    told = capsys.readouterr().out
    assert "trained on: 111 right, 57 wrong answers to 168 questions" in told
    assert "labelled by: 240 judge" in told and "don't train with it" not in told
    report = json.loads((out / "verifier.json").read_text(encoding="utf-8"))
    assert report["heldout"]["all"]["better"] and report["heldout"]["open"]["better"]
    assert report["answers"]["heldout"] == {"right": 49, "wrong": 23, "questions": 72}
    assert report["heldout"]["all"]["commoner"]["value"] == pytest.approx(49 / 72)
    config = json.loads((out / "config.json").read_text(encoding="utf-8"))
    assert config["architectures"] == ["Qwen2ForSequenceClassification"]
    assert config["id2label"] == {"0": "wrong", "1": "right"}
    assert config["problem_type"] == "single_label_classification"
    assert {"model.safetensors", "tokenizer.json"} <= {path.name for path in out.iterdir()}
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []

    held = held_out(words())
    rows = asked(out, [(each.question, answer_of(each)) for each in held])
    assert all(row["judged"] == 1.0 for row in rows)
    hits = sum((row["reason"] == "correct") == e.right for row, e in zip(rows, held, strict=True))
    assert hits / len(held) == report["heldout"]["all"]["accuracy"]["value"]

    with pytest.raises(DianjinError, match=r"verifier: is there already; name another, or pass"):
        train_verifier(CONFIG, words())
    template = "{question} {answer} {gold}"
    with one_thread():
        train_verifier(CONFIG, words(template=template, epochs=0.1), overwrite=True)
    assert "don't train with it" in capsys.readouterr().out
    assert json.loads((out / "verifier.json").read_text())["template"] == template


def test_what_is_refused_before_anything_is_loaded(words, candidates, tmp_path):
    from dianjin_ext.data.candidate import read_candidates, write_candidates

    rows = list(read_candidates(candidates))
    for name, chosen, own, message in (
        ("right", [r for r in rows if not r.dropped], {}, "all 160 labelled answers are right"),
        ("few", rows[:60], {}, "too few labelled answers to train on: .* wrong, expected 20"),
        ("short", rows, {"max_tokens": 5}, "too few labelled answers"),
        ("lost", rows, {"model": tmp_path / "nothing"}, "nothing: can't be loaded"),
    ):
        file = tmp_path / f"{name}.parquet"
        write_candidates(chosen, file)
        with pytest.raises(DianjinError, match=message) as error:
            train_verifier(CONFIG, words(answers=file, **own))
        assert "\n" not in str(error.value)
    (tmp_path / "verifier").mkdir()
    (tmp_path / "verifier/mine.txt").write_text("x")
    for overwrite in (False, True):
        with pytest.raises(DianjinError, match="there is something else than a verifier"):
            train_verifier(CONFIG, words(), overwrite=overwrite)
    assert (tmp_path / "verifier/mine.txt").read_text() == "x"


def test_a_model_that_is_broken_is_one_line_and_leaves_nothing(words, base, tmp_path):
    for name, content in ("tokenizer.json", '{"x": 1}'), ("model.safetensors", "none"):
        folder = tmp_path / name.partition(".")[0]
        shutil.copytree(base, folder)
        (folder / name).write_text(content)
        with pytest.raises(DianjinError, match="can't be loaded") as error:
            train_verifier(CONFIG, words(model=folder))
        assert "\n" not in str(error.value)
    assert not (tmp_path / ".verifier.training").exists()


def test_answers_are_not_lost_with_the_verifier_that_they_lie_in(words, candidates, tmp_path):
    out = tmp_path / "verifier"
    out.mkdir()
    (out / "verifier.json").write_text("{}")
    inside = shutil.copy(candidates, out)
    with pytest.raises(DianjinError, match="is in it, and would be lost"):
        train_verifier(CONFIG, words(answers=inside), overwrite=True)


def test_a_template_that_ends_in_what_fills_batches_is_refused(words):
    with pytest.raises(DianjinError, match=r"template: the input ends in <\|endoftext\|>"):
        train_verifier(CONFIG, words(template="{gold}{answer}<|endoftext|>"))


@pytest.mark.long
def test_a_training_that_was_stopped_goes_on(words, tmp_path):
    code = "from dianjin_ext.cli import main; main()"
    command = [sys.executable, "-c", code, "train-verifier", str(CONFIG)]
    command += words(epochs=60, save_steps=10)
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL)
    work = tmp_path / ".verifier.training"
    while not list(work.glob("checkpoint-*/trainer_state.json")):
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    assert process.wait(120) == 128 + signal.SIGTERM
    assert not (tmp_path / "verifier").exists()
    (state,) = work.glob("checkpoint-*/trainer_state.json")
    before = json.loads(state.read_text())["global_step"]
    (work / "model").mkdir()  # half written
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    assert "goes on from the last checkpoint" in done.stdout
    lines = [line.split() for line in done.stderr.splitlines() if line.startswith("update ")]
    steps = [int(line[1]) for line in lines]
    assert steps and min(steps) > before
    assert (tmp_path / "verifier/verifier.json").is_file() and not work.exists()


@pytest.mark.long
def test_answers_that_the_made_up_teacher_labels(asked, one_thread, tmp_path):
    """It says so itself: of 3,000 such answers it learns too little about those left open."""
    file = ROOT / "benchmarks/verifier.py"
    spec = importlib.util.spec_from_file_location("benchmark", file)
    benchmark = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(benchmark)
    answers = benchmark.labelled_answers(tmp_path, questions=3000, seed=0)
    base = benchmark.tiny_model(tmp_path, seed=0)
    words = [f"answers={answers}", f"model={base}", f"out={tmp_path}/verifier", "epochs=8"]
    with one_thread():
        train_verifier(CONFIG, words)
    report = json.loads((tmp_path / "verifier/verifier.json").read_text(encoding="utf-8"))
    assert report["labelled_by"].keys() == {"judge", "rules"}
    found = report["heldout"]["all"]
    assert found["better"] and found["accuracy"]["low"] > found["commoner"]["high"]

    held = [each for each in held_out(words) if each.by == "judge"]
    rows = asked(tmp_path / "verifier", [(each.question, answer_of(each)) for each in held])
    hits = sum((row["reason"] == "correct") == e.right for row, e in zip(rows, held, strict=True))
    assert all(row["judged"] == 1.0 for row in rows)
    value = report["heldout"]["open"]["accuracy"]["value"]
    assert hits / len(held) == pytest.approx(value, abs=2 / len(held))
