"""Benchmarks in EvalScope: asked what `dianjin eval` asks, and the same verdicts, row by row."""

import json

import pytest

from dianjin_ext.errors import DianjinError
from dianjin_ext.evaluation.plan import Choices

pytest.importorskip("evalscope")

NAMES = ["cflue_mcq", "finqa", "convfinqa", "tfns", "math_500", "finance_instruct"]


def test_the_same_is_asked_and_every_verdict_is_the_same(comparison, run, data, protocol):
    tasks = comparison.tasks(NAMES, data, protocol)
    comparison.answer_in_every_way(tasks)
    expected, results, asked = comparison.evaluate(tasks)
    ran = run(NAMES, data, protocol)
    assert comparison.sent() == asked
    assert comparison.by_sample(row for each in ran for row in each.rows) == expected
    assert 0.3 < sum(row["acc"] for row in expected.values()) / len(expected) < 0.9
    assert {row["outcome"] for row in expected.values()} == {"answered", "cut"}
    for result, each in zip(results, ran, strict=True):
        assert each.report["dataset_pretty_name"] == f"{result['benchmark']} (mine)"
        assert each.metrics["mean", None] == pytest.approx(result["accuracy"], abs=1e-4)
        for k in (1, 2, 3):
            value = result["pass_at_k"][str(k)]["value"]
            assert each.metrics["pass_at_k", k] == pytest.approx(value, abs=1e-4)


@pytest.mark.parametrize("judging", ["verdict", "extract"])
def test_a_judge_decides_as_in_dianjin_eval(comparison, run, data, tmp_path, judging):
    protocol, settings, (expected, _, asked) = comparison.judged(judging, data, tmp_path)
    (ran,) = run(["finqa"], data, protocol, settings)
    assert comparison.sent() == asked
    assert comparison.by_sample(ran.rows) == expected
    assert ran.report["dataset_pretty_name"] == "finqa (mine)"


def test_without_its_judge_a_number_is_not_named_by_the_protocol(comparison, run, data):
    comparison.server.default = "\\boxed{0.5}"
    (ran,) = run(["finqa"], data, "fin_r1", limit=2)
    assert ran.report["dataset_pretty_name"] == "finqa (fin_r1 without its judge)"
    (ran,) = run(["tfns"], data, "fin_r1", limit=2)
    assert ran.report["dataset_pretty_name"] == "tfns (fin_r1, changed)"
    assert len(ran.rows) == 2


def test_a_refused_question_has_no_answer(comparison, run, data, protocol):
    tasks = comparison.tasks(["finqa"], data, protocol, samples=1)
    comparison.server.default = lambda body: (
        "status 400" if "shop 3" in body["messages"][-1]["content"] else "\\boxed{400}"
    )
    expected, _, _ = comparison.evaluate(tasks)
    (ran,) = run(["finqa"], data, protocol, samples=1)
    assert comparison.by_sample(ran.rows) == expected
    assert [row["id"] for row in ran.rows if row["outcome"] == "refused"] == ["finqa/page-3"]
    assert ran.metrics == {("mean", None): 0.0}
    comparison.server.default = "status 400"
    with pytest.raises(
        DianjinError, match=r"dj_tfns: every request was refused: HTTP 400: .*\*\*\*"
    ):
        run(["tfns"], data, protocol, samples=1)


def test_a_server_that_refuses_everything_is_one_line_without_the_key(server, run, data, tmp_path):
    server.default = "status 401"
    with pytest.raises(DianjinError, match="HTTP 401; check its address, the name") as caught:
        run(["finqa"], data, "dianjin_r1", limit=2)
    assert "sk-not" not in str(caught.value)
    for file in (path for path in (tmp_path / "es").rglob("*") if path.is_file()):
        assert "sk-not" not in file.read_text(encoding="utf-8"), file


def test_own_earlier_answers_can_not_be_shown(run, data, tmp_path):
    protocol = tmp_path / "mine.yaml"
    protocol.write_text("about: a test\nsource: none\nhistory: own\n")
    with pytest.raises(DianjinError, match="mine shows the model its own earlier answers, but"):
        run(["convfinqa"], data, protocol)


def test_a_file_of_ones_own(server, run, tmp_path):
    from dianjin_ext.hosts.evalscope.run import Server, run_ours

    rows = [{"q": f"What is {n} + 1?", "a": str(n + 1)} for n in range(4)]
    (tmp_path / "exam.json").write_text(json.dumps(rows))
    (tmp_path / "map.yaml").write_text("question: q\nanswer: a\nkind: number\n")
    server.default = "<think>So.</think>\n<answer>\\boxed{3}</answer>"
    (folder,) = run_ours(
        ["own:exam"],
        "dianjin_r1",
        Server("m", server.base_url, 4),
        tmp_path / "es",
        data=[str(tmp_path / "exam.json")],
        mapping=tmp_path / "map.yaml",
        choices=Choices(),
    )
    report = json.loads((folder / "reports/m/dj_own.json").read_text())
    assert report["dataset_pretty_name"] == "own:exam (dianjin_r1)"
    assert report["metrics"][0]["score"] == 0.25
