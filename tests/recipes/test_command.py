"""`dianjin recipe`: what it shows, and what it refuses."""

import shutil
import subprocess
from pathlib import Path

from typer.testing import CliRunner

from dianjin_ext.cli import app
from dianjin_ext.recipes import get_recipe, recipe_names

ROOT = Path(__file__).resolve().parents[2]
STAGES = [(name, stage) for name in recipe_names() for stage in get_recipe(name).stages]


def called(*words):
    done = CliRunner().invoke(app, ["recipe", *words])
    return done.exit_code, done.output, done.exception


def test_the_command_lists_shows_and_refuses(monkeypatch):
    monkeypatch.chdir(ROOT)
    for words in ((), ("fin_r1",), ("fin_r1", "rl")):
        code, output, _ = called(*words)
        assert code == 0
        assert ("main_ppo" in output) == bool(words)
    assert "# merge" in called("fin_r1")[1]
    for words, said in (
        (("fin_r2",), "there is no recipe 'fin_r2'; known: deepseek_distill"),
        (("fin_r1", "rll"), "fin_r1 has no stage 'rll'; its stages: data, sft"),
        (("fin_r1", "rl", "--size", "9b"), "there is no size '9b'; known: 32b, 7b"),
        (("fin_r1", "rl", "--method", "x"), "there is no method 'x'; known: cispo"),
        (("fin_r1", "--size", "8b"), "fin_r1 starts from no model of size 8b"),
        (("fin_r1", "--null"), "--null needs a recipe and a stage"),
        (("fin_r1", "rl", "--method", "lora", "--method", "lora"), "lora is named twice"),
        (("fin_r1", "rl", "--method", "gspo", "--method", "cispo"), "gspo and cispo are losses"),
        (("fino1", "rl", "--method", "dapo"), "fino1's rl is PPO, which has no groups for dapo"),
        (("deepseek_r1_zero", "rl", "--method", "qwen3"), "a method for the layout think_only"),
        (("fin_r1", "rl", "--model", ""), "--model is empty"),
        (("fin_r1", "sft", "--model", "my model"), "'model_name_or_path=my model' has a space"),
    ):
        _, output, error = called(*words)
        assert said in str(error) and not output


def test_what_is_shown_can_be_typed(typed, monkeypatch):
    monkeypatch.chdir(ROOT)
    for name, stage in STAGES:
        (line,) = called(name, stage)[1].splitlines()
        shown = subprocess.run(
            ["bash", "-c", f"printf '%s\\0' {line}"], capture_output=True, text=True, cwd=ROOT
        ).stdout.split("\0")[:-1]
        assert [word for word in typed(name, stage)[0] if word != "env"] == shown


def test_a_file_of_the_users_own_that_is_wrong_is_left_to_its_reader(tmp_path, monkeypatch):
    shutil.copytree(ROOT / "configs", tmp_path / "configs")
    monkeypatch.chdir(tmp_path)
    pipeline = tmp_path / "configs/data/fin_r1.yaml"
    for text in ("name: x\n", "steps: {a: {step: nope}, b: 3}\nmodels: [a]\n"):
        pipeline.write_text(text)
        for words in (("--method", "qwen3"), ("--ask-url", "http://h/v1", "--ask-model", "m")):
            assert called("fin_r1", "data", *words) == (
                *(0, "dianjin build configs/data/fin_r1.yaml\n", None),
            )
    (tmp_path / "configs/method/mine.yaml").write_text("reward: 5\n")
    assert called("fin_r1", "rl", "--method", "mine")[0] == 0
    rl = tmp_path / "configs/recipe/fin_r1.yaml"
    rl.write_text("algorithm: {adv_estimator: grpo}\n")
    assert "TEMPERATURE=1 TOP_P=1" in called("fin_r1", "serve")[1]  # verl's own


def test_what_looks_like_an_emoji_stays_as_it_is(monkeypatch):
    monkeypatch.chdir(ROOT)
    assert "model.path=my:x:model" in called("fin_r1", "rl", "--model", "my:x:model")[1]
