import json
import re
from html.parser import HTMLParser

import pytest
from typer.testing import CliRunner

pytest.importorskip("jinja2")
pytest.importorskip("scipy")

from dianjin_ext.cli import app
from dianjin_ext.errors import DianjinError
from dianjin_ext.evaluation.contradiction import stated
from dianjin_ext.evaluation.report import files, write_report
from dianjin_ext.evaluation.report.samples import LONGEST, MOST_QUESTIONS, embedded, parts
from dianjin_ext.evaluation.statistics import compare, holm


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.names, self.links = [], []

    def handle_starttag(self, tag, attributes):
        self.names.append(tag)
        self.links += [value for name, value in attributes if name in ("src", "href")]


def lines(folder, benchmark):
    text = (folder / "responses" / f"{benchmark}.dianjin_r1.jsonl").read_text("utf-8")
    return [json.loads(line) for line in text.splitlines()]


def test_four_files_say_what_the_summaries_say(folders, report):
    out, facts = report
    page, english, chinese, data = (path.read_text("utf-8") for path in files(out))
    assert json.loads(data) == facts
    for folder in folders:
        summary = json.loads((folder / "summary.json").read_text("utf-8"))
        for result in summary["results"]:
            shown = f"{100 * result['accuracy']:.1f} %"
            interval = f"{100 * result['accuracy_low']:.1f}, {100 * result['accuracy_high']:.1f}"
            for text in (page, english, chinese):
                assert f"{shown} [{interval}]" in text.replace("\\[", "[").replace("\\]", "]")
    assert "## What changed" in english and "## 变化" in chinese
    assert re.search("[一-鿿]", english.split("## Responses")[0].split("## By kind")[0])  # 中文
    assert not list(out.parent.glob(".*"))


def test_the_page_asks_nobody_and_runs_its_own_script_only(report):
    text = report[0].read_text("utf-8")
    tags = Tags()
    tags.feed(text)
    assert tags.names.count("script") == 2
    assert not {"img", "link", "iframe", "object", "embed", "form"} & set(tags.names)
    assert all(link.startswith("#") for link in tags.links)
    assert "default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-" in text
    assert not re.search(r"url\(|@import|javascript:", text.split('id="data"')[0])


def test_changes_are_counted_and_tested(folders, report):
    facts = report[1]
    assert [change["benchmark"] for change in facts["changes"]] == ["cflue_mcq", "finqa", "tfns"]
    ps = []
    for change in facts["changes"]:
        before, after = (
            {row["id"]: row["acc"] for row in lines(folder, change["benchmark"])}
            for folder in folders
        )
        moved = [(before[name], after[name]) for name in before]
        assert change["wrong_right"] == change["gained"] == moved.count((0.0, 1.0))
        assert change["right_wrong"] == change["lost"] == moved.count((1.0, 0.0))
        assert change["right_right"] == moved.count((1.0, 1.0))
        expected = compare([[b] for b, _ in moved], [[a] for _, a in moved])
        assert (change["p"], change["low"]) == (expected.p, expected.low)
        assert change["test"] == "McNemar exact"
        ps.append(change["p"])
    assert [change["p_holm"] for change in facts["changes"]] == holm(ps)
    assert "Holm" in report[0].with_suffix(".md").read_text("utf-8")
    (first, *_) = facts["changes"]
    assert sum(part["n"] for part in first["by"]["category"].values()) == first["n"]


def test_contradictions_are_counted(folders, report, made):
    for run, folder in zip(report[1]["runs"], folders, strict=True):
        for result in run["results"]:
            found = lines(folder, result["benchmark"])
            said = [made.seen(stated, row) for row in found]
            of = zip(said, found, strict=True)
            assert result["contradiction"] == {
                "responses": len(found),
                "stated": sum(each.answer is not None for each in said),
                "contradicts": sum(each.contradicts for each in said),
                "right": sum(each.contradicts and row["acc"] == 1 for each, row in of),
            }


