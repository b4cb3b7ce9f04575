"""`dianjin recipe`: what it shows, and what it refuses."""

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
