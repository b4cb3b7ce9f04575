import pytest

from dianjin_ext import compute_score
from dianjin_ext.answers.response import split
from dianjin_ext.answers.tags import TAGS, read_tags
from dianjin_ext.errors import DianjinError
from dianjin_ext.rewards import gold_response
from dianjin_ext.rewards.grader import Grader

SEED = {"think": ["<seed:think>", "</seed:think>"], "answer": None}
CHANNELS = "<|channel|>analysis<|message|>{}<|end|><|start|>assistant<|channel|>final<|message|>{}"


def faults(text, tags, think="auto"):
    return split(text, think, read_tags(tags)).fault


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("<think>x</think>A", ""),
        ("\n<think>\nx\n</think>\n\nA\n", ""),
        ("x</think>A", ""),
        ("<think>x</think>", "no_answer"),
        ("<think>x</think> \n", "no_answer"),
        ("<think> </think>A", "empty_think"),
        ("so <think>x</think>A", "outside_text"),
        ("<think>x", "truncated"),
        ("A", "no_think"),
        ("<think>x</think>A</think>B", "repeated_tag"),
        ("<think>x</think><think>y</think>A", "repeated_tag"),
        ("</think>x<think>A", "order"),
    ],
)
def test_think_only(text, fault):
    assert faults(text, "think_only") == fault
    seed = text.replace("think>", "seed:think>")
    assert faults(seed, SEED) == fault


def test_think_only_where_the_prompt_opened_the_reasoning():
    assert faults("x</think>A", "think_only", "true") == ""
    assert faults("<think>x</think>A", "think_only", "true") == "repeated_tag"
    assert faults("so far A", "think_only", "true") == "truncated"
    assert faults("x</think>A", "think_only", "false") == "no_think"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (CHANNELS.format("x", "A"), ""),
        (CHANNELS.format("x", "A<|return|>"), ""),
        ("analysisxassistantfinalA", ""),
        (CHANNELS.format(" ", "A"), "empty_think"),
        ("<|channel|>analysis<|message|>x", "truncated"),
        ("<|channel|>analysis<|message|>x<|end|>", "no_answer"),
        ("analysisx", "truncated"),
        ("so " + CHANNELS.format("x", "A"), "outside_text"),
        (CHANNELS.format("x", "A") + "<|end|>", "repeated_tag"),
        ("A", "no_think"),
    ],
)
def test_channels(text, fault):
    assert faults(text, "channels") == fault


@pytest.mark.parametrize("name", [*TAGS, "own"])
def test_every_layout_is_demanded_alike(name):
    tags = SEED if name == "own" else name
    grader = Grader({"tags": tags})
    response = grader.gold_response("choice", "B")
    closing = read_tags(tags).think[1]
    assert compute_score("choice", response, "B", tags=tags)["score"] == 1.0
    for broken in (
        response + response,
        "x" + response,
        response.replace(closing, ""),
        response + r"\boxed{A}",
    ):
        row = compute_score("choice", broken, "B", tags=tags)
        assert (row["score"], row["format"]) == (0.0, 0.0)
    shaped = {"weights": {"acc": 1.0, "format": 1.0, "language": 0.0, "steps": 0.0}}
    assert compute_score("choice", response, "B", tags=tags, **shaped)["score"] == 2.0


def test_the_default_layout_is_the_published_one():
    assert gold_response("choice", "A") == Grader({"tags": "dianjin_r1"}).gold_response(
        "choice", "A"
    )


@pytest.mark.parametrize(
    ("tags", "word"),
    [
        ("qwen", "known: dianjin_r1"),
        ({"think": "<a>"}, "opening mark"),
        ({"think": ["<a>", ""]}, "opening mark"),
        ({"think": ["<a>", "<a>"]}, "part of another"),
        ({"think": ["<a>", "</a>"], "answer": ["<a", "x"]}, "part of another"),
        ({"answer": ["<a>", "</a>"]}, "think is None"),
        ({"think": ["<a>", "</a>"], "final": None}, "expected one of"),
        (7, "expected one of"),
    ],
)
def test_what_is_no_layout_is_refused(tags, word):
    with pytest.raises(DianjinError, match=word):
        compute_score("choice", "A", "A", tags=tags)
