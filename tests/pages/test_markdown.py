"""Whatever a text holds, Markdown shows it as it is and nothing else."""

from html.parser import HTMLParser

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from dianjin_ext.pages.markdown import coded, escape, fenced
from dianjin_ext.visible import visible

MARKS = "\\`*_[]()<>|~$#!&;:-+=.1 \t\nab中，\"'/\r\u202e\x00"
TEXTS = st.text(alphabet=st.one_of(st.sampled_from(MARKS), st.characters(codec="utf-8")))


class Shown(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags, self.text = [], ""
        parser = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
        self.feed(parser.render(text))
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)

    def handle_data(self, data):
        self.text += data


def plain(text):
    return " ".join(visible(text).split())


@settings(max_examples=500, deadline=None)
@given(TEXTS)
@example("1. one")
@example("2024) two")
@example("- minus")
@example("+1.5%")
@example("=== \n---")
@example("# heading")
@example("&lt;script&gt; &#60;b&#62;")
@example("<script>alert(1)</script>")
@example("https://x.test/a_b_c **b** [x](javascript:y) ![x](y)")
@example("$$x$$ `a` ``b``")
@example("a\\")
@example("\\|")
def test_a_text_is_one_line_of_text(text):
    shown = Shown(f"{escape(text)}\n")
    assert shown.text.strip() == plain(text)
    assert set(shown.tags) <= {"p"}
    row = Shown(f"| {escape(text)} | b |\n| --- | --- |\n| {escape(text)} | d |\n")
    assert row.tags.count("td") == 2 and row.tags.count("th") == 2
    assert set(row.tags) <= {"table", "thead", "tbody", "tr", "th", "td"}
    item = Shown(f"- {escape(text)}\n")
    assert set(item.tags) <= {"ul", "li", "p"} and item.tags.count("li") == 1


@settings(max_examples=300, deadline=None)
@given(TEXTS)
@example("```\n````\n~~~")
@example("</code></pre><script>")
def test_a_fence_holds_whatever_it_is_given(text):
    shown = Shown(f"{fenced(text)}\n\nafter\n")
    assert shown.tags == ["pre", "code", "p"]
    assert shown.text.endswith("after\n")


@settings(max_examples=300, deadline=None)
@given(TEXTS)
@example("a|b`c``d")
@example("`")
@example("\\|")
def test_a_name_in_a_table_is_code(text):
    row = Shown(f"| {coded(text)} | b |\n| --- | --- |\n| {coded(text)} | d |\n")
    assert row.tags.count("td") == 2 and row.tags.count("code") == (0 if "\\|" in text else 2)
    assert set(row.tags) <= {"table", "thead", "tbody", "tr", "th", "td", "code"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [("a\u202eb", "a\\u202eb"), ("a\r\nb", "a\nb"), ("\x00", "\\u0000"), ("中文\t好", "中文\t好")],
)
def test_what_hides_is_seen(text, expected):
    assert visible(text) == expected
