import pytest

from dianjin_ext.answers.tags import TAGS
from dianjin_ext.data.steps.distill import STEP
from dianjin_ext.inference.answer import Unanswered

from .conftest import said


def test_every_sample_is_kept_with_its_parts_and_where_it_comes_from(run, server, choice):
    rows, report = run("distill", [choice], lambda body: said("选 \\boxed{B}", "想"), samples=3)
    assert [(row.sample, row.reasoning, row.response) for row in rows] == [
        (number, "想", "选 \\boxed{B}") for number in range(3)
    ]
    assert {(row.model, row.prompt_tokens, row.completion_tokens) for row in rows} == {
        ("teacher-1", 7, 11)
    }
    assert sorted(body["seed"] for body in server.bodies) == [0, 1, 2]
    first = server.bodies[0]
    assert (first["temperature"], first["top_p"]) == (0.6, 0.95)
    assert [message["role"] for message in first["messages"]] == ["user"]
    assert "<answer>" not in first["messages"][0]["content"]
    assert (report["rows"], report["written"], report["standing"]) == (1, 3, 3)
    spent = report["spent"]["teacher"]
    assert (spent["replies"], spent["prompt_tokens"], spent["completion_tokens"]) == (3, 21, 33)


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (said("\\boxed{B}"), "no_reasoning"),
        (said("", "想"), "no_answer"),
        (said("\\boxed{B", "想", "length"), "cut"),
        (said("\\boxed{B}", "想 <answer> 想"), "contains_marks"),
        (said("", "想", "content_filter"), "content_filter"),
        ("status 422", "refused"),
    ],
    ids=lambda value: value if len(value) < 20 else "",
)
def test_what_has_no_place_in_the_layout_is_kept_and_dropped(run, choice, reply, reason):
    (row,), report = run("distill", [choice], lambda body: reply)
    assert row.dropped == f"distill: {reason}"
    assert report["dropped"] == {reason: 1} and report["standing"] == 0


@pytest.mark.parametrize(
    ("content", "reasoning"),
    [
        ("<think>\n想\n</think>\n\n\\boxed{B}", None),
        ("想\n</think>\n\\boxed{B}", None),  # the template began the thinking
        ("<answer>\n\\boxed{B}\n</answer>", "想"),  # a teacher trained in the layout
        ("<think>想</think><answer>\\boxed{B}</answer>", None),
    ],
)
def test_reasoning_is_found_wherever_a_server_puts_it(run, choice, content, reasoning):
    (row,), _ = run("distill", [choice], lambda body: said(content, reasoning))
    assert (row.reasoning, row.response, row.dropped) == ("想", "\\boxed{B}", "")
    assert row.text(TAGS["dianjin_r1"]) == "<think>想</think>\n<answer>\\boxed{B}</answer>"


def test_the_reply_can_begin_with_its_thinking(run, server, choice):
    (row,), _ = run("distill", [choice], lambda body: "想\n</think>\n\\boxed{B}", prefill=True)
    body = server.bodies[0]
    assert body["messages"][-1] == {"role": "assistant", "content": "<think>\n"}
    assert body["continue_final_message"] and not body["add_generation_prompt"]
    assert row.reasoning == "想"


def test_the_options_of_the_run_replace_those_of_the_step(run, models, server, choice, tmp_path):
    from dianjin_ext.data.rows_file import write_items
    from dianjin_ext.data.run_step import run_step
    from dianjin_ext.data.steps.settings import Distill

    server.default = lambda body: said("\\boxed{B}", "想")
    write_items([choice], tmp_path / "in.parquet", "questions")
    given = {
        "settings": Distill(),
        "models": models("teacher", options={"temperature": 0.2}),
        "journal": tmp_path / "journal",
    }
    run_step(STEP, [tmp_path / "in.parquet"], tmp_path / "out.parquet", **given)
    assert server.bodies[0]["temperature"] == 0.2 and server.bodies[0]["max_tokens"] == 16384


def test_a_fault_of_the_network_leaves_the_row_for_another_run(
    run, server, choice, number, tmp_path, monkeypatch
):
    from tenacity import wait_none

    from dianjin_ext.inference import asker

    monkeypatch.setattr(asker, "_back_off", wait_none())

    def half(body):
        if "growth" in body["messages"][0]["content"]:
            return "status 500"
        return said("\\boxed{B}", "想")

    with pytest.raises(Unanswered, match=r"1 of 2 rows are done.*HTTP 500.*run the same command"):
        run("distill", [choice, number], half)
    assert not (tmp_path / "out.parquet").exists()
    assert (tmp_path / "out.partial.parquet").exists()  # what is done can be read
    before = len(server.bodies)
    rows, _ = run("distill", [choice, number], lambda body: said("\\boxed{0.25}", "so"))
    assert len(server.bodies) == before + 1
    assert [row.question.id for row in rows] == ["cflue/1", "finqa/1"]
    assert not (tmp_path / "out.partial.parquet").exists()
