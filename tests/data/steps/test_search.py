import re
from dataclasses import replace

import pytest

from dianjin_ext.data import prompts
from dianjin_ext.data.steps.search import LATER, STRATEGIES

from .conftest import said

FIXED = {
    name: prompts.load(name).texts["zh"]["user"].split("\n")
    for name in prompts.names()
    if name.startswith("search_")
}


def kind(body):
    """Which of the prompts a request is made of."""
    text = body["messages"][-1]["content"]
    found = [
        name
        for name, lines in FIXED.items()
        if all(line.strip() in text for line in lines if "{" not in line)
    ]
    return found[0].removeprefix("search_")


def model(thoughts, merged="嗯，问的是流动负债。等等，应付账款才是。", answer="选\\boxed{B}"):
    """A model that thinks the given answers one after the other."""
    script = iter(thoughts)

    def reply(body):
        asked = kind(body)
        if asked == "merge":
            return merged
        if asked == "answer":
            return answer
        return f"这是一次思考。\n再想一想。\n\\boxed{{{next(script)}}}"

    return reply


def test_a_first_thought_that_is_right_becomes_one_text(run, server, choice):
    (row,), report = run("search", [choice], model(["B"]))
    assert row.dropped == "" and not row.told_gold
    assert (row.reasoning, row.response) == (
        "嗯，问的是流动负债。等等，应付账款才是。", "选\\boxed{B}",
    )  # fmt: skip
    assert [kind(body) for body in server.bodies] == ["think", "merge", "answer"]
    assert [r["verdict"] for r in row.notes["search"]["rounds"]] == ["correct"]
    assert report["spent"]["teacher"]["replies"] == 3


def test_new_thoughts_see_the_old_ones_until_one_is_right(run, server, choice):
    (row,), _ = run("search", [choice], model("ACB"))
    kinds = [kind(body) for body in server.bodies]
    assert kinds[0] == "think" and kinds[1] in STRATEGIES and kinds[2] in LATER
    assert kinds[3:] == ["merge", "answer"]
    third = server.bodies[2]["messages"][-1]["content"]
    assert third.index("\\boxed{A}") < third.index("\\boxed{C}")
    assert "应付账款\n" not in third.split("固定资产")[1]  # the gold answer is not told
    found = [(r["strategy"], r["pred"], r["verdict"]) for r in row.notes["search"]["rounds"]]
    assert found == list(zip(kinds[:3], "ACB", ["wrong", "wrong", "correct"], strict=True))


def test_after_some_rounds_it_starts_again_and_then_gives_up(run, server, choice):
    (row,), report = run("search", [choice], model("ACDACD"), rounds=2, attempts=2)
    kinds = [kind(body) for body in server.bodies]
    assert [kinds[0], kinds[3]] == ["think", "think"] and len(kinds) == 6
    assert row.dropped == "search: not_found" and report["dropped"] == {"not_found": 1}
    assert row.response == "\\boxed{D}"
    # another start is another sample
    assert len({body["seed"] for body in server.bodies}) == 6


def test_the_gold_answer_is_told_only_where_asked_to_and_flagged(run, server, choice):
    (row,), _ = run("search", [choice], model("AB"), rounds=0, attempts=1, tell_gold=True)
    assert [kind(body) for body in server.bodies] == ["think", "told", "merge", "answer"]
    assert row.told_gold and row.dropped == ""
    assert "B. 应付账款" in server.bodies[1]["messages"][-1]["content"]
    other = replace(choice, id="cflue/2")
    (row,), _ = run("search", [other], model("AC"), rounds=0, attempts=1, tell_gold=True)
    assert not row.told_gold and row.dropped == "search: not_found"  # told, and wrong all the same


def test_strategies_come_by_seed_and_question_and_all_of_them_come(run, choice):
    rows = [replace(choice, id=f"cflue/{i}") for i in range(40)]

    def wrong(body):
        return "想。\n\\boxed{A}"

    given = {"rounds": 2, "attempts": 1}
    first, _ = run("search", rows, wrong, **given)
    drawn = [[r["strategy"] for r in row.notes["search"]["rounds"]] for row in first]
    assert {name for _, name, _ in drawn} == set(STRATEGIES)
    assert {name for _, _, name in drawn} == set(LATER)
    again, _ = run("search", rows, None, **given)  # all from the journal
    assert again == first


@pytest.mark.parametrize(
    ("own", "reason"),
    [
        ({"answer": "选\\boxed{C}"}, "answer_changed"),
        ({"answer": "选 B"}, "answer_changed"),
        ({"merged": "想<answer>"}, "contains_marks"),
        ({"merged": said("", "", "length")}, "no_reasoning"),
    ],
)
def test_a_merged_text_is_graded_again(run, choice, own, reason):
    (row,), _ = run("search", [choice], model(["B"], **own))
    assert row.dropped == f"search: {reason}"


def test_a_thought_without_its_box_is_asked_for_again_then_left(run, server, choice):
    (row,), _ = run("search", [choice], lambda body: "我认为是真的。true", rounds=1, attempts=1)
    assert row.dropped == "search: not_found"
    assert [r["verdict"] for r in row.notes["search"]["rounds"]] == ["not_in_form"]
    assert len(server.bodies) == 3


def test_a_judge_verifies_open_answers_in_its_form_alone(run, server, choice):
    opened = replace(choice, data_source="exact", kind="open", choices={}, answer="应付账款")

    def reply(body):
        if body["model"] == "judge-1":
            right = re.search(r"<answer \w+>\n欠供应商的账款", body["messages"][-1]["content"])
            return "correct" if right else "It is true that this is True."
        if kind(body) == "answer":
            return "\\boxed{欠供应商的账款}"
        if kind(body) == "merge":
            return "嗯，是欠供应商的。"
        return "想。\n\\boxed{" + ("存货" if kind(body) == "think" else "欠供应商的账款") + "}"

    (row,), report = run("search", [opened], reply)
    assert row.dropped == "" and row.acc == 1.0
    assert [r["judge"] for r in row.notes["search"]["rounds"]] == ["undecided", "correct"]
    assert report["spent"]["judge"]["replies"] == 5  # three for the first, one each for the others
