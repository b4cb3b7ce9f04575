import pytest
from hypothesis import given
from hypothesis import strategies as st

from dianjin_ext.answers import split

GOOD = "<think>\nwhy\n</think>\n<answer>\nA\n</answer>"
TAGS = ("<think>", "</think>", "<answer>", "</answer>")


def test_parts_of_a_good_response():
    parts = split(f" {GOOD}\n")
    assert parts.think == "\nwhy\n"
    assert parts.answer == "\nA\n"
    assert not parts.outside.strip()
    assert parts.fault == ""


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("A", "no_think"),
        ("", "no_think"),
        ("<answer>A</answer>", "no_think"),
        ("<think>why", "truncated"),
        ("<think>why</think><answer>A", "truncated"),
        ("<think>why<answer>A</answer>", "truncated"),
        ("<think>why</think>A", "no_answer"),
        ("<think>why</think>A</answer>", "no_answer"),
        ("<answer>A</answer><think>why</think>", "order"),
        ("<think>why<answer>A</answer></think>", "order"),
        ("<think> \n</think><answer>A</answer>", "empty_think"),
        ("<think></think><answer>A</answer>", "empty_think"),
        ("Well. " + GOOD, "outside_text"),
        (GOOD + " That is it.", "outside_text"),
        ("<think>why</think> so <answer>A</answer>", "outside_text"),
        (GOOD + "</think>", "repeated_tag"),
        ("<think>" + GOOD, "repeated_tag"),
        (GOOD + GOOD, "repeated_tag"),
        ("<think>why</think><answer>A</answer><answer>B</answer>", "repeated_tag"),
        ("<think>put it in <answer></think><answer>A</answer>", "repeated_tag"),
    ],
)
def test_fault(text, fault):
    assert split(text).fault == fault


def test_prefilled_think():
    response = GOOD.removeprefix("<think>\n")
    assert split(response).fault == ""
    assert split(response, "auto").think == "why\n"
    assert split(response, "true") == split(response, "auto")
    assert split(response, "false").fault == "no_think"
    assert split(GOOD, "true").fault == "repeated_tag"
    assert split("why", "true").fault == "truncated"
    assert split("<answer>A</answer></think>").fault == "order"
    assert split("\n</think><answer>A</answer>").fault == "empty_think"


@pytest.mark.parametrize(
    ("text", "think", "answer"),
    [
        ("A", None, "A"),
        ("why</think>A", "why", "A"),
        ("x<think>why</think>A", "why", "A"),
        ("<think>why</think><answer>A", "why", "A"),
        ("<think>why</think><answer>A</answer><answer>B</answer> end", "why", "B"),
        ("<think>why</think> then </think><answer>A</answer>", "why</think> then ", "A"),
        ("<think>why <answer>A</answer>", "why <answer>A</answer>", None),
        ("<think>why</think><think>more <answer>A</answer>", "why", None),
        ("<answer>A</answer><think>why</think>", "why", None),
    ],
)
def test_best_reading_of_a_faulty_response(text, think, answer):
    parts = split(text)
    assert parts.fault
    assert (parts.think, parts.answer) == (think, answer)


@given(
    st.lists(st.sampled_from([*TAGS, "a", " ", "甲", "<", "think>"]), max_size=12).map("".join),
    st.sampled_from(["auto", "true", "false"]),
)
def test_no_text_is_invented_or_lost(text, think):
    parts = split(text, think)
    kept = (parts.think or "") + (parts.answer or "") + parts.outside
    for tag in TAGS:
        text, kept = text.replace(tag, ""), kept.replace(tag, "")
    assert len(kept) <= len(text)
    assert set(kept) <= set(text)
    if parts.fault == "":
        assert len(kept) == len(text)
        assert parts.think.strip()
        assert not parts.outside.strip()
        assert not any(tag in parts.think or tag in parts.answer for tag in TAGS)