def test_several_processes_find_what_one_does(folders, report, tmp_path, monkeypatch, capfd):
    from dianjin_ext.evaluation.report import outcomes

    monkeypatch.setattr(outcomes, "_WORTH_A_PROCESS", 1)
    out, facts = report
    assert write_report(folders, tmp_path / "report.html", workers=2) == facts
    assert (tmp_path / "report.html").read_text("utf-8") == out.read_text("utf-8")
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("data_source", "none_such", r"line 2: data_source 'none_such' has no reward"),
        ("data_source", None, r"line 2, data_source: .*found null"),
        ("labels", 5, r"line 2, labels: .*found a number"),
    ],
)
def test_a_row_that_can_not_be_read_as_it_was_graded_is_named(
    made, tmp_path, monkeypatch, workers, key, value, expected
):
    from dianjin_ext.evaluation.report import outcomes

    monkeypatch.setattr(outcomes, "_WORTH_A_PROCESS", 1)
    rows = made.rows("m", "finqa", 3, right=1, seed=0)
    rows[1][key] = value
    made.write_run(tmp_path / "run", "m", {"finqa": rows})
    with pytest.raises(DianjinError, match=expected):
        write_report([tmp_path / "run"], tmp_path / "report.html", workers=workers)
    assert not (tmp_path / "report.html").exists()


def test_what_a_judge_read_is_marked_where_it_stands(made, tmp_path):
    (row,) = made.rows("m", "finqa", 1, right=1, seed=0)
    text = "<think>So the answer is 3.</think>\n<answer>\\boxed{about 7 or so}</answer>"
    judged = {"judged": 1.0, "rule_acc": 0.0, "pred": "about 7 or so"}
    made.write_run(tmp_path / "run", "m", {"finqa": [row | {"response": text} | judged]})
    write_report([tmp_path / "run"], tmp_path / "report.html")
    assert '{"m":"about 7 or so"}' in (tmp_path / "report.html").read_text("utf-8")


def test_other_protocols_and_departures_are_marked(made, tmp_path):
    rows = made.rows("m", "finqa", 20, right=0.5, seed=0)
    made.write_run(
        tmp_path / "run", "m", {"finqa": rows},
        label="dianjin_r1 without its judge", comparable=False, departures=["no judge there"],
    )  # fmt: skip
    write_report([tmp_path / "run"], tmp_path / "report.html")
    text = (tmp_path / "report.md").read_text("utf-8")
    table = text.split("## Against published numbers")[1].split("\n## ")[0].splitlines()
    ours = [line for line in table if "▶ m" in line]
    assert len(ours) == 1
    assert "without its judge" in ours[0] and "departs from it: no judge there" in ours[0]
    (same,) = (line for line in table if "| DianJin-R1-7B | dianjin\\_r1" in line)
    assert "ours departs from this protocol" in same
    (other,) = (line for line in table if "| Fino1-8B" in line)
    assert "another protocol than ours" in other
    assert "not the number of the protocol" in text


def test_logs_of_training_become_curves(report):
    curves = {(each["kind"], each["name"]): each["steps"] for each in report[1]["curves"]}
    assert list(curves) == [("sft", "sft"), ("rl", "grpo")]
    assert len(curves["sft", "sft"]["loss"]) == 50
    score = dict(map(tuple, curves["rl", "grpo"]["critic/score/mean"]))
    assert len(score) == 31
    assert score[9] == pytest.approx(0.3 + 0.015 * 9)
    assert score[10] == pytest.approx(0.3 + 0.015 * 10 + 0.01)  # of the resumed run
    assert 3 not in dict(map(tuple, curves["rl", "grpo"]["actor/entropy"]))  # NaN


def test_a_build_adds_what_its_card_says(made, tmp_path):
    rows = made.rows("m", "finqa", 5, right=1, seed=0)
    made.write_run(tmp_path / "run", "m", {"finqa": rows})
    card = {
        "name": "fin_r1",
        "rows": 232,
        "used": {"sft": 130, "rl": 72, "val": 30, "dropped": 70},
        "by": {"language": {"en": {"sft": 100, "rl": 7}, "zh": {"sft": 30}}},
        "dropped": {"wrong": 60, "term_overlap": 10},
        "licences": {"sources": [{"set": "cflue_mcq", "stated": "MIT", "rows": 402, "url": "x"}]},
    }
    write(tmp_path / "build" / "card.json", json.dumps(card))
    write_report([tmp_path / "run", tmp_path / "build"], tmp_path / "report.html")
    text = (tmp_path / "report.md").read_text("utf-8").split("## Data")[1].split("\n## ")[0]
    for line in (
        "- **SFT rows**: 130",
        "- **Rows in English**: 107",
        "| term\\_overlap | 10 |",
        "| cflue\\_mcq | MIT | 402 |",
    ):
        assert line in text


