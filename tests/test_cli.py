import json
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from dianjin_ext import __version__
from dianjin_ext.cli import app

COMMANDS = ("doctor", "init", "merge", "prepare", "quickstart")
HEAVY = ("torch", "ray", "verl", "llamafactory", "transformers", "pyarrow", "numpy")


def dianjin(*arguments):
    code = "from dianjin_ext.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_version():
    result = CliRunner().invoke(app, ["--version"])
    assert result.exit_code == 0
    assert result.stdout.strip() == f"dianjin-ext {__version__}"


@pytest.mark.parametrize(
    "command", [[], *([name] for name in COMMANDS), ["prepare", "cflue"]], ids=" ".join
)
def test_every_command_has_help(command):
    result = CliRunner().invoke(app, [*command, "--help"])
    assert result.exit_code == 0
    if not command:
        assert all(name in result.stdout for name in COMMANDS)


def test_help_imports_nothing_heavy():
    code = (
        "import sys; from dianjin_ext.cli import app; app(['--help'], standalone_mode=False);"
        f"print([name for name in {HEAVY} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"
    assert "doctor" in done.stdout


def test_an_error_is_one_line_on_stderr_and_exit_code_1(tmp_path):
    (tmp_path / "configs").mkdir()
    done = dianjin("init", tmp_path)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == (
        f"error: {tmp_path / 'configs'} exists already; remove it or name another directory\n"
    )


def test_wrong_usage_is_exit_code_2():
    done = dianjin("prepare", "cflue")
    assert done.returncode == 2
    assert "Missing argument" in done.stderr


def test_prepare_cflue_prints_counts_and_writes_files(tmp_path):
    rows = [
        {
            "task": "判断题",
            "question": f"{i * 7919}{chr(0x4E00 + i)}{chr(0x5E00 + 3 * i)}是{i}（）",
            "choices": "{'A': '对', 'B': '错'}",
            "answer": "AB"[i % 2],
            "analysis": "因为。",
        }
        for i in range(40)
    ]
    rows[5]["answer"] = "对"
    file = tmp_path / "knowledge.json"
    file.write_text(json.dumps(rows), encoding="utf-8")
    done = dianjin("prepare", "cflue", file, "--out", tmp_path / "out")
    assert done.returncode == 1
    assert "row 5, answer: expected different letters of AB, found '对'" in done.stderr

    done = dianjin("prepare", "cflue", file, "--out", tmp_path / "out", "--skip-bad", "--seed", 2)
    assert done.returncode == 0, done.stderr
    assert "left out: row 5, answer" in done.stdout
    assert "data.train_batch_size" in done.stdout
    counts = json.loads((tmp_path / "out/counts.json").read_text(encoding="utf-8"))
    assert counts["seed"] == 2
    table = [line for line in done.stdout.splitlines() if "rows in the file" in line]
    assert "40" in table[0]
