import json
import re

import pytest

pytest.importorskip("matplotlib")
pytest.importorskip("jinja2")

from dianjin_ext.evaluation.metrics import summarise
from dianjin_ext.evaluation.report import STAGES, write_report


def lines(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")


def graded(acc: float) -> dict:
    return {
        "prompt": "下列哪一项属于资产？<script>alert(1)</script>",
        "response": "<think>推理</think>\n<answer>\\boxed{A}</answer>",
        "ground_truth": "A",
        "response_tokens": 9,
        "score": acc,
        "acc": acc,
        "format": 1.0,
        "reason": "" if acc else "wrong",
    }


@pytest.fixture
def page(tmp_path):
    accuracies = {"base": [0.0] * 4, "sft": [0.0, 1.0, 0.0, 1.0], "grpo": [1.0, 0.0, 1.0, 1.0]}
    summary = {}
    for stage in STAGES:
        rows = [graded(acc) for acc in accuracies[stage]]
        lines(tmp_path / "evaluation" / f"{stage}.jsonl", rows)
        summary[stage] = summarise(rows)
    lines(tmp_path / "sft" / "trainer_log.jsonl", [{"current_steps": 1, "loss": 2.0}, {"x": 1}])
    step = {"critic/score/mean": 0.1, "reward/acc/mean": 0.25, "reward_reason/no_answer": 0.5}
    lines(tmp_path / "grpo" / "metrics-0.jsonl", [{"step": 1, "data": step}])
    lines(tmp_path / "grpo" / "metrics-1.jsonl", [{"step": 2, "data": step}])
    summary |= {
        "stages": {"sft": {"seconds": 1.5, "peak_memory_gib": 0.5}},
        "seed": 0,
        "data": "made-up questions",
        "versions": {"python": "3.11"},
    }
    write_report(tmp_path, summary, commands={"sft": ["/a/llamafactory-cli", "output_dir=sft"]})
    assert not list(tmp_path.glob(".report.html*"))
    return (tmp_path / "report.html").read_text("utf-8")


def test_text_of_a_model_is_shown_and_never_runs(page):
    assert "&lt;think&gt;推理&lt;/think&gt;" in page
    assert "<script" not in page


def test_the_page_needs_nothing_from_elsewhere(page):
    assert not re.findall(r"<(?:img|script|link|iframe)\b", page)
    assert not re.findall(r"url\((?!#)", page)


def test_figures_results_and_commands_are_there(page):
    assert page.count("<svg") == 6
    assert "75.0 %" in page and "50.0 %" in page
    assert ">llamafactory-cli output_dir=sft<" in page


def test_gained_and_lost_questions_are_both_among_the_samples(page):
    kinds = re.findall(r'class="(right|wrong)"', page)
    shown = [tuple(kinds[i : i + 3]) for i in range(0, len(kinds), 3)]
    assert ("wrong", "wrong", "right") in shown
    assert ("wrong", "right", "wrong") in shown
