"""A third party's package, installed for real, and one that is broken."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SAMPLE = Path(__file__).with_name("plugin")
RESPONSE = "<think>See [1].</think><answer>\\boxed{BBB}</answer>"


@pytest.fixture(scope="module")
def install(tmp_path_factory):
    """A function that installs package folders into a folder for PYTHONPATH."""
    if not shutil.which("uv"):
        pytest.skip("uv is not installed")

    def make(*sources):
        folder = tmp_path_factory.mktemp("installed")
        # a copy, since building leaves files behind
        copies = [shutil.copytree(s, tmp_path_factory.mktemp("source") / s.name) for s in sources]
        command = ["uv", "pip", "install", "-q", "--no-deps", "--no-build-isolation"]
        command += ["--python", sys.executable, "--target", folder, *copies]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return folder

    return make


@pytest.fixture(scope="module")
def installed(install):
    return install(SAMPLE)


@pytest.fixture(scope="module")
def with_broken(install, tmp_path_factory):
    """The sample beside a plug-in whose import fails."""
    broken = tmp_path_factory.mktemp("broken") / "plugin"
    shutil.copytree(SAMPLE, broken)
    pyproject = broken / "pyproject.toml"
    text = pyproject.read_text(encoding="utf-8")
    pyproject.write_text(text.replace("harbour", "sunken"), encoding="utf-8")
    (broken / "harbour_bank_rewards.py").unlink()
    (broken / "sunken_bank_rewards.py").write_text("raise RuntimeError('no licence found')\n")
    return install(SAMPLE, broken)


def python(code, folder, *arguments):
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
    )


def results(code, folder):
    done = python(f"import json\n{code}", folder)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), done.stderr


def test_an_installed_reward_is_known_and_grades(installed):
    code = f"""
from dianjin_ext.rewards import compute_score, gold_response, reward_names
grade = lambda gold: compute_score("harbour_bank/rating", {RESPONSE!r}, gold)
rows = [grade("BBB"), grade("BB"), grade("Aaa")]
print(json.dumps(["harbour_bank/rating" in reward_names(), *(row["reason"] for row in rows),
                  gold_response("harbour_bank/rating", "AA").count("AA")]))
"""
    (known, *reasons, golds), _ = results(code, installed)
    assert known
    assert reasons == ["correct", "wrong", "gold_unusable"]
    assert golds == 1


def test_an_installed_component_has_a_weight_and_settings(installed):
    code = f"""
from dianjin_ext.rewards import compute_score
def grade(**settings):
    return compute_score("harbour_bank/rating", {RESPONSE!r}, "BBB", **settings)
weights = {{"acc": 1.0, "harbour_sources": 0.5}}
rows = [grade(weights=weights),
        grade(weights=weights, components={{"harbour_sources": {{"enough": 1}}}})]
try:
    grade(weights=weights, components={{"harbour_sources": {{"enuogh": 1}}}})
except Exception as error:
    print(json.dumps([[row["score"], row["harbour_sources"]] for row in rows] + [str(error)]))
"""
    (half, full, error), _ = results(code, installed)
    assert half == [1.25, 0.5]
    assert full == [1.5, 1.0]
    assert "enuogh" in error


def test_the_command_line_knows_it_too(installed, tmp_path):
    rows = tmp_path / "rows.jsonl"
    row = {"data_source": "harbour_bank/rating", "response": RESPONSE, "ground_truth": "BBB"}
    rows.write_text(json.dumps(row) + "\n")
    code = "from dianjin_ext.cli import main; main()"
    arguments = ["score", rows, "--out", tmp_path / "out.jsonl", "--workers", 2]
    done = python(code, installed, *arguments)
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "out.jsonl").read_text())["reason"] == "correct"


def test_a_broken_plugin_is_logged_and_named_where_it_is_missed(with_broken):
    code = f"""
from dianjin_ext.rewards import compute_score
from dianjin_ext.errors import DianjinError
row = compute_score("harbour_bank/rating", {RESPONSE!r}, "BBB")
try:
    compute_score("sunken_bank/rating", {RESPONSE!r}, "BBB")
except DianjinError as error:
    print(json.dumps([row["reason"], str(error)]))
"""
    (reason, error), log = results(code, with_broken)
    assert reason == "correct"
    assert "data_source 'sunken_bank/rating' has no reward; known: " in error
    assert "The plug-in 'sunken_bank' failed: RuntimeError: no licence found." in error
    assert log.count("the reward plug-in 'sunken_bank' (sunken_bank_rewards) can't be loaded") == 1
    assert "Traceback" not in log


def test_doctor_lists_the_plugins(with_broken):
    code = """
from dianjin_ext.hosts.doctor.checks import _plugins
from dataclasses import asdict
print(json.dumps([asdict(finding) for finding in _plugins()]))
"""
    findings, _ = results(code, with_broken)
    told = {(finding["level"], finding["text"]) for finding in findings}
    assert ("ok", "plug-in harbour_bank (harbour_bank_rewards) loaded") in told
    assert ("problem", "plug-in sunken_bank: RuntimeError: no licence found") in told
