"""The page in a real browser: clicked, searched, switched, on a desk and on a phone."""

import json

import pytest

pytest.importorskip("jinja2")
pytest.importorskip("scipy")

from dianjin_ext.evaluation.contradiction import stated
from dianjin_ext.evaluation.graded_span import span

DESK, PHONE = {"width": 1200, "height": 900}, {"width": 360, "height": 740}


class Opened:
    """A page, with what it logged and asked for."""

    def __init__(self, browser, path, **context):
        self.context = browser.new_context(**context)
        self.page = self.context.new_page()
        self.said, self.asked = [], []
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("dialog", lambda dialog: self.said.append(dialog.message))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.goto(path.as_uri())

    def overflow(self):
        return self.page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )

    def count(self):
        return int(self.page.text_content("#count").split(" of ")[0].replace(",", ""))

    def choose(self, name, value):
        self.page.select_option(f"select[data-filter={name}]", value)

    def all_items(self):
        while self.page.is_visible("#more"):
            self.page.click("#more")
        return self.page.locator("#list > details")

    def open_all(self, items):
        for item in items:
            item.locator("summary").first.click()
            item.locator(".answer").first.wait_for()

    def close(self):
        self.context.close()


@pytest.fixture
def opened(chromium, report):
    pages = []

    def open_page(path=report[0], viewport=DESK, **context):
        pages.append(Opened(chromium, path, viewport=viewport, **context))
        return pages[-1]

    yield open_page
    for each in pages:
        each.close()
        assert each.said == []
        assert all(url.startswith(("file:", "data:")) for url in each.asked)
        assert len(each.asked) == 1


def rows(folders):
    for folder in folders:
        for file in (folder / "responses").iterdir():
            yield from map(json.loads, file.read_text("utf-8").splitlines())


def test_one_language_is_shown_at_a_time(opened):
    it = opened()
    it.page.click("label[for=in-zh]")
    assert it.page.is_visible("#accuracy h2 [lang=zh]")
    assert not it.page.is_visible("#accuracy h2 [lang=en]")
    assert it.page.get_attribute("html", "lang") == "zh"
    assert "题" in it.page.text_content("#count")
    assert it.page.get_attribute("#search", "placeholder").startswith("题目")
    it.page.click("label[for=in-en]")
    assert it.page.is_visible("#accuracy h2 [lang=en]")
    assert not it.page.is_visible("#accuracy h2 [lang=zh]")
    assert it.page.get_attribute("#search", "placeholder").startswith("text of")


def test_dark_and_light_by_the_system_and_by_the_button(opened):
    def background(it):
        return it.page.evaluate("getComputedStyle(document.body).backgroundColor")

    light, dark = opened(color_scheme="light"), opened(color_scheme="dark")
    assert background(light) != background(dark)
    before = background(light)
    light.page.click("#theme")
    assert background(light) == background(dark)
    dark.page.click("#theme")
    assert background(dark) == before


def test_samples_are_searched_and_filtered(opened, folders, made):
    it = opened()
    it.page.click("label[for=in-en]")
    every = it.count()
    assert every == 182
    last = [row for row in rows(folders) if row["model"] == "grpo"]
    it.choose("show", "wrong")
    assert it.count() == sum(row["acc"] != 1 for row in last)
    it.choose("run", "0")
    assert it.count() == sum(r["acc"] != 1 for r in rows(folders) if r["model"] == "sft")
    it.choose("run", "1")
    it.choose("show", "right")
    assert it.count() == sum(row["acc"] == 1 for row in last)
    it.choose("show", "contradicts")
    assert it.count() == sum(made.seen(stated, row).contradicts for row in last) > 0
    it.choose("show", "")
    it.choose("reason", "truncated")
    assert it.count() == sum(row["reason"] == "truncated" for row in last) > 0
    it.choose("reason", "")
    it.choose("language", "zh")
    assert it.count() == 60
    it.choose("language", "")
    it.choose("task", "finqa · dianjin_r1")
    assert it.count() == 60
    it.page.fill("#search", "ratio in 2007,")
    it.page.wait_for_selector("#count >> text=/^1 of/")
    assert it.all_items().count() == 1
    it.page.fill("#search", "no such text anywhere")
    it.page.wait_for_selector("#count >> text=/^0 of/")
    assert it.all_items().count() == 0


