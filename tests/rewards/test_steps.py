import pytest
from hypothesis import given
from hypothesis import strategies as st

from dianjin_ext import compute_score
from dianjin_ext.errors import DianjinError
from dianjin_ext.rewards.steps import MAX_READ

PARTS = ("计算营业收入", "计算净利润率", "得出结论为增长")


def share(reasoning, **settings):
    row = compute_score(
        "cflue_mcq",
        rf"<think>{reasoning}</think><answer>\boxed{{A}}</answer>",
        "A",
        weights={"steps": 1.0},
        components={"steps": settings},
    )
    assert row["score"] == row["steps"]
    return row["steps"]


@pytest.mark.parametrize(
    "marks",
    [
        ("Step 1: ", "Step 2: ", "Step 3: "),
        ("**Step 1:** ", "### Step 2 - ", "> STEP 3. "),
        ("1. ", "2. ", "3. "),
        ("  1) ", "  2) ", "  3) "),
        ("1、", "2、", "3、"),
        ("(1)", "（2）", "（三）"),
        ("①", "②", "③"),
        ("一、", "二、", "三、"),
        ("第一步：", "第二步：", "第三步："),
        ("第1步，", "第2步，", "第10步，"),
        ("步骤一：", "步骤2：", "步骤三 "),
        ("第一，", "第二，", "第三，"),
        ("首先，", "其次，", "最后，"),
        ("首先", "然后", "最后"),
        ("First, ", "Second, ", "Finally, "),
        ("First we ", "Next, ", "Lastly, "),
    ],
    ids=lambda marks: marks[0].strip(),
)
def test_marks(marks):
    lines = [mark + part for mark, part in zip(marks, PARTS, strict=True)]
    assert share("\n".join(lines)) == 1.0
    assert share("先看题目。\n\n" + "\r\n\r\n".join(lines)) == 1.0
    assert share("\n".join(lines[:2])) == pytest.approx(2 / 3)
    assert share("\n".join(lines), target=5) == pytest.approx(3 / 5)


def test_marks_at_the_start_of_a_sentence():
    assert share("首先，计算营业收入。其次，计算净利润率。最后，得出结论为增长。") == 1.0
    assert share("First, add both. Then, divide by cost. Finally, round the result.") == 1.0


@pytest.mark.parametrize(
    "text",
    [
        "",
        "营业收入增长，因此选A。",
        "第一季度收入为100亿元。\n第二季度为80亿元。\n第三方支付增长。",
        "First quarter revenue rose.\nSecond half sales fell.\nThird parties agreed.",
        "1.5 million shares\n2.5 million dollars\n3.5 percent growth",
        "2019. revenue rose\n2020. revenue fell\n2021. it was flat",
        "Step 2019: compute revenue",
        "- compute revenue\n- divide by cost\n* round the result",
        "the steps are Step 1: compute it, Step 2: divide it, Step 3: round it",
        # marks without content
        "Step 1:\nStep 2:\nStep 3:",
        "1. 2. 3. 4. 5.",
        "首先，其次，最后，",
        "首先。其次。最后。",
        "Step 1: ......\nStep 2: \u200b\u200b\u200b\u200b\u200b\u200b\nStep 3: !!!!!!",
        "1. ok\n2. ok\n3. ok",
    ],
)
def test_no_steps(text):
    assert share(text) == 0.0


@pytest.mark.parametrize(
    "text",
    [
        # one mark again and again
        "Step 1: compute revenue\nStep 1: divide by cost\nStep 1: round the result",
        "首先，计算营业收入。首先，计算净利润率。首先，得出结论为增长。",
        # the same mark in other words
        "1. compute revenue\nStep 1: divide by cost\n第一步：得出结论为增长",
        "First, compute revenue\n①divide by cost\n一、得出结论为增长",
        # the same content, also with numbers that differ
        "Step 1: let me think\nStep 2: let me think\nStep 3: Let me think!",
        "Step 1: thinking 1\nStep 2: thinking 2\nStep 3: thinking 3",
        "1. 让我想一想\n2. 让我 想一想\n3. 让我，想一想",
        # one step, laid out with marks that have nothing to them
        "Step 1:\nStep 2: compute revenue\nStep 3:",
    ],
)
def test_one_step_only(text):
    assert share(text) == pytest.approx(1 / 3)


def test_steps_of_nothing_but_numbers():
    assert share("1. 100 + 20 = 120\n2. 120 / 3 = 40\n3. 40 - 1 = 39") == 1.0


def test_more_steps_earn_no_more():
    assert share("\n".join(f"{i}. {part}" for i, part in enumerate(PARTS * 5, 1))) == 1.0


def test_only_the_reasoning_counts():
    steps = "\n".join(f"{i}. {part}" for i, part in enumerate(PARTS, 1))
    for text in ("", steps, f"<think>x</think><answer>{steps}</answer>"):
        assert compute_score("cflue_mcq", text, "A", weights={"steps": 1.0})["steps"] == 0.0
    unclosed = compute_score("cflue_mcq", f"<think>{steps}", "A", weights={"steps": 1.0})
    assert unclosed["steps"] == 1.0


def test_very_long_reasoning_is_read_from_its_start():
    steps = "\n".join(f"{i}. {part}" for i, part in enumerate(PARTS, 1))
    assert share(steps + "\n" + "好" * 2 * MAX_READ) == 1.0


def test_settings_are_checked():
    with pytest.raises(DianjinError, match="steps"):
        share("x", target=0)


MARKS = [
    "Step 1: ",
    "\n2. ",
    "\n第三步",
    "。首先",
    "\n",
    "计算营业收入",
    "round the result",
    "１",
    "(四)",
]


@given(st.one_of(st.text(), st.lists(st.sampled_from(MARKS)).map("".join)))
def test_any_text_has_a_share(text):
    assert share(text) in (0.0, pytest.approx(1 / 3), pytest.approx(2 / 3), 1.0)
