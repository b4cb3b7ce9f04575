"""`dianjin eval --settings`: a file that names benchmarks and protocols, and what is refused."""

import pytest
from typer.testing import CliRunner

from dianjin_ext.cli import app
from dianjin_ext.evaluation import command

pytest.importorskip("openai")


@pytest.fixture
def asked(monkeypatch, tmp_path):
    """Run `dianjin eval`; returns the benchmarks and protocols that it would ask, or the error."""
    (tmp_path / "model").mkdir()

    def run(text, *words):
        found = []

        def plan(benchmarks, protocols, **_):
            found.append((list(benchmarks), list(protocols)))
            return []

        monkeypatch.setattr(command, "plan", plan)
        monkeypatch.setattr(command, "evaluate", lambda *_, **__: [])
        file = tmp_path / "eval.yaml"
        file.write_text(text, encoding="utf-8")
        done = CliRunner().invoke(
            app,
            ["eval", *words, "--settings", str(file), "--model", str(tmp_path / "model"),
             "--out", str(tmp_path / "out")],
        )  # fmt: skip
        return found[0] if found else str(done.exception)

    return run


def test_a_file_names_them_and_the_command_line_others(asked):
    both = "benchmarks: [finqa, tfns]\nprotocols: [fin_r1, docmath]\n"
    assert asked(both) == (["finqa", "tfns"], ["fin_r1", "docmath"])
    assert asked(both, "convfinqa") == (["convfinqa"], ["fin_r1", "docmath"])
    assert asked(both, "--protocol", "fino1") == (["finqa", "tfns"], ["fino1"])
    assert asked("benchmarks: [finqa]\n") == (["finqa"], ["dianjin_r1"])
    assert asked("", "finqa") == (["finqa"], ["dianjin_r1"])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "name a benchmark, or a file that does"),
        ("benchmarks: finqa\n", "benchmarks: expected a list of names"),
        ("benchmarks: [finqa]\nprotocols: {a: b}\n", "protocols: expected a list of names"),
        ("benchmark: [finqa]\n", "expected a mapping with model, judge, benchmarks, protocols"),
    ],
)
def test_what_is_refused(asked, text, words):
    assert words in asked(text)