def test_models_of_one_name_and_other_questions(made, tmp_path):
    rows = made.rows("m", "finqa", 30, right=0.5, seed=0)
    made.write_run(tmp_path / "a", "/models/m", {"finqa": rows[:20]})
    made.write_run(tmp_path / "b", "/models/m", {"finqa": rows[10:]})
    made.write_run(tmp_path / "c", "other", {"tfns": made.rows("m", "tfns", 9, right=1, seed=0)})
    facts = write_report([tmp_path / name for name in "abc"], tmp_path / "report.html")
    assert [run["name"] for run in facts["runs"]] == ["m (a)", "m (b)", "other"]
    assert [run["model"] for run in facts["runs"]] == ["m", "m", "other"]
    (change,) = facts["changes"]
    assert (change["n"], change["only_one"], change["p"]) == (10, 20, 1.0)
    assert "asked of one of" in (tmp_path / "report.md").read_text("utf-8")
    assert str(tmp_path) not in (tmp_path / "report.json").read_text("utf-8")


def test_samples_of_several_draws(made, tmp_path):
    for name, right in (("a", 0.4), ("b", 0.7)):
        rows = made.rows(name, "finqa", 30, right=right, seed=3, samples=6)
        made.write_run(tmp_path / name, name, {"finqa": rows}, samples=6)
    facts = write_report([tmp_path / "a", tmp_path / "b"], tmp_path / "report.html")
    (change,) = facts["changes"]
    assert change["test"] == "sign-flip permutation"
    text = (tmp_path / "report.md").read_text("utf-8")
    assert "pass@4" in text and "cons@6" in text and "30 × 6" in text


def test_other_questions_under_the_same_ids_are_not_compared(made, tmp_path):
    rows = made.rows("m", "finqa", 20, right=0.5, seed=0)
    other = [{**row, "ground_truth": "0"} for row in rows[:4]]
    other += [{**row, "question": "Another one?"} for row in rows[4:10]]
    made.write_run(tmp_path / "a", "a", {"finqa": rows})
    made.write_run(tmp_path / "b", "b", {"finqa": other + rows[10:]})
    facts = write_report([tmp_path / "a", tmp_path / "b"], tmp_path / "report.html")
    (change,) = facts["changes"]
    assert (change["n"], change["only_one"]) == (10, 20)
    page = (tmp_path / "report.html").read_text("utf-8")
    assert page.count('"answers":{"0":[') == 20 and page.count('],"1":[') == 10


def test_models_that_were_not_asked_alike_are_told(made, tmp_path):
    rows = made.rows("m", "finqa", 20, right=0.5, seed=0)
    greedy, warm = ({"temperature": t, "samples": 1, "seed": s} for t, s in ((0.0, 0), (0.6, 1)))
    judged = {"model": "j", "kind": "chat", "agreement": None, "undecided": 0} | dict.fromkeys(
        ("both_right", "both_wrong", "only_judge", "only_rule"), 0
    )
    kinds = {
        "a": {"sampling": greedy, "rules": "1"},
        "b": {"sampling": greedy | {"seed": 7, "samples": 4}, "rules": "1"},
        "c": {"sampling": warm, "rules": "2"},
        "d": {"sampling": warm, "rules": "2", "judge": judged, "grading": {}},
    }
    for name, of in kinds.items():
        made.write_run(tmp_path / name, name, {"finqa": rows}, **of)
    facts = write_report([tmp_path / name for name in kinds], tmp_path / "report.html")
    found = {(each["before"], each["after"]): each["apart"] for each in facts["changes"]}
    assert found == {
        (0, 1): [],
        (1, 2): ["sampling", "rules"],
        (2, 3): ["grading", "judge"],
        (0, 3): ["sampling", "grading", "rules", "judge"],
    }
    text = (tmp_path / "report.md").read_text("utf-8")
    assert "b and c differ in sampling, prompt or who decides, so the difference is not" in text
    assert "a and b differ" not in text
    assert "c 与 d 的评分设置、裁判模型不同" in (tmp_path / "report_zh.md").read_text("utf-8")


