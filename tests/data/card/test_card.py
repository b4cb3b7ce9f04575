import json
from dataclasses import replace
from html.parser import HTMLParser
from itertools import product

import pytest
from markdown_it import MarkdownIt
from typer.testing import CliRunner

from dianjin_ext.cli import app
from dianjin_ext.data.build import build
from dianjin_ext.data.candidate import write_candidates
from dianjin_ext.data.card import write_card
from dianjin_ext.data.pipeline import load_pipeline
from dianjin_ext.errors import DianjinError
from dianjin_ext.questions.question import write_questions

VOID = {"meta", "input", "br", "img", "hr", "link"}


class Page(HTMLParser):
    """Checks that every tag is closed, and collects what a page would load or run."""

    def __init__(self):
        super().__init__()
        self.open, self.tags, self.links, self.text, self.styles = [], [], [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name in ("src", "href", "action")]
        self.styles += [value for name, value in attrs if name == "style"]
        assert not [name for name, _ in attrs if name.startswith("on")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        (self.styles if self.open and self.open[-1] == "style" else self.text).append(data)


def page(path):
    found = Page()
    found.feed(path.read_text(encoding="utf-8"))
    found.close()
    assert found.open == []
    return found


@pytest.fixture(scope="module")
def card(built, tmp_path_factory):
    out = tmp_path_factory.mktemp("card") / "card.md"
    return out, write_card(built, truth=built / "labels.jsonl", out=out)


def test_the_facts_are_those_of_the_rows(card, made, tmp_path):
    out, facts = card
    rows, labels = made.built(tmp_path / "again")
    assert json.loads(out.with_suffix(".json").read_text(encoding="utf-8")) == facts
    assert (facts["name"], facts["responses"]) == ("fin_r1", 204)
    taught = {row.question.id for row in rows if row.use == "sft"}
    assert facts["used"]["sft"] == len(taught)
    assert facts["used"]["rl"] + facts["used"]["val"] == 100 - len(taught)
    assert facts["trained"] == ["sft", "rl", "val"]
    assert facts["by"]["language"]["zh"]["sft"] == sum(
        row.use == "sft" and row.question.language == "zh" for row in rows
    )
    cut = sum(row.dropped == "distill: cut" for row in rows)
    (answers,) = facts["answers"]
    assert answers["outcomes"]["right"]["k"] == 4 + sum(row.acc == 1.0 for row in rows)
    assert answers["outcomes"]["cut"]["k"] == cut > 0
    assert sum(each["questions"] for each in answers["passed"]) == 102
    assert [step["step"] for step in facts["funnel"]] == [
        "rewrite", "decontaminate", "distill", "verify", "select", "bands", "mix",
    ]  # fmt: skip
    assert facts["funnel"][2]["dropped"] == {"cut": cut, "contains_marks": 1}
    assert facts["funnel"][2]["standing"] == 199 - cut
    standing = sum(not row.dropped for row in rows)
    assert (facts["funnel"][5]["rows"], facts["funnel"][5]["standing"]) == (200, standing)
    assert facts["dropped"]["bands: too_easy"] == 4  # which the last file doesn't have
    assert sum(each["cost"] for each in facts["spent"]) == 6.0
    assert facts["leaks"]["removed"] == 1
    assert facts["leaks"]["against"] == ["eval/financeiq.parquet", "eval/fineval.parquet"]
    assert facts["licences"]["whole"]["commercial"] == "no"
    assert {each["prompt"]: each["same"] for each in facts["prompts"]} == {
        "rewrite/2": True, "select/1": True,
    }  # fmt: skip
    assert facts["quality"]["labels"] == facts["quality"]["met"] == len(labels)


def test_judge_and_rules_are_compared(card, made, tmp_path):
    _, facts = card
    rows, _ = made.built(tmp_path / "again")
    notes = [row.notes.get("verify", {}) for row in rows]
    both = [note for note in notes if "judge" in note]
    agreement = facts["judge"]["agreement"]
    assert agreement["same"]["n"] == len(both)
    assert agreement["same"]["k"] == sum(note["rule"] == note["judge"] for note in both)
    assert 0 < agreement["kappa"] <= 1
    steps = next(each for each in facts["judge"]["measures"] if each["measure"] == "steps")
    assert steps["criterion"] == "reasoning_steps" and steps["agreement"] == 1.0
    assert steps["mean_passed"] > steps["mean_failed"]


def test_both_languages_and_the_page_say_the_same_numbers(card):
    out, facts = card
    english = out.read_text(encoding="utf-8")
    chinese = out.with_name("card_zh.md").read_text(encoding="utf-8")
    shown = "".join(page(out.with_suffix(".html")).text)
    precision = facts["quality"]["filters"][1]["overall"]["precision"]
    told = f"{100 * precision['rate']:.1f} %"
    for text in (english, chinese, shown):
        assert told in text
        assert f"{facts['used']['sft']:,}" in text
    for section in ("How good the filters are", "Sources and licences", "What each step dropped"):
        assert f"## {section}" in english and section in shown
    assert "## 筛选质量" in chinese and "筛选质量" in shown
    assert "How good" not in chinese
    assert english.startswith("---\npretty_name: fin_r1\n")


def test_the_same_set_gives_the_same_card(card, built, tmp_path):
    out, _ = card
    write_card(built, truth=built / "labels.jsonl", out=tmp_path / "card.md")
    for name in ("card.md", "card_zh.md", "card.html", "card.json"):
        assert (tmp_path / name).read_bytes() == (out.parent / name).read_bytes()


def test_a_page_runs_nothing_and_asks_nobody(card):
    out, _ = card
    text = out.with_suffix(".html").read_text(encoding="utf-8")
    found = page(out.with_suffix(".html"))
    assert not {"script", "img", "link", "iframe", "object", "svg"} & set(found.tags)
    assert all(link.startswith("#") for link in found.links)
    assert "default-src 'none'" in text
    assert not [style for style in found.styles if "url(" in style or "@import" in style]
    assert "<script>" not in text and "prefers-color-scheme: dark" in text


def test_what_rows_hold_stays_text(made, tmp_path):
    hostile = made.HOSTILE + "\n## not a heading\n\u202e"
    asked = made.question(
        1, question=hostile, category=hostile, licence=hostile, name="x",
        data_source=hostile, context=hostile,
    )  # fmt: skip
    row = made.candidate(1, question=asked, model=hostile, reasoning=hostile, response=hostile)
    rows = [row, row.drop("verify", hostile)]
    write_candidates([replace(rows[0], right=1, of=2), rows[1]], tmp_path / "x.parquet")
    write_card(tmp_path / "x.parquet")
    found = page(tmp_path / "x.card.html")
    assert not {"script", "img"} & set(found.tags)
    assert "<script>alert('x')</script>" in "".join(found.text)
    assert "\u202e" not in "".join(found.text)
    text = (tmp_path / "x.card.md").read_text(encoding="utf-8")
    found = rendered(text)
    assert not {"script", "img", "h4"} & set(found.tags)
    assert "<script>alert('x')</script>" in "".join(found.text)
    assert "not a heading" in "".join(found.text) and found.tags.count("h1") == 1
    assert "\u202e" not in text


def rendered(text):
    """Return what a reader of GitHub's Markdown makes of it, in which HTML is let through."""
    found = Page()
    body = text.removeprefix("---\n").partition("\n---\n")[2]
    found.feed(MarkdownIt("commonmark", {"html": True}).enable("table").render(body))
    found.close()
    assert found.open == []
    return found


def test_markdown_is_read_as_it_is_meant(card):
    out, _ = card
    found = rendered(out.read_text(encoding="utf-8"))
    assert found.tags.count("h1") == 1
    assert found.tags.count("h2") == page(out.with_suffix(".html")).tags.count("section")
    assert found.tags.count("table") == page(out.with_suffix(".html")).tags.count("table")
    assert found.tags.count("td") == page(out.with_suffix(".html")).tags.count("td")
    assert "script" not in found.tags  # one of the samples holds one
    assert "alert('x')" in "".join(found.text)


def test_an_empty_set_has_a_card(tmp_path):
    write_candidates([], tmp_path / "none.parquet")
    facts = write_card(tmp_path / "none.parquet")
    assert facts["rows"] == 0 and facts["answers"] == [] and facts["licences"]["whole"] is None
    page(tmp_path / "none.card.html")
    assert "The set is empty" in (tmp_path / "none.card.md").read_text(encoding="utf-8")


def test_questions_have_a_card(made, tmp_path):
    asked = [made.question(n) for n in range(30)] + [
        made.question(n, "en", "mine", licence="", answer=None) for n in range(10)
    ]
    write_questions(asked, tmp_path / "questions.parquet")
    facts = write_card(tmp_path)
    assert (facts["holds"], facts["rows"], facts["without_gold"]) == ("questions", 40, 10)
    assert facts["responses"] == 0
    assert facts["lengths"]["question"]["prompt"]["n"] == 40
    text = (tmp_path / "card.md").read_text(encoding="utf-8")
    assert "40 questions, without responses; 10 of them have no gold answer" in text
    assert "is not known for mine: ask before you publish" in text
    assert "Not known: ask before you publish." in text
    assert "\nlicense: other\n" in text  # not that of the part which states one
    page(tmp_path / "card.html")
    write_questions(asked[:30], tmp_path / "questions.parquet")
    write_card(tmp_path)
    assert "\nlicense: cc-by-nc-sa-4.0\n" in (tmp_path / "card.md").read_text(encoding="utf-8")


def test_candidates_without_a_manifest_tell_what_they_can(made, tmp_path):
    rows = [made.candidate(n) for n in range(6)]
    rows[1] = rows[1].drop("select", "overlap")
    rows[2] = rows[2].drop("verify", "wrong")
    rows[3] = replace(rows[3], told_gold=True)
    rows[4] = rows[4].note("verify", {"rule": "undecided", "judge": "correct"})
    write_candidates(rows, tmp_path / "x.parquet")
    facts = write_card(tmp_path / "x.parquet")
    told = [(each["step"], each["rows"], each["standing"]) for each in facts["funnel"]]
    assert told == [("verify", 6, 5), ("select", 6, 4)]
    assert [each["model"] for each in facts["answers"]] == [
        "teacher-7b", "teacher-7b (told the gold answer)",
    ]  # fmt: skip
    assert facts["trained"] == ["standing"] and facts["leaks"] is None
    text = (tmp_path / "x.card.md").read_text(encoding="utf-8")
    for words in (
        "1 rows of the set were written by a model that had been told the gold answer",
        "No step of this set compared it with sets kept for evaluation",
        "The judge alone decided 1 rows and was never compared with rules",
        "label a part and pass --truth",
    ):
        assert words in text


def test_of_a_models_folder_and_of_stray_labels_the_card_says_what_helps(made, tmp_path):
    row = replace(made.candidate(1), model="/home/somebody/runs/merged").note("verify", {})
    write_candidates([row], tmp_path / "x.parquet")
    labels = [{"id": row.question.id, "right": True}, {"id": "gone", "right": True}]
    (tmp_path / "labels.jsonl").write_text("\n".join(map(json.dumps, labels)))
    facts = write_card(tmp_path / "x.parquet", truth=tmp_path / "labels.jsonl")
    assert facts["quality"]["met"] == 1
    text = (tmp_path / "x.card.md").read_text(encoding="utf-8")
    assert "1 labels name no response of this set" in text
    assert "somebody" not in json.dumps(facts) and "runs/merged" in text


def test_what_is_no_set_is_told(tmp_path):
    with pytest.raises(DianjinError, match="is not there"):
        write_card(tmp_path / "gone")
    with pytest.raises(DianjinError, match=r"holds no candidates\.parquet or"):
        write_card(tmp_path)
    (tmp_path / "manifest.json").write_text("[")
    with pytest.raises(DianjinError, match="can't be read as a manifest"):
        write_card(tmp_path)
    (tmp_path / "manifest.json").write_text('{"steps": {}}')
    with pytest.raises(DianjinError, match="expected an object with a list of steps"):
        write_card(tmp_path)
    (tmp_path / "x.parquet").write_text("x")
    with pytest.raises(DianjinError, match="can't be read as parquet"):
        write_card(tmp_path / "x.parquet")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["manifest.json", "x.parquet"]


def test_a_build_has_a_card_that_tells_no_paths(made, tmp_path):
    home = tmp_path / "home of somebody"
    home.mkdir()
    words = ("bond", "share", "option", "fund", "loan", "swap", "index", "fee", "tax", "rate")
    asked = [
        made.question(nth, question=f"What does the {word} {other} come to?")
        for nth, (word, other) in enumerate(product(words, words))
    ]
    write_questions(asked, home / "asked.parquet")
    write_questions(asked[:3], home / "held.parquet")
    pipeline = home / "mine.yaml"
    pipeline.write_text(
        f"""
name: mine
steps:
  asked: {{step: read, files: "{home}/asked.parquet"}}
  held: {{step: read, files: "{home}/held.parquet"}}
  clean: {{step: decontaminate, from: asked, against: [held]}}
  drawn: {{step: mix, from: clean}}
"""
    )
    build(load_pipeline(pipeline), home / "out")
    facts = write_card(home / "out")
    assert facts["leaks"]["by_file"] == {"held.parquet": facts["leaks"]["removed"]}
    assert facts["leaks"]["against"] == ["held.parquet"] and facts["leaks"]["removed"] >= 3
    assert facts["responses"] == 0 and facts["used"]["rl"] > 0
    assert [step["step"] for step in facts["funnel"]] == ["read", "read", "decontaminate", "mix"]
    for name in ("card.md", "card_zh.md", "card.html", "card.json"):
        assert str(home.parent) not in (home / "out" / name).read_text(encoding="utf-8")
    assert (
        CliRunner().invoke(app, ["card", str(home / "out")]).exit_code == 0
    )  # the build wrote one
    # A card of the set's own folder is that of the build: a file there would change its digest.
    before = sorted((home / "out/drawn").rglob("*"))
    assert write_card(home / "out/drawn") == facts
    assert write_card(home / "out/drawn/questions.parquet") == facts
    assert sorted((home / "out/drawn").rglob("*")) == before


def test_the_command_writes_four_files_and_destroys_none(built, tmp_path):
    out = tmp_path / "mine.md"
    truth = built / "labels.jsonl"
    arguments = ["card", str(built), "--truth", str(truth), "--out", str(out)]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "mine.html", "mine.json", "mine.md", "mine_zh.md",
    ]  # fmt: skip
    assert done.stdout.count("mine") == 4
    done = CliRunner().invoke(app, arguments)
    assert isinstance(done.exception, DianjinError)
    assert "there already" in str(done.exception)
    assert CliRunner().invoke(app, [*arguments, "--overwrite"]).exit_code == 0
    done = CliRunner().invoke(app, ["card", str(built), "--out", str(tmp_path / "card.txt")])
    assert "expected a name that ends in .md" in str(done.exception)
