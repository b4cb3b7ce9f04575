import json
import signal
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from dianjin_ext import __version__
from dianjin_ext.cli import app
from dianjin_ext.questions.question import Question, read_questions, write_questions
from dianjin_ext.questions.readers import READERS

COMMANDS = (
    *(
        "audit",
        "bands",
        "build",
        "card",
        "check-data",
        "decontaminate",
        "distill",
        "doctor",
        "eval",
    ),
    *("eval", "init", "merge", "merge-agents", "mix", "prepare", "quickstart", "recipe"),
    *("report", "reward-server", "rewrite", "sample", "score", "search", "select"),
    *("train-verifier", "verify"),
)
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


@pytest.mark.parametrize("command", [[], *([name] for name in COMMANDS)], ids=" ".join)
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


def test_an_error_says_a_name_as_it_is_where_it_looks_like_an_emoji():
    done = dianjin("score", "a:x:b.jsonl", "--out", "c")
    assert done.returncode == 1 and "a:x:b.jsonl" in done.stderr


@pytest.mark.parametrize("command", [["chat", "--model", "m"], ["doctor", "--server", "h"]])
def test_a_command_without_its_packages_names_the_extra(command):
    code = (
        "import sys; sys.modules['httpx'] = None; from dianjin_ext.cli import main;"
        f"sys.argv[1:] = {command}; main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.endswith(" needs httpx; pip install 'dianjin-ext[ask]'\n")


def test_wrong_usage_is_exit_code_2():
    done = dianjin("merge", "--no-such-option")
    assert done.returncode == 2
    assert "No such option" in done.stderr


def test_prepare_lists_data_sets_and_says_what_is_missing(tmp_path):
    done = dianjin("prepare", "list")
    assert done.returncode == 0
    assert all(f"{name}: " in done.stdout for name in READERS)
    for arguments, expected in (
        (("cfleu",), "no reader for 'cfleu'; known: cflue"),
        (("cflue",), "--out DIR"),
        (("cflue", "--out", tmp_path / "x"), "data/knowledge/knowledge.json"),
        (("own", __file__, "--out", tmp_path / "x"), "--map MAP.yaml"),
        (("cflue", __file__, "--hub", "a/b", "--out", tmp_path / "x"), "instead of files"),
        (("cflue", __file__, "--guess", tmp_path / "x"), "--guess is for files of your own"),
        (("cflue", __file__, "--out", tmp_path / "x", "--on-error", "go"), "stop, skip, quarant"),
    ):
        done = dianjin("prepare", *arguments)
        assert (done.returncode, done.stdout) == (1, "")
        assert expected in done.stderr and done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


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

    done = dianjin(
        "prepare", "cflue", file, "--out", tmp_path / "out", "--on-error", "skip", "--seed", 2
    )
    assert done.returncode == 0, done.stderr
    assert "left out: knowledge.json, row 5, answer" in done.stdout
    assert "data.train_batch_size" in done.stdout
    counts = json.loads((tmp_path / "out/counts.json").read_text(encoding="utf-8"))
    assert counts["seed"] == 2
    table = [line for line in done.stdout.splitlines() if "questions read" in line]
    assert "40" in table[0]


def test_decontaminate_says_what_is_gone_and_leaves_its_inputs_alone(tmp_path):
    train, held, out = (tmp_path / f"{name}.parquet" for name in ("train", "held", "out"))
    asked = [
        Question(id=text, data_source="exact", question=text, kind="open", answer="x")
        for text in ("什么是债券？", "什么是股票？")
    ]
    write_questions(asked, train)
    write_questions(asked[:1], held)
    done = dianjin("decontaminate", train, out, "--against", held)
    assert done.returncode == 0, done.stderr
    assert f"2 rows, 1 kept, 1 removed, 1 of {held}" in done.stdout
    assert [question.id for question in read_questions(out)] == ["什么是股票？"]
    assert (tmp_path / "out.removed.jsonl").exists()
    for given, words in ((train, "is the input"), (out, "there already")):
        done = dianjin("decontaminate", train, given, "--against", held)
        assert done.returncode == 1 and words in done.stderr


def test_score_and_check_data_end_as_the_rows_do(tmp_path):
    rows = [
        {"data_source": "cflue_mcq", "ground_truth": gold, "response": text, "prompt": text}
        for gold, text in (("A", "\\boxed{A}"), ("B", "\\boxed{A} "), ("", "?"))
    ]
    file = tmp_path / "rows.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    out = tmp_path / "out.jsonl"
    done = dianjin("score", file, "--out", out, "--preset", "fin_r1", "--strictness", "strict")
    assert done.returncode == 0, done.stderr
    assert "gold_unusable" in done.stdout
    reasons = [json.loads(line)["reason"] for line in out.read_text().splitlines()]
    assert reasons == ["no_think", "no_think", "gold_unusable"]
    done = dianjin("score", file, "--out", out, "--strictness", "lenient", "--overwrite")
    assert done.returncode == 0, done.stderr
    assert json.loads(out.read_text().splitlines()[0])["reason"] == "correct"
    done = dianjin("score", out, "--out", tmp_path / "again.jsonl")
    assert done.returncode == 1
    assert "acc: expected no such key" in done.stderr

    done = dianjin("check-data", file, "--json", tmp_path / "report.json")
    assert done.returncode == 1
    counts = json.loads((tmp_path / "report.json").read_text())["counts"]
    assert {kind for kind, n in counts.items() if n} == {"gold", "contradiction"}
    allowed = ("--allow", "gold", "--allow", "contradiction")
    assert dianjin("check-data", file, *allowed).returncode == 0
    settings = tmp_path / "reward.yaml"
    settings.write_text("numbers: {percent: sometimes}\n")
    done = dianjin("check-data", file, "--settings", settings)
    assert done.returncode == 1
    assert "numbers.percent is 'sometimes'" in done.stderr


def test_reward_server_writes_the_prompts_of_a_training(tmp_path):
    row = {"data_source": "finqa", "ground_truth": "1", "prompt": "一加零？"}
    (tmp_path / "rows.jsonl").write_text(json.dumps(row) + "\n")
    out = tmp_path / "ppo" / "finqa.json"
    out.parent.mkdir(exist_ok=True)
    done = dianjin("reward-server", "--data", tmp_path / "rows.jsonl", "--write-prompts", out)
    assert done.returncode == 0, done.stderr
    assert json.loads(out.read_text()) == [{"instruction": "一加零？", "output": ""}]


def test_an_audit_of_an_unknown_preset_fails():
    done = dianjin("audit", "fin_r2")
    assert done.returncode == 1
    assert "fin_r2" in done.stderr


@pytest.mark.long
def test_the_audit_of_our_grader_passes():
    assert dianjin("audit").returncode == 0


def test_sigterm_leaves_nothing_half_written(tmp_path):
    row = {"data_source": "cflue_mcq", "ground_truth": "A", "response": "\\boxed{A}"}
    out = tmp_path / "out.jsonl"
    command = [sys.executable, "-c", "from dianjin_ext.cli import main; main()"]
    process = subprocess.Popen(
        [*command, "score", "-", "--out", str(out)], stdin=subprocess.PIPE, stderr=subprocess.PIPE
    )
    process.stdin.write((json.dumps(row) + "\n").encode() * 20_000)
    process.stdin.flush()  # more than a pipe holds: rows are being graded, and more are awaited
    assert list(tmp_path.iterdir())
    process.terminate()
    assert process.wait(timeout=60) == 128 + signal.SIGTERM
    assert list(tmp_path.iterdir()) == []