def test_of_several_protocols_every_table_says_which(made, tmp_path):
    rows = made.rows("m", "finqa", 20, right=0.5, seed=0, samples=2)
    other = [{**row, "protocol": "fin_r1"} for row in rows]
    made.write_run(tmp_path / "a", "a", {"finqa": rows}, samples=2)
    made.write_run(tmp_path / "b", "b", {"finqa": other}, samples=2)
    write_report([tmp_path / "a", tmp_path / "b"], tmp_path / "report.html")
    text = (tmp_path / "report.md").read_text("utf-8")
    assert "| finqa · fin\\_r1 | b | pass@2 |" in text
    unnamed = [
        line for line in text.splitlines() if line.startswith(("| finqa | a", "| finqa | b"))
    ]
    assert not unnamed


def test_what_a_server_or_a_resumed_run_does_not_tell_is_no_number(made, tmp_path):
    rows = made.rows("m", "finqa", 9, right=0.5, seed=0)
    silent = [{**row, "prompt_tokens": 0, "completion_tokens": 0} for row in rows]
    made.write_run(tmp_path / "a", "a", {"finqa": silent})
    made.write_run(tmp_path / "b", "b", {"finqa": rows}, from_journal=4)
    write_report([tmp_path / "a", tmp_path / "b"], tmp_path / "report.html")
    text = (tmp_path / "report.md").read_text("utf-8")
    cost = text.split("## Time, tokens, memory")[1].split("\n## ")[0]
    assert "| finqa | a | – | – | 12.5 | – |" in cost
    (line,) = (line for line in cost.splitlines() if line.startswith("| finqa | b |"))
    assert line.endswith("| – | – |")
    lengths = text.split("## Length of responses")[1].split("\n## ")[0]
    assert "| finqa | a | – | – | – | – |" in lengths and "n = 4" in lengths


def test_many_questions_are_capped_and_the_telling_ones_come_first(made, tmp_path):
    rows = made.rows("m", "cflue_mcq", MOST_QUESTIONS + 300, right=0.9, seed=1)
    wrong = sum(row["acc"] != 1 for row in rows)
    made.write_run(tmp_path / "m", "m", {"cflue_mcq": rows})
    write_report([tmp_path / "m"], tmp_path / "report.html")
    text = (tmp_path / "report.html").read_text("utf-8")
    data = json.loads(re.search(r'id="data">(.*?)</script>', text, re.DOTALL)[1])
    assert len(data["questions"]) == MOST_QUESTIONS
    assert f"{MOST_QUESTIONS:,} of {MOST_QUESTIONS + 300:,} questions" in text
    shown = [question["shares"]["0"] for question in data["questions"]]
    assert shown.count(0.0) == wrong
    assert shown[-1] == 1.0


def test_long_texts_leave_room_for_fewer_questions(made, tmp_path, monkeypatch):
    from dianjin_ext.evaluation.report import samples

    monkeypatch.setattr(samples, "MOST_CHARACTERS", 100_000)
    rows = made.rows("m", "finqa", 100, right=0.5, seed=1)
    rows = [row | {"response": "x" * 4000 + row["response"]} for row in rows]
    made.write_run(tmp_path / "m", "m", {"finqa": rows})
    write_report([tmp_path / "m"], tmp_path / "report.html")
    text = (tmp_path / "report.html").read_text("utf-8")
    data = json.loads(re.search(r'id="data">(.*?)</script>', text, re.DOTALL)[1])
    shown = [question["shares"]["0"] for question in data["questions"]]
    assert 15 < len(shown) < 25
    assert shown[0] == 0.0 and shown[-1] == 1.0
    assert f"{len(shown)} of 100 questions" in text


@pytest.mark.parametrize("place", [(0, 3), (50_000, 50_007), (LONGEST * 9 - 5, LONGEST * 9)])
def test_of_a_long_text_the_answer_stays(place):
    text = "".join(chr(0x4E00 + nth % 5000) for nth in range(LONGEST * 9))
    found = parts(text, place)
    marked = [part["m"] for part in found if isinstance(part, dict) and "m" in part]
    assert marked == [text[slice(*place)]]
    gaps = sum(part["g"] for part in found if isinstance(part, dict) and "g" in part)
    kept = sum(len(part) for part in found if isinstance(part, str)) + len(marked[0])
    assert gaps + kept == len(text)
    assert kept <= LONGEST + 1000


