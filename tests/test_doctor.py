"""Broken installations, made for real: blocked modules, other versions, switches, crashes."""

import importlib.util
import os
import subprocess
import sys
from itertools import takewhile
from pathlib import Path

import pytest

from dianjin_ext.hosts.doctor import checks, diagnose, healthy
from dianjin_ext.hosts.doctor.evaluators import check_antlr
from dianjin_ext.hosts.doctor.requirements import check_host, check_optional, installed
from dianjin_ext.hosts.doctor.run import run_probe

ROOT = Path(__file__).resolve().parents[1]
SABOTAGE = """
import os, signal, sys

class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            {action}

sys.meta_path.insert(0, Finder())
"""
HIDE = "raise ModuleNotFoundError('hidden on purpose', name=name)"
CRASH = "os.kill(os.getpid(), signal.SIGSEGV)"


def search_first(monkeypatch, folder):
    """Put a folder before all others on the module path of every process that is started."""
    paths = filter(None, [str(folder), os.environ.get("PYTHONPATH")])
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(paths))


@pytest.fixture
def use(monkeypatch):
    """Run probes with the environment of the given host, this one or its neighbour in .venv."""

    def choose(host):
        python = ROOT / ".venv" / host / "bin" / "python"
        if importlib.util.find_spec(host):
            python = Path(sys.executable)
        elif not python.exists():
            pytest.skip(f"{host} is neither in this environment nor in .venv/{host}")
        monkeypatch.setattr(sys, "executable", str(python))
        for variable in ("VERL_USE_EXTERNAL_PLUGINS", "TORCH_DEVICE_BACKEND_AUTOLOAD"):
            monkeypatch.delenv(variable, raising=False)
        return python

    return choose


@pytest.fixture
def sabotage(tmp_path, monkeypatch):
    """Make the import of a module fail in every process that is started."""

    def break_module(module, action=HIDE):
        (tmp_path / "sitecustomize.py").write_text(SABOTAGE.format(module=module, action=action))
        search_first(monkeypatch, tmp_path)

    return break_module


