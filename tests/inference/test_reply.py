import pytest
from hypothesis import given
from hypothesis import strategies as st

from dianjin_ext.inference.faults import Transient
from dianjin_ext.inference.reply import Reply, read_reply

PIECES = st.sampled_from(["<think>", "</think>", " ", "\n", "想", "<answer>", "a"])


def read(**message):
    return read_reply({"choices": [{"message": message, "finish_reason": "stop"}]})


@given(st.lists(PIECES, max_size=9).map("".join))
def test_the_text_of_the_model_is_kept_as_it_was(text):
    assert read(content=text).text == text


def test_thinking_in_the_text_is_told_apart():
    whole = read(content="<think>\n想\n</think>\n\n<answer>答</answer>")
    assert (whole.reasoning, whole.content) == ("想", "<answer>答</answer>")
    prefilled = read(content="想</think>答")
    assert (prefilled.reasoning, prefilled.content, prefilled.opening) == ("想", "答", "")
    assert prefilled.text == "想</think>答"  # the opening tag stood in the prompt
    cut = read(content="<think>想")
    assert (cut.reasoning, cut.content) == (None, "<think>想")


def test_thinking_that_the_server_took_apart_gets_its_usual_tags():
    apart = read(content="答", reasoning_content="想")
    assert apart.text == "<think>\n想\n</think>\n\n答"
    assert Reply("答", None, "stop").text == "答"


def test_a_model_that_ends_at_once_has_replied():
    """As vLLM 0.24 with a reasoning parser sends it."""
    message = {"role": "assistant", "content": None, "reasoning": None}
    body = {
        "choices": [{"message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 17, "total_tokens": 18, "completion_tokens": 1},
    }
    reply = read_reply(body)
    assert (reply.text, reply.finish_reason, reply.completion_tokens) == ("", "stop", 1)
    for less in ({"usage": None}, {"usage": {"completion_tokens": 0}}):
        with pytest.raises(Transient):
            read_reply(body | less)
    message["tool_calls"] = [{"id": "1"}]
    with pytest.raises(Transient):
        read_reply(body)