def test_json_in_a_page_ends_no_element():
    content = {"a": "</script><!--<script>&\u2028]]>"}
    text = embedded(content)
    assert not re.search("[<>&\u2028]", text)
    assert json.loads(text) == content


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda folder: None, "there is no such folder"),
        (lambda folder: folder.mkdir(), "expected a folder of `dianjin eval`"),
        (lambda folder: write(folder / "card.json", '{"a": 1}'), "is no card of `dianjin card`"),
        (lambda folder: write(folder / "summary.json", "{"), "can't be read as JSON"),
        (
            lambda folder: write(folder / "summary.json", '{"results": []}'),
            "a result lacks 'model'",
        ),
        (
            lambda folder: write(folder / "summary.json", '{"model": "m", "results": []}'),
            "no result yet",
        ),
        (
            lambda folder: write(
                folder / "summary.json",
                '{"model": "m", "results": '
                '[{"benchmark": "b", "protocol": "p", "responses": "r"}]}',
            ),
            "there is no such file, but summary.json names it",
        ),
    ],
)
def test_what_is_no_run_is_said_in_a_line(tmp_path, make, expected):
    make(tmp_path / "run")
    with pytest.raises(DianjinError) as caught:
        write_report([tmp_path / "run"], tmp_path / "report.html")
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "report.html").exists()


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


def test_a_bad_line_is_named(made, tmp_path):
    rows = made.rows("m", "finqa", 3, right=1, seed=0)
    made.write_run(tmp_path / "run", "m", {"finqa": rows})
    (file,) = (tmp_path / "run" / "responses").iterdir()
    file.write_text(file.read_text("utf-8").replace('"kind": "number"', '"kind": 5', 1), "utf-8")
    with pytest.raises(DianjinError, match=r"line 1, kind: .*found a number"):
        write_report([tmp_path / "run"], tmp_path / "report.html")


def test_responses_that_are_not_those_of_the_summary_are_told(made, tmp_path):
    rows = made.rows("m", "finqa", 3, right=1, seed=0)
    made.write_run(tmp_path / "run", "m", {"finqa": rows})
    (file,) = (tmp_path / "run" / "responses").iterdir()
    file.write_text("".join(file.read_text("utf-8").splitlines(keepends=True)[1:]), "utf-8")
    with pytest.raises(DianjinError, match=r"has 2 responses, but .* speaks of 3"):
        write_report([tmp_path / "run"], tmp_path / "report.html")


def test_a_result_of_another_version_is_told(made, tmp_path):
    rows = made.rows("m", "finqa", 3, right=1, seed=0)
    made.write_run(tmp_path / "run", "m", {"finqa": rows})
    path = tmp_path / "run" / "summary.json"
    summary = json.loads(path.read_text("utf-8"))
    for lacking in ("tokens", "benchmark"):
        (result,) = summary["results"]
        less = {key: value for key, value in result.items() if key != lacking}
        path.write_text(json.dumps({**summary, "results": [less]}), "utf-8")
        with pytest.raises(DianjinError, match=f"a result lacks '{lacking}'"):
            write_report([tmp_path / "run"], tmp_path / "report.html")


def test_the_command(made, tmp_path, monkeypatch):
    rows = made.rows("m", "tfns", 5, right=0.5, seed=0)
    for name in "ab":
        made.write_run(tmp_path / name, name, {"tfns": rows})
    monkeypatch.chdir(tmp_path)
    run = CliRunner().invoke
    assert run(app, ["report", "a"]).exit_code == 0
    assert run(app, ["report", "a"]).exit_code == 0  # its own report is replaced
    assert (tmp_path / "a" / "report_zh.md").exists()
    assert run(app, ["report", "a", "b"]).exit_code == 0
    assert (tmp_path / "report.json").exists()
    again = run(app, ["report", "a", "b"])
    assert again.exit_code == 1 and "--overwrite" in str(again.exception)
    assert run(app, ["report", "a", "b", "--overwrite"]).exit_code == 0
    other = run(app, ["report", "a", "--out", "x.txt"])
    assert ".html" in str(other.exception)
