import json
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import pytest

pytest.importorskip("math_verify")

from dianjin_ext.rewards import compute_score
from dianjin_ext.rewards.math_process import MathProcess

ROWS = Path(__file__).resolve().parents[3] / "shared/data/math500/math500_150.jsonl"


def grade(answer, gold, **settings):
    response = f"<think>想一想</think>\n<answer>\\boxed{{{answer}}}</answer>"
    return compute_score("math", response, gold, **settings)


@pytest.mark.parametrize(
    ("answer", "gold"),
    [
        ("3/4", "\\frac{3}{4}"),
        ("0.75", "\\frac34"),
        ("\\dfrac{1}{2}", "0.5"),
        ("x=5", "5"),
        ("(1,2)", "\\left(1, 2\\right)"),
        ("\\sqrt{8}", "2\\sqrt{2}"),
        ("\\text{Evelyn}", "Evelyn"),
        ("12,345", "12345"),
        ("90^\\circ", "90"),
        ("\\{1,2\\}", "\\{2,1\\}"),
        ("(x+1)^2", "x^2+2x+1"),
        ("\\begin{pmatrix} 1 \\\\ 2 \\end{pmatrix}", "\\begin{pmatrix}1\\\\2\\end{pmatrix}"),
        ("$7$", "7"),
        ("7.", "7"),
    ],
)
def test_the_same_value_in_another_form_is_right(answer, gold):
    found = grade(answer, gold)
    assert (found["score"], found["reason"]) == (1.0, "correct"), found


@pytest.mark.parametrize(
    ("answer", "gold", "reason"),
    [
        ("4/3", "3/4", "wrong"),
        ("q-p", "p-q", "wrong"),
        ("1.41", "\\sqrt{2}", "wrong"),
        ("(2,1)", "(1,2)", "wrong"),
        ("\\text{Bob}", "\\text{Alice}", "wrong"),
        ("[1,2]", "(1,2)", "wrong"),
        ("", "7", "not_boxed"),
        ("1" * 3000, "7", "no_answer"),
        ("7", "", "gold_unusable"),
        ("7", None, "gold_unusable"),
    ],
)
def test_another_value_is_wrong_and_says_why(answer, gold, reason):
    found = grade(answer, gold)
    assert (found["score"], found["reason"]) == (0.0, reason), found


def test_equal_answers_have_one_form_to_vote_with():
    forms = ["0.5", "\\frac{1}{2}", "1/2", "x = 0.5"]
    assert {grade(form, "3")["pred"] for form in forms} == {"1/2"}


def test_the_layout_is_that_of_all_rewards():
    assert compute_score("math", "\\boxed{7}", "7")["reason"] == "no_think"
    assert compute_score("math", "So it is \\boxed{7}.", "7", strictness="lenient")["acc"] == 1.0
    assert compute_score("aime_2024", "<think>x</think>\n<answer>\\boxed{204}</answer>", "204")[
        "acc"
    ]


@pytest.mark.parametrize(
    ("text", "gold"),
    [
        ("7", "7"),
        ("$\\frac{3}{4}$.", "0.75"),
        ("\\[x = 5\\]", "5"),
        ("To halve 14, divide by 2. The answer is $7$.", "7"),
        ("So $x^2 = 25$.\n\nTherefore, $x = 5$.", "5"),
        ("Hence, the point is \\(\\left(3, \\frac{\\pi}{2}\\right)\\).", "(3, \\frac{\\pi}{2})"),
        ("**Answer:** 6+9i", "6+9i"),
        ("The answer is $x = 2.$", "2"),
        ("The answer is Evelyn.", "\\text{Evelyn}"),
        ("The answer is $\\frac{1}{2}$.\n\nSo, the answer is 0.5.", "0.5"),
        ("The answer is 8. Wait, the answer is 7.", "7"),
        ("因此，$x=3$。", "3"),
        ("Half of 144 is what we want.\n#### 72", "72"),
        ("We count them one by one. " * 100 + "The answer is 5.", "5"),
    ],
)
def test_prose_may_state_an_expression(text, gold):
    found = compute_score("math", text, gold, strictness="lenient")
    assert (found["acc"], found["reason"]) == (1.0, "correct"), found


@pytest.mark.parametrize(
    ("text", "gold", "reason"),
    [
        # the question again, which is equal to the answer
        ("To evaluate $(1+2i)6-3i$, we first multiply, then", "6+9i", "no_answer"),
        (
            "To write $\\frac{3}{20}$ as a decimal, divide. The final answer is 0.2.",
            "0.15",
            "wrong",
        ),
        ("We have $x = 5$ or so, and go on with $x^2$ and", "5", "no_answer"),
        ("First, $2 + 3 = 5$. Then we double it.", "5", "no_answer"),
        ("The answer is 3 or 4.", "3", "no_answer"),
        ("The answer is not 7.", "7", "no_answer"),
        ("Is the answer 7?", "7", "no_answer"),
        ("The answer is 2. So, the answer is 3.", "3", "ambiguous"),
        ("1. 1. 1. 1. 1. 1", "1", "no_answer"),
        ("Three of five. So, there are 3 +", "3", "no_answer"),
        ("Three of five. So, the answer is $\\frac{3}{", "3", "no_answer"),
    ],
)
def test_an_expression_somewhere_in_prose_is_no_answer(text, gold, reason):
    found = compute_score("math", text, gold, strictness="lenient")
    assert (found["acc"], found["reason"]) == (0.0, reason), found


@pytest.mark.parametrize("tower", ["9^{9^{9^{9}}}", "10^{10^{10}}"])
def test_what_takes_too_long_is_stopped_and_the_next_is_graded(tower):
    process = MathProcess(timeout_s=1.0)
    began = time.monotonic()
    assert process.compare("1", tower).late
    assert time.monotonic() - began < 30  # it is a second, and the start of a process
    assert process.compare("2", "\\frac{4}{2}").right is True
    process.close()


def test_a_process_that_dies_is_started_again():
    process = MathProcess()
    assert process.compare("1", "1.0").right is True
    os.kill(process._process.pid, signal.SIGKILL)
    process._process.wait()
    assert process.compare("1", "1.0").right is True
    process.close()


def test_threads_get_their_own_verdicts():
    process = MathProcess()
    pairs = [(str(i), f"\\frac{{{2 * j}}}{{2}}") for i in range(8) for j in range(8)]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda pair: process.compare(*pair).right, pairs))
    assert found == [i == j for i in range(8) for j in range(8)]
    process.close()


@pytest.mark.parametrize(
    "text",
    ["\n", "\\", "}", "__import__('os').system('false')", "a\x00b", "\\frac{1}", "∫" * 50],
)
def test_no_text_ends_the_process(text):
    process = MathProcess()
    assert process.compare("7", text).right in (None, False)
    first = process._process
    assert process.compare("7", "7").right is True and process._process is first
    process.close()


def test_real_golds_are_right_and_each_others_are_not():
    if not ROWS.exists():
        pytest.skip("the published rows are not beside the repository")
    golds = [json.loads(line)["answer"] for line in ROWS.open(encoding="utf-8")]
    assert {grade(gold, gold)["reason"] for gold in golds} == {"correct"}
    for gold, other in pairwise(golds):
        same = gold.rpartition("=")[2] == other.rpartition("=")[2]  # x = 5 and 5
        assert grade(gold, other)["acc"] == same, (gold, other)
