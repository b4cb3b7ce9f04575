"""Benchmarks in inspect-ai: asked what `dianjin eval` asks, and the same verdicts, row by row."""

import os
import subprocess
import sys

import pytest

from dianjin_ext.evaluation.benchmarks import BENCHMARKS

inspect_ai = pytest.importorskip("inspect_ai")

NAMES = ["cflue_mcq", "finqa", "convfinqa", "tfns", "math_500", "finance_instruct"]


def rows_of(log):
    """Return the rows of `dianjin eval`, less the texts that stand in the log itself."""
    from dianjin_ext.hosts.whole_text import whole_text

    assert log.status == "success", log.error
    rows = []
    for sample in log.samples:
        score = sample.scores["graded"]
        rows.append({**score.metadata, "response": whole_text(sample.output.message)})
        assert score.value == rows[-1]["acc"]
        assert (score.answer, score.explanation) == (rows[-1]["pred"], rows[-1]["reason"])
    return rows


def metrics_of(log):
    return {(s.reducer or "mean"): s.metrics["accuracy"].value for s in log.results.scores}


@pytest.fixture
def run(server, tmp_path, monkeypatch):
    monkeypatch.setenv("INSPECT_LOG_DIR", str(tmp_path / "logs"))  # where verdicts are kept
    from dianjin_ext.hosts.inspect_ai.tasks import TASKS

    def _run(names, data, protocol, **given):
        tasks = [TASKS[name](str(data[name]), str(protocol), **given) for name in names]
        logs = inspect_ai.eval(
            tasks,
            model="dianjin/m",
            model_base_url=server.base_url,
            log_dir=str(tmp_path / "logs"),
            display="none",
            max_tasks=len(names),
            fail_on_error=True,
        )
        return {log.eval.task.removeprefix("dianjin_ext/"): log for log in logs}

    return _run


def test_the_same_is_asked_and_every_verdict_is_the_same(comparison, run, data, protocol):
    tasks = comparison.tasks(NAMES, data, protocol)
    comparison.answer_in_every_way(tasks)
    expected, results, asked = comparison.evaluate(tasks)
    logs = run(NAMES, data, protocol)
    assert comparison.sent() == asked
    rows = comparison.by_sample(row for log in logs.values() for row in rows_of(log))
    assert rows == expected
    assert 0.3 < sum(row["acc"] for row in expected.values()) / len(expected) < 0.9
    for result in results:
        log = logs[result["benchmark"]]
        assert log.eval.metadata["protocol"] == "mine"
        assert metrics_of(log) == {
            "mean": pytest.approx(result["accuracy"]),
            "pass_at_3": pytest.approx(result["pass_at_k"]["3"]["value"]),
        }


@pytest.mark.parametrize("judging", ["verdict", "extract"])
def test_a_judge_decides_as_in_dianjin_eval(comparison, run, data, tmp_path, judging):
    protocol, settings, (expected, _, asked) = comparison.judged(judging, data, tmp_path)
    log = run(["finqa"], data, protocol, settings=str(settings))["finqa"]
    assert comparison.sent() == asked
    assert comparison.by_sample(rows_of(log)) == expected


def test_the_command_finds_the_task_and_a_refused_question_has_no_answer(
    comparison, data, protocol, tmp_path
):
    tasks = comparison.tasks(["finqa"], data, protocol, samples=1)
    comparison.server.default = lambda body: (
        "status 400" if "shop 3" in body["messages"][-1]["content"] else "\\boxed{400}"
    )
    expected, _, asked = comparison.evaluate(tasks)
    command = [sys.executable, "-m", "inspect_ai", "eval", "dianjin_ext/finqa", "--display", "none"]
    command += ["-T", f"data={data['finqa']}", "-T", f"protocol={protocol}", "-T", "samples=1"]
    command += ["--model", "dianjin/m", "--model-base-url", comparison.server.base_url]
    command += ["--log-dir", str(tmp_path / "logs")]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=300, check=False, env=os.environ
    )
    assert done.returncode == 0, done.stdout + done.stderr
    from inspect_ai.log import list_eval_logs, read_eval_log

    (log,) = map(read_eval_log, list_eval_logs(str(tmp_path / "logs")))
    assert comparison.sent() == asked
    assert comparison.by_sample(rows_of(log)) == expected
    assert [row["id"] for row in rows_of(log) if row["outcome"] == "refused"] == ["finqa/page-3"]


def test_every_benchmark_has_a_task():
    from inspect_ai._util.registry import registry_lookup

    for name in (*BENCHMARKS, "own"):
        assert registry_lookup("task", f"dianjin_ext/{name}") is not None
