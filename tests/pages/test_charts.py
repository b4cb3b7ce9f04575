import base64
import hashlib
import math
import re
from xml.etree import ElementTree

import pytest

pytest.importorskip("jinja2")

from dianjin_ext.pages.blocks import Bars, Chart, Charts, Folded, Page, Section, Share, Table, Words
from dianjin_ext.pages.html import html
from dianjin_ext.pages.markdown import markdown
from dianjin_ext.pages.svg import curves

STEP = Words("step", "步")


def drawn(chart):
    root = ElementTree.fromstring(curves(chart))
    _, _, width, height = map(float, root.get("viewBox").split())
    lines = [e.get("d") for e in root if e.get("class", "").startswith("line")]
    points = [
        [tuple(map(float, pair.split())) for pair in re.split("[ML]", line)[1:]] for line in lines
    ]
    for x, y in [point for line in points for point in line]:
        assert 0 <= x <= width and 0 <= y <= height
    return points, [(e.get("class"), e.text) for e in root if e.tag == "text"]


def test_points_are_where_their_values_are():
    ((first, middle, last),), labels = drawn(
        Chart("loss", STEP, [("a", [(0, 0.0), (5, 10.0), (10, 5.0)])])
    )
    assert first[0] < middle[0] < last[0]
    assert middle[1] < last[1] < first[1]
    assert middle[0] - first[0] == pytest.approx(last[0] - middle[0], abs=0.2)
    assert [text for kind, text in labels if kind == "x"] == ["0", "2.5", "5", "7.5", "10"]


@pytest.mark.parametrize(
    "points",
    [
        [(1, 2.0)],
        [(0, 0.0), (1, 0.0)],
        [(0, -1e-9), (1, 1e9)],
        [(3, 1e-300), (4, 1e-300)],
        [(nth, math.sin(nth)) for nth in range(5000)],
        [(0, 1.0), (1, 1.0 + 1e-12)],
    ],
)
@pytest.mark.parametrize("shares", [False, True])
def test_any_finite_values_are_drawn(points, shares):
    points = [(x, min(1.0, abs(y))) for x, y in points] if shares else points
    lines, _ = drawn(Chart("any", STEP, [("a", points)], shares=shares))
    assert 1 <= len(lines[0]) <= 401


def test_a_logarithmic_axis_has_powers_of_two():
    points = [(64.0, 0.1), (128.0, 0.2), (256.0, 0.3), (1024.0, 0.4)]
    ((a, b, c, d),), labels = drawn(
        Chart("by length", STEP, [("a", points)], shares=True, logarithmic=True)
    )
    assert b[0] - a[0] == pytest.approx(c[0] - b[0], abs=0.2)
    assert d[0] - c[0] == pytest.approx(2 * (b[0] - a[0]), abs=0.2)
    assert [text for kind, text in labels if kind == "x"] == ["64", "128", "256", "512", "1,024"]
    assert [text for kind, text in labels if kind == "y"] == ["0%", "25%", "50%", "75%", "100%"]


def test_nothing_to_draw_is_nothing():
    assert curves(Chart("none", STEP, [("a", [])])) == ""


@pytest.fixture
def page():
    table = Table([Words("Name", "名称"), "n"], [["<b>&", 3], ["x|y", 4]])
    blocks = [
        Bars([("task <i>", [("model <u>", Share(0.5, "50 %", 0.4, 0.6)), ("b", Share(1.0, "1"))])]),
        Charts([Chart("curve </svg>", STEP, [("s <s>", [(0, 1.0), (1, 2.0)])])]),
        Folded(Words("more", "更多"), table),
    ]
    return Page("Title <x>", Words("About", "说明"), "en", [Section("a", Words("A", "甲"), blocks)])


def test_bars_charts_and_folded_tables_stand_in_the_page(page):
    text = html(page, needs="")
    assert "width: 50.0%" in text and "left: 40.0%; width: 20.0%" in text
    assert text.count("<svg") == 1 and text.count("<details") == 1
    for escaped in ("task &lt;i&gt;", "model &lt;u&gt;", "curve &lt;/svg&gt;", "&lt;b&gt;&amp;"):
        assert escaped in text
    assert not re.search("<(i>|u>|s>|b>|x>)", text)
    assert "script" not in text


def test_and_in_markdown(page):
    text = markdown(page, "zh", other="page.md")
    assert "| task \\<i\\> | model \\<u\\> | █████░░░░░ 50 % |" in text
    assert "**更多**" in text and "| x\\|y | 4 |" in text
    assert "| s \\<s\\> | 1 | 2 | 1 | 2 |" in text


def test_a_script_is_named_by_its_hash(page):
    digest = base64.b64encode(hashlib.sha256(b"let a = 1;").digest()).decode()
    assert f"script-src 'sha256-{digest}'" in html(page, needs="", script="let a = 1;")