@pytest.fixture
def pretend(tmp_path, monkeypatch):
    """Put the metadata of a distribution before the installed ones, here and in new processes."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(str(site))
    search_first(monkeypatch, site)

    def distribution(name, version, *requires, entry_points=""):
        info = site / f"{name.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
        lines += [f"Requires-Dist: {requirement}" for requirement in requires]
        (info / "METADATA").write_text("\n".join(lines) + "\n")
        (info / "entry_points.txt").write_text(entry_points)
        importlib.invalidate_caches()

    return distribution


def problems(findings):
    return {f.subject: f.text for f in findings if f.level == "problem"}


def without_probes():
    """Return the findings that need no import of a host."""
    last = "deepspeed"
    findings = list(takewhile(lambda f: f.subject != last, diagnose()))
    assert all(f.mend for f in findings if f.level in ("warning", "problem"))
    return findings


# Whole runs on good installations


@pytest.mark.slow
@pytest.mark.parametrize(
    ("host", "last"),
    [
        ("verl", "verl trainer: dianjin_sync is"),
        ("llamafactory", "LLaMA-Factory hook: template and data-set names are registered"),
        ("evalscope", "takes our 17 benchmarks"),
    ],
)
def test_a_good_installation(use, host, last):
    done = subprocess.run(
        [use(host), "-c", "from dianjin_ext.cli import main; main()", "doctor"],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert last in done.stdout
    assert "a right response scores 1.0, a wrong one 0.0" in done.stdout
    assert done.stdout.splitlines()[-1] == "the installation is fine"


# verl


@pytest.mark.slow
def test_verl_hides_a_plugin_that_fails_and_doctor_does_not(use, sabotage):
    use("verl")
    sabotage("dianjin_ext.hosts.verl.imports")
    findings = run_probe("verl")
    assert problems(findings) == {
        "verl plug-in": "failed to load: ModuleNotFoundError: hidden on purpose"
    }
    assert any(f.level == "ok" and f.subject == "verl" for f in findings)


@pytest.mark.slow
def test_a_trainer_that_lacks_what_verl_does_not_declare(use, sabotage):
    use("verl")
    sabotage("transfer_queue")
    text = problems(run_probe("verl"))["verl trainer"]
    assert text == "does not import: ModuleNotFoundError: hidden on purpose"


@pytest.mark.slow
def test_a_reward_manager_that_fails_to_register(use, sabotage):
    use("verl")
    sabotage("dianjin_ext.hosts.verl.reward_manager")
    assert "hidden on purpose" in problems(run_probe("verl"))["verl plug-in"]


@pytest.mark.slow
@pytest.mark.parametrize("policy", ["none", "other,another"])
def test_a_plugin_kept_out_by_verls_policy(use, monkeypatch, policy):
    use("verl")
    monkeypatch.setenv("VERL_USE_EXTERNAL_PLUGINS", policy)
    assert problems(run_probe("verl")) == {
        "verl plug-in": f"kept out by VERL_USE_EXTERNAL_PLUGINS={policy}"
    }


def test_verl_that_does_not_import(use, sabotage):
    use("verl")
    sabotage("tensordict")
    assert "does not import: ModuleNotFoundError: hidden" in problems(run_probe("verl"))["verl"]


def test_a_crash_while_importing_is_reported(use, sabotage):
    use("verl")
    sabotage("verl", CRASH)
    (finding,) = run_probe("verl")
    assert finding.level == "problem"
    assert "signal SIGSEGV" in finding.text
    assert "import verl" in finding.mend


def test_an_import_that_hangs_is_reported(use, sabotage):
    use("verl")
    sabotage("verl", "import time; time.sleep(600)")
    (finding,) = run_probe("verl", timeout=2)
    assert (finding.level, finding.subject) == ("problem", "verl")
    assert "took over 2 s" in finding.text


# LLaMA-Factory


@pytest.mark.slow
def test_a_hook_that_is_switched_off(use, monkeypatch):
    use("llamafactory")
    monkeypatch.setenv("TORCH_DEVICE_BACKEND_AUTOLOAD", "0")
    findings = run_probe("llamafactory")
    assert (
        "switched off by TORCH_DEVICE_BACKEND_AUTOLOAD=0"
        in problems(findings)["LLaMA-Factory hook"]
    )
    assert not healthy(findings)


@pytest.mark.slow
def test_a_hook_that_fails_and_a_transformers_that_llamafactory_refuses(use, sabotage, tmp_path):
    use("llamafactory")
    sabotage("dianjin_ext.hosts.llamafactory.templates")
    info = tmp_path / "transformers-4.40.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: transformers\nVersion: 4.40.0\n")
    found = problems(run_probe("llamafactory"))
    assert "hidden on purpose" in found["LLaMA-Factory hook"]
    assert "transformers==4.40.0" in found["llamafactory"]


# Versions and entry points, told from metadata alone


def test_no_host(monkeypatch):
    monkeypatch.setattr(checks, "HOSTS", ())
    findings = without_probes()
    assert problems(findings) == {"hosts": "neither verl nor LLaMA-Factory is installed"}
    assert not healthy(findings)


def test_requirements_out_of_range_and_missing(pretend):
    pretend("verl", "0.9.1", "transformers<5.11,>=5.5.3", "nowhere-to-be-found", "vllm; extra=='x'")
    pretend("transformers", "4.51.0")
    found = problems(check_host("verl"))
    assert found["transformers"] == "4.51.0 is installed, but verl needs <5.11,>=5.5.3"
    assert found["nowhere-to-be-found"] == "not installed, but verl needs it"
    assert "vllm" not in found


def test_what_verl_needs_without_declaring_it(pretend):
    pretend("verl", "0.9.1")
    pretend("accelerate", "1.11.0")
    pretend("TransferQueue", "0.1.2")
    found = problems(check_host("verl"))
    assert found["accelerate"] == "1.11.0 is installed, but dianjin-ext[verl] needs >=1.13"
    assert "0.1.2 is installed" in found["TransferQueue"]


def test_another_version_than_the_tested_one_is_a_warning(pretend):
    pretend("verl", "0.9.2")
    pretend("torch", "2.12.0")
    warned = {f.subject: f.text for f in check_host("verl") if f.level == "warning"}
    assert warned["verl"] == "0.9.2 is installed, but dianjin-ext[verl] needs ==0.9.1"
    assert "torch" in warned


def test_both_hosts_in_one_environment(pretend):
    pretend("verl", "0.9.1", "accelerate")
    pretend("llamafactory", "0.9.5", "accelerate<=1.11.0,>=1.3.0")
    pretend("accelerate", "1.11.0")
    found = problems(without_probes())
    assert "share one environment" in found["hosts"]
    assert "accelerate 1.11.0 is installed" in found["hosts"]
    assert "dianjin-ext[verl] needs >=1.13" in found["accelerate"]


def test_verl_and_evalscope_in_one_environment(pretend):
    pretend("verl", "0.9.1")
    pretend("hydra-core", "1.3.8", "antlr4-python3-runtime==4.9.*")
    pretend("evalscope", "1.14.1", "math-verify[antlr4_13_2]==0.9.0")
    pretend("antlr4-python3-runtime", "4.13.2")
    found = problems(without_probes())
    assert "verl and EvalScope 1.14.1 share one environment" in found["evalscope"]
    assert "(antlr4==4.9.*)" in found["evalscope"]
    assert "4.13.2 is installed" in found["evalscope"]


@pytest.mark.skipif(installed("evalscope") is not None, reason="EvalScope is here")
def test_an_antlr_that_evalscope_left_behind(pretend):
    pretend("hydra-core", "1.3.8", "antlr4-python3-runtime==4.9.*")
    pretend("antlr4-python3-runtime", "4.13.2")
    (finding,) = check_antlr()
    assert (finding.level, finding.subject) == ("problem", "antlr4-python3-runtime")
    assert finding.text == "4.13.2 is installed, but hydra, which verl uses, needs ==4.9.*"


def test_an_environment_for_evaluation_alone(pretend, monkeypatch):
    monkeypatch.setattr(checks, "HOSTS", ())
    pretend("evalscope", "1.14.1")
    pretend("inspect-ai", "0.3.285")
    findings = without_probes()
    assert not problems(findings)
    found = {f.subject: f.text for f in findings if f.level == "ok"}
    assert found["evalscope"].startswith("1.14.1 found; python -m dianjin_ext.hosts.evalscope")
    assert "inspect eval dianjin_ext/NAME" in found["inspect-ai"]


def test_optional_packages(pretend):
    pretend("vllm", "0.8.2")
    pretend("deepspeed", "0.18.4")
    findings = {f.subject: f for f in check_optional()}
    assert findings["vllm"].level == "warning"
    assert findings["vllm"].mend == "pip install 'vllm==0.24.0'"
    assert (findings["deepspeed"].level, findings["deepspeed"].text) == ("info", "0.18.4")


@pytest.mark.parametrize(
    ("group", "host"), [("verl.plugins", "verl"), ("torch.backends", "llamafactory")]
)
def test_entry_points_missing_or_twice(pretend, monkeypatch, group, host):
    pretend(host, "0.9")
    monkeypatch.setattr(checks, "HOSTS", (host,))
    pretend("dianjin-fork", "1.0", entry_points=f"[{group}]\ndianjin = elsewhere:install\n")
    assert problems(without_probes())[host] == "2 installations of dianjin-ext"
    monkeypatch.setattr(checks, "entry_points", lambda group: [])
    assert problems(without_probes())[host] == f"no entry point in group {group}"


def test_recipes_missing_and_a_grader_that_is_wrong(monkeypatch, tmp_path):
    monkeypatch.setattr("dianjin_ext.resources.__file__", os.fspath(tmp_path / "resources.py"))
    monkeypatch.setattr("dianjin_ext.rewards.compute_score", lambda *_: {"score": 1.0})
    found = problems(without_probes())
    assert "missing or empty" in found["configs"]
    assert "missing or empty" in found["examples"]
    assert found["rewards"] == "a right response scores 1.0, a wrong one 1.0"
