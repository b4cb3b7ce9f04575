from dataclasses import replace

import pytest

from dianjin_ext.data.steps.merge_agents import read_conclusion
from dianjin_ext.questions.question import Question

CCC = Question(
    id="ccc/1",
    data_source="ccc",
    question="客服：这款产品保本保息。\n客户：好的。\n\n以上对话中的客服是否合规？请回答“合规”或“不合规”。",
    kind="label",
    answer="不合规",
    labels=("合规", "不合规"),
    context="不得承诺保本保息。",
    reasoning="检查员: 客服承诺保本保息。\n复核员: 违反了指引。",
)


@pytest.mark.parametrize(
    ("reply", "dropped"),
    [
        ("客服承诺保本保息，\n指引不允许，因此不合规。\n\\boxed{不合规}", ""),
        ("客服只是介绍产品。\n\\boxed{合规}", "merge-agents: wrong"),
        ("不合规", "merge-agents: not_in_form"),
        ("想<answer>\n\\boxed{不合规}", "merge-agents: contains_marks"),
    ],
)
def test_the_steps_become_one_reasoning_whose_result_is_graded(run, asked, reply, dropped):
    (row,), _ = run("merge-agents", [CCC], lambda body: reply)
    assert row.dropped == dropped
    assert "复核员: 违反了指引。" in asked()[0] and "不得承诺保本保息" in asked()[0]


def test_without_steps_nobody_is_asked(run):
    (row,), _ = run("merge-agents", [replace(CCC, reasoning=None)])
    assert row.dropped == "merge-agents: without_steps"


@pytest.mark.parametrize("box", ["\\[\n\\boxed{12}\n\\]", "$$\n\\boxed{12}\n$$", "\\boxed{12}"])
def test_a_box_in_a_formula_of_its_own_is_one_line(box):
    assert read_conclusion(f"先看收入。\n\n{box}") == ("先看收入。", "\\boxed{12}")
    assert read_conclusion(f"{box}\n所以是12。") is None
