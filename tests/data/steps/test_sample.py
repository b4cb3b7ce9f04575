from collections import Counter

from .conftest import said

THINK = "题目问流动负债。\n应付账款是负债，一年内偿还。\n所以选B。"


def text(think=THINK, answer="\\boxed{B}"):
    return f"<think>\n{think}\n</think>\n<answer>\n{answer}\n</answer>"


def run_script(run, choice, replies, **own):
    script = iter(replies)
    return run("sample", [choice], lambda body: next(script), samples=len(replies), **own)


def test_the_right_and_readable_stay_and_k_of_n_goes_with_each(run, server, choice):
    replies = [
        text(),
        text(answer="\\boxed{C}"),
        text("```python\nx = 1\n```\n所以选B。"),
        text("The payable is a liability that is due within one year. " * 3),
        text("负债" * 600),
        "选 B",
        said("<think>\n想", finish_reason="length"),
    ]
    rows, report = run_script(run, choice, replies)
    assert Counter(row.dropped for row in rows) == {
        "": 1,
        "sample: wrong": 1,
        "sample: code_block": 1,
        "sample: mixed_language": 1,
        "sample: long_paragraph": 1,
        "sample: no_think": 1,
        "sample: cut": 1,
    }
    assert {(row.right, row.of, row.model) for row in rows} == {(4, 7, "student-1")}
    assert rows[0].pass_rate == 4 / 7
    assert report["standing"] == 1 and report["written"] == 7
    (good,) = (row for row in rows if not row.dropped)
    assert (good.reasoning, good.response) == (THINK, "\\boxed{B}")


def test_the_model_is_asked_as_it_is_trained(run, server, choice):
    from dianjin_ext.answers.tags import TAGS
    from dianjin_ext.questions.prompts import prompt

    run_script(run, choice, [text()], system="You are Qwen.")
    sent = [(m["role"], m["content"]) for m in server.bodies[0]["messages"]]
    assert sent == [("system", "You are Qwen."), ("user", prompt(choice, TAGS["dianjin_r1"]))]


def test_reasoning_that_the_server_took_apart_counts_alike(run, choice):
    reply = said("<answer>\n\\boxed{B}\n</answer>", THINK)
    (row,), _ = run_script(run, choice, [reply])
    assert (row.dropped, row.reasoning) == ("", THINK)


def test_a_layout_of_its_own_and_lenient_reading(run, choice):
    (row,), _ = run_script(
        run, choice, [f"<think>{THINK}</think>选\\boxed{{B}}"], tags="think_only"
    )
    assert row.dropped == ""
    (row,), _ = run_script(run, choice, ["答案是 B。"], strictness="lenient")
    assert (row.acc, row.dropped) == (1.0, "sample: no_reasoning")