def test_gained_and_lost_are_those_of_the_facts(opened, report):
    it = opened()
    it.page.click("label[for=in-en]")
    changes = report[1]["changes"]
    for way in ("gained", "lost"):
        it.choose("show", f"{way}-0-1")
        assert it.count() == sum(change[way] for change in changes) > 0
        first = it.page.locator("#list > details").first
        marks = first.locator(".verdicts").inner_text().split()
        assert marks == (
            ["✗", "sft", "✓", "grpo"] if way == "gained" else ["✓", "sft", "✗", "grpo"]
        )


def test_the_graded_answer_is_marked(opened, folders, made):
    it = opened()
    by_id = {(row["model"], row["id"]): row for row in rows(folders)}
    it.choose("task", "cflue_mcq · dianjin_r1")
    items = it.all_items()
    seen = 0
    for nth in range(0, items.count(), 3):
        item = items.nth(nth)
        it.open_all([item])
        name = item.locator("summary code").first.inner_text()
        for place, model in enumerate(("sft", "grpo")):
            row = by_id[model, name]
            answer = item.locator(".answer").nth(place)
            assert answer.locator("header strong").inner_text() == model
            assert answer.locator("pre.response").text_content() == row["response"]
            marked = answer.locator("mark").all_text_contents()
            place = made.seen(span, row)
            assert marked == ([row["response"][slice(*place)]] if place else [])
            assert not marked or marked == [row["pred"]]
            seen += len(marked)
    assert seen > 20


def test_hostile_text_is_text(opened):
    it = opened()
    it.page.click("label[for=in-en]")
    it.page.fill("#search", "window.hit")
    it.page.wait_for_selector("#count >> text=/^2 of/")
    it.open_all(it.all_items().all())
    shown = it.page.text_content("#list")
    assert "</script><script>window.hit = 1</script>" in shown
    assert "\\u202eright to left\\u202c \\ud800 {{ 7*7 }}" in shown
    assert "49" not in shown.split("{{ 7*7 }}")[0][-20:]
    assert "characters left out" in shown
    assert it.page.evaluate("window.hit") is None
    assert it.page.locator("#list img, #list script, #list style").count() == 0
    assert it.page.is_visible("h1")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_nothing_overflows_on_a_phone(opened, language):
    it = opened(viewport=PHONE, color_scheme="dark")
    it.page.click(f"label[for=in-{language}]")
    assert it.overflow() <= 0
    for details in it.page.locator("section:not(#samples) details").all():
        details.locator("summary").first.click()
    it.open_all(it.page.locator("#list > details").all()[:8])
    assert it.overflow() <= 0
    it.page.fill("#search", "window.hit")
    it.page.wait_for_selector("#count >> text=/^2 of|有 2 道/")
    it.open_all(it.page.locator("#list > details").all())
    assert it.overflow() <= 0
    size = it.page.evaluate(
        "Math.min(...[...document.querySelectorAll('p, td, pre, summary, svg text')]"
        ".filter((e) => e.getClientRects().length).map((e) => e.tagName === 'text'"
        " ? e.getBoundingClientRect().height : parseFloat(getComputedStyle(e).fontSize)))"
    )
    assert size >= 9


def test_everything_is_reached_by_keyboard(opened):
    it = opened()
    it.page.click("label[for=in-en]")
    it.page.focus("#in-en")
    it.page.keyboard.press("ArrowRight")
    assert it.page.is_checked("#in-zh")
    it.page.keyboard.press("ArrowLeft")
    it.page.focus("#theme")
    it.page.keyboard.press("Enter")
    assert it.page.get_attribute("html", "data-theme") == "dark"
    it.page.focus("#search")
    it.page.keyboard.type("ratio in 2007,")
    it.page.wait_for_selector("#count >> text=/^1 of/")
    focused = "document.activeElement.tagName + (document.activeElement.dataset.filter || '')"
    reached = []
    for _ in range(12):
        it.page.keyboard.press("Tab")
        reached.append(it.page.evaluate(focused))
        if reached[-1] == "SUMMARY":
            break
    assert reached[0] == "SELECTshow"
    assert reached[-1] == "SUMMARY"
    it.page.keyboard.press("Enter")
    it.page.wait_for_selector("#list > details[open] .answer")
    assert it.page.locator("#list > details[open] .answer").count() == 2


def test_a_page_of_logs_alone_works_too(opened, made, tmp_path):
    from dianjin_ext.evaluation.report import write_report

    made.write_logs(tmp_path / "train")
    write_report([tmp_path / "train"], tmp_path / "report.html")
    it = opened(tmp_path / "report.html")
    assert it.page.locator("figure").count() == 6
    it.page.click("#theme")
    it.page.click("label[for=in-zh]")
    assert it.page.is_visible("figcaption:has-text('SFT 损失')")
