import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dianjin_ext.answers import find_boxes, last_box


@pytest.mark.parametrize(
    ("text", "contents"),
    [
        (r"\boxed{A}", ["A"]),
        (r"so \boxed {A} it is", ["A"]),
        ("\\boxed\n{A}", ["A"]),
        (r"\boxed{\text{A}, \text{C}}", [r"\text{A}, \text{C}"]),
        (r"\boxed{\frac{1}{2}} and \boxed{}", [r"\frac{1}{2}", ""]),
        (r"\boxed{\{A, B\}}", [r"\{A, B\}"]),
        (r"\boxed{a\}b}", [r"a\}b"]),
        (r"\boxed{\boxed{A}}", ["A"]),
        (r"\boxed{open \boxed{A}", ["A"]),
        (r"\boxed{{a} \boxed{b} }", ["b"]),
        (r"\boxed{A} \boxed{open", ["A"]),
        (r"\boxed{{A}", []),
        (r"\boxed A", []),
        (r"boxed{A}", []),
        ("", []),
    ],
)
def test_boxes(text, contents):
    assert [box.content for box in find_boxes(text)] == contents
    last = last_box(text)
    assert (last.content if last else None) == (contents[-1] if contents else None)


def test_span():
    text = r"答 \boxed {A}。"
    box = last_box(text)
    assert text[box.start : box.end] == r"\boxed {A}"


@settings(max_examples=500)
@given(
    st.lists(st.sampled_from(["\\boxed", "{", "}", "\\{", "\\}", " ", "A"]), max_size=14).map(
        "".join
    )
)
def test_against_counting_braces_one_by_one(text):
    expected = []
    start = text.find("\\boxed")
    while start >= 0:
        end = text.find("\\boxed", start + 1)
        content = _counted(text[start + 6 : end if end >= 0 else None])
        expected += [] if content is None else [content]
        start = end
    assert [box.content for box in find_boxes(text)] == expected


def _counted(rest):
    rest = rest.lstrip()
    if not rest.startswith("{"):
        return None
    depth = 0
    for i, char in enumerate(rest):
        escapes = len(rest[:i]) - len(rest[:i].rstrip("\\"))  # `\\}` is a line break and a brace
        if char in "{}" and escapes % 2 == 0:
            depth += 1 if char == "{" else -1
            if depth == 0:
                return rest[1:i]
    return None


@settings(max_examples=200)
@given(
    st.lists(st.sampled_from(["{", "}", "{}", "\\{", "\\}", "\\", "中"]), min_size=1, max_size=6),
    st.sampled_from([10, 90, 4096, 8192, 9001, 20_000]),
    st.sampled_from(["", "}", "}}}", "}{", "}" + "{}" * 40 + "}", "}" * 12 + "{{}"]),
    st.integers(0, 5),
)
def test_many_braces_are_counted_the_same(pieces, length, end, shift):
    """Blocks, their borders, and what is skipped in them."""
    piece = "".join(pieces)
    content = "." * shift + (piece * (length // len(piece) + 1))[:length] + end
    expected = _counted("{" + content)
    box = last_box("\\boxed{" + content)
    assert (box.content if box else None) == expected


def test_escapes_at_the_borders_of_blocks():
    for shift in range(4):
        content = "." * shift + r"\}{}\\" * 9000
        assert last_box(f"\\boxed{{{content}") is None
        assert last_box(f"\\boxed{{{content} }}").content == content + " "


@pytest.mark.parametrize("depth", [1, 2, 3, 4, 5, 100, 20_000])
def test_deep_nests_end_where_they_end(depth):
    for content in (
        "{" * depth + "}" * depth,
        ("{" * depth + "x" + "}" * depth) * (30_000 // depth),
    ):
        for after in ("", "}", "{", "{{}", "。" * 9000):
            assert last_box(f"\\boxed{{{content}}}{after}").content == content
        assert last_box(f"\\boxed{{{content}") is None


def test_the_last_complete_box_is_found_behind_incomplete_ones():
    assert last_box(r"\boxed{A}" + r"\boxed{{}" * 9000).content == "A"
