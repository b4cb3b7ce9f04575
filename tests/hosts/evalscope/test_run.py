"""The command, killed and resumed, in a folder that is taken, with `--own`; and run_task."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter

import pytest

from dianjin_ext.errors import DianjinError
from dianjin_ext.evaluation.benchmarks import BENCHMARKS
from dianjin_ext.evaluation.protocol import _load

evalscope = pytest.importorskip("evalscope")


def start(*arguments):
    command = [sys.executable, "-m", "dianjin_ext.hosts.evalscope", *map(str, arguments)]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=os.environ
    )


def finished(process, code=0):
    stdout, _ = process.communicate(timeout=300)
    assert process.returncode == code, stdout
    return stdout


@pytest.fixture
def command(tmp_path, monkeypatch):
    """The command, in this process."""

    def run(*arguments):
        from dianjin_ext.hosts.evalscope import __main__

        given = ["evalscope", *map(str, arguments), "--model", "m", "--out", str(tmp_path / "es")]
        monkeypatch.setattr(sys, "argv", given)
        try:
            __main__.main()
        except SystemExit as ended:
            if ended.code:
                raise

    return run


def test_killed_and_resumed(comparison, ran_in, data, protocol, tmp_path):
    server, out = comparison.server, tmp_path / "es"
    tasks = comparison.tasks(["finqa"], data, protocol, samples=4)
    comparison.answer_in_every_way(tasks)
    expected, _, asked = comparison.evaluate(tasks)
    arguments = ["finqa", "--data", data["finqa"], "--protocol", protocol, "--repeats", 4]
    arguments += ["--model", "m", "--base-url", server.base_url, "--out", out, "--in-flight", 2]
    server.latency = 0.1
    process = start(*arguments)
    kept = out / "finqa.mine/predictions/m/dj_finqa_default.jsonl"
    while not kept.exists() or kept.read_bytes().count(b"\n") < 9:
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    time.sleep(2 * server.latency)
    recorded = kept.read_bytes().count(b"\n")
    assert 9 <= recorded < len(asked) == 32
    server.latency = 0.0
    first = Counter(comparison.sent())
    stdout = finished(start(*arguments))
    second = Counter(comparison.sent())
    assert stdout.rstrip().endswith("es/finqa.mine/reports/report.html")
    assert second.total() == len(asked) - recorded
    assert set(first) | set(second) == set(asked)
    assert comparison.by_sample(ran_in(out / "finqa.mine").rows) == expected


def test_another_run_in_the_same_folder_is_refused(server, run, data, protocol):
    server.default = "\\boxed{1}"
    run(["tfns"], data, protocol, limit=2)
    asked = len(server.bodies)
    (again,) = run(["tfns"], data, protocol, limit=2)
    assert len(server.bodies) == asked == 6
    assert len(again.rows) == 6
    with pytest.raises(DianjinError, match=r"tfns\.mine holds a run with other questions or set"):
        run(["tfns"], data, protocol, limit=3)
    text = data["tfns"].read_text()
    data["tfns"].write_text(text.replace("tweet 0,0", "tweet 0,1"))  # another gold answer
    with pytest.raises(DianjinError, match="holds a run with other questions or settings"):
        run(["tfns"], data, protocol, limit=2)
    data["tfns"].write_text(text)
    protocol.write_text(protocol.read_text().replace("lenient", "strict"))
    _load.cache_clear()
    with pytest.raises(DianjinError, match="holds a run with other questions or settings"):
        run(["tfns"], data, protocol, limit=2)
    assert len(server.bodies) == asked


def test_evalscopes_own_math_500_and_gpqa(server, command, tmp_path):
    problems, questions = tmp_path / "math500.jsonl", tmp_path / "gpqa_diamond.csv"
    rows = [
        {"problem": f"What is {n}/4?", "solution": "…", "answer": f"\\frac{{{n}}}{{4}}"}
        | {"subject": "Algebra", "level": n, "unique_id": f"test/{n}.json"}
        for n in range(1, 5)
    ]
    problems.write_text("".join(json.dumps(row) + "\n" for row in rows))
    names = ["Question", "Correct Answer", *(f"Incorrect Answer {n}" for n in (1, 2, 3))]
    with questions.open("w", newline="") as stream:
        csv.writer(stream).writerows([names, *([f"Q{n}?", "r", "u", "v", "w"] for n in range(6))])

    def reply(body):
        asked = body["messages"][-1]["content"]
        if "/4" in asked:
            return "<think>So.</think> \\boxed{0.5}"
        right = next(line for line in asked.splitlines() if line.endswith(") r"))
        return f"<think>So.</think> ANSWER: {right[0]}"

    server.default = reply
    arguments = ["math_500", "gpqa_diamond", "--own", "--protocol", "dianjin_r1"]
    arguments += ["--data", f"math_500={problems}", "--data", f"gpqa_diamond={questions}"]
    command(*arguments, "--base-url", server.base_url)
    scores = {}
    for name in ("math_500", "gpqa_diamond"):
        path = tmp_path / f"es/evalscope-{name}.dianjin_r1/reports/m/{name}.json"
        report = json.loads(path.read_text())
        scores[name] = report["metrics"][0]["score"], report["num"]
    assert scores == {"math_500": (0.25, 4), "gpqa_diamond": (1.0, 6)}
    assert len(server.bodies) == 10
    sampling = {(body["temperature"], body["top_p"]) for body in server.bodies}
    assert sampling == {(0.6, 0.95)}
    assert "reason step by step, and put your final answer" in str(server.bodies)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["finqua"], "no benchmark 'finqua'; known: "),
        (["nothing", "--own"], "EvalScope has no benchmark 'nothing'"),
        (["math_500", "--own", "--data", "none.jsonl"], "there is no such file or folder"),
        (["math_500", "gpqa_diamond", "--own", "--data", "x"], "say whose it is: --data math_500="),
    ],
)
def test_what_does_not_fit_is_one_line(arguments, said, command, capsys):
    with pytest.raises(SystemExit) as ended:
        command(*arguments, "--base-url", "http://127.0.0.1:9/v1")
    assert ended.value.code == 1
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith("error: ")
    assert said in last


def nothing(server):
    """A completion without any text, of no tokens."""
    return "json " + json.dumps({**server.completion(None), "usage": None})


def test_a_reply_that_can_not_be_read_is_asked_for_again(server, command, data):
    server.default = "\\boxed{0.125}"
    server.script.extend([nothing(server), nothing(server)])
    arguments = ["finqa", "--data", data["finqa"], "--limit", 1, "--base-url", server.base_url]
    command(*arguments)
    assert len(server.bodies) == 3


def test_a_reply_that_can_never_be_read_is_no_wrong_answer(server, command, data, capsys):
    server.default = nothing(server)
    arguments = ["finqa", "--data", data["finqa"], "--limit", 1, "--base-url", server.base_url]
    with pytest.raises(SystemExit):
        command(*arguments)
    last = capsys.readouterr().err.splitlines()[-1]
    assert "the reply is no chat completion" in last
    assert last.endswith("run the same command again to go on")
    server.default = "\\boxed{0.125}"
    command(*arguments)


@pytest.mark.parametrize("eval_type", ["dianjin", "openai_api"])
def test_evalscopes_own_api(comparison, ran_in, data, protocol, tmp_path, eval_type):
    """A fraction of the rows; EvalScope's client too, which moves thinking to the front."""
    tasks = comparison.tasks(["cflue_mcq"], data, protocol, samples=2, limit=4)
    box = "\\boxed{%s}"
    replies = [
        f"<think>So.</think>\n<answer>{box % 'A'}</answer>",
        f"It is so.</think>\n\n<answer>{box % 'AC'}</answer>",
        f"<think>Perhaps {box % 'A'}, or",
    ]
    comparison.server.default = lambda body: replies[
        (len(str(body["messages"])) + body["seed"]) % 3
    ]
    expected, _, asked = comparison.evaluate(tasks)
    arguments = {
        "local_path": str(data["cflue_mcq"]),
        "extra_params": {"protocol": str(protocol)},
        "aggregation": "mean_and_vote_at_k",
    }
    import dianjin_ext.hosts.evalscope  # noqa: F401

    evalscope.run_task(
        evalscope.TaskConfig(
            model="m",
            api_url=comparison.server.base_url,
            eval_type=eval_type,
            datasets=["dj_cflue_mcq"],
            dataset_args={"dj_cflue_mcq": arguments},
            limit=0.5,
            repeats=2,
            work_dir=str(tmp_path / "es"),
            no_timestamp=True,
        )
    )
    ran = ran_in(tmp_path / "es")
    assert comparison.sent() == asked
    rows = comparison.by_sample(ran.rows)
    for row in [*rows.values(), *expected.values()]:
        if eval_type == "openai_api":  # other blanks
            row.pop("response")
    assert rows == expected
    assert ("vote_at_k", 2) in ran.metrics


def test_every_benchmark_has_an_adapter():
    from evalscope.api.registry import get_benchmark

    from dianjin_ext.hosts.evalscope import adapter_name

    for name in (*BENCHMARKS, "own"):
        assert get_benchmark(adapter_name(name)).description
