"""Reasoning and answer apart, wherever the pieces of a reply are cut."""

import random

import pytest

from dianjin_ext.answers.tags import TAGS, read_tags
from dianjin_ext.inference.chat.splitting import Splitter

BOTH = "<think>\n甲 < 乙, a <b> c\n</think>\n\n<answer>\n\\boxed{A}\n</answer>"


def shown(splitter, pieces):
    """Return what stands on the screen at the end: (part, text) in order."""
    parts = []
    for piece in [*(p for text in pieces for p in splitter.add(text)), *splitter.end()]:
        if piece.corrects:
            parts = [("reasoning", "".join(text for _, text in parts) + piece.text)]
        elif parts and parts[-1][0] == piece.part:
            parts[-1] = (piece.part, parts[-1][1] + piece.text)
        else:
            parts.append((piece.part, piece.text))
    return parts


def cuts(text):
    """Yield the text in pieces: whole, by character, and at random."""
    yield [text]
    yield list(text)
    random.seed(0)
    for _ in range(60):
        at = sorted(random.choices(range(len(text) + 1), k=random.randint(1, 8)))
        yield [text[i:j] for i, j in zip([0, *at], [*at, len(text)], strict=True)]


CHANNELS = (
    "<|channel|>analysis<|message|>x<|end|><|start|>assistant<|channel|>final<|message|>\\boxed{A}"
)
OWN = read_tags({"think": ["[[", "]]"], "answer": None})


@pytest.mark.parametrize(
    ("layout", "text", "expected", "content"),
    [
        (
            "dianjin_r1",
            BOTH,
            [("reasoning", "甲 < 乙, a <b> c"), ("answer", "\\boxed{A}")],
            "<answer>\n\\boxed{A}\n</answer>",
        ),
        ("think_only", "<think>a</think>b", [("reasoning", "a"), ("answer", "b")], "b"),
        ("dianjin_r1", " \n<think>a</think>", [("reasoning", "a")], ""),
        ("dianjin_r1", "<think>cut <", [("reasoning", "cut <")], ""),
        ("dianjin_r1", "no tags, 1 < 2 <", [("answer", "no tags, 1 < 2 <")], "no tags, 1 < 2 <"),
        ("dianjin_r1", "<thi", [("answer", "<thi")], "<thi"),
        ("dianjin_r1", "", [], ""),
        # the template opened it
        ("dianjin_r1", "a\n b</think>c", [("reasoning", "a\n b"), ("answer", "c")], "c"),
        # a mark that is only spoken of
        (
            "think_only",
            "<think>a <think> b</think>c </think> d",
            [("reasoning", "a <think> b"), ("answer", "c </think> d")],
            "c </think> d",
        ),
        ("channels", CHANNELS, [("reasoning", "x"), ("answer", "\\boxed{A}")], None),
        (OWN, "[[a]b]]c]]", [("reasoning", "a]b"), ("answer", "c]]")], "c]]"),
    ],
)
def test_wherever_it_is_cut(layout, text, expected, content):
    for pieces in cuts(text):
        splitter = Splitter(TAGS[layout] if isinstance(layout, str) else layout)
        assert shown(splitter, pieces) == expected, pieces
        reasoning = "".join(text for part, text in expected if part == "reasoning")
        assert splitter.reasoning == reasoning
        if content is not None:
            assert splitter.content == content, pieces


def test_the_same_parts_as_of_a_whole_reply():
    from dianjin_ext.inference.reply import split_thinking

    for text in (BOTH, "<think>a</think>b", "a\n</think>\n\nb c\n"):
        _, thinking, _, content = split_thinking(text)
        splitter = Splitter()
        shown(splitter, list(text))
        assert (splitter.reasoning, splitter.content) == (thinking, content)


def test_a_template_that_opens_it_is_known_from_the_second_reply_on():
    first = Splitter()
    assert shown(first, ["a", "b</think>c"]) == [("reasoning", "ab"), ("answer", "c")]
    assert first.opened
    second = Splitter(opened=first.opened)
    pieces = [piece for text in ("a", "b</think>c") for piece in second.add(text)]
    assert [piece.part for piece in pieces] == ["reasoning", "reasoning", "answer"]


def test_a_mark_that_is_there_all_the_same():
    for pieces in cuts("<think>a</think>b"):
        assert shown(Splitter(opened=True), pieces) == [("reasoning", "a"), ("answer", "b")]
    assert shown(Splitter(opened=True), ["<th"]) == [("reasoning", "<th")]
    assert shown(Splitter(opened=True), []) == []


def test_what_the_server_takes_apart_itself():
    splitter = Splitter()
    pieces = []
    for kind, text in (("r", "\nI "), ("r", "think\n"), ("c", "\n\n<ans"), ("c", "wer>4</answer>")):
        pieces += splitter.reason(text) if kind == "r" else splitter.add(text)
    pieces += splitter.end()
    assert [(p.part, p.text) for p in pieces] == [
        ("reasoning", "I"),
        ("reasoning", " think"),
        ("answer", "4"),
    ]
    assert splitter.content == "<answer>4</answer>"
