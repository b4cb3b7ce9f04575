import json
import re
from pathlib import Path

import pytest

from dianjin_ext.answers.tags import DIANJIN_R1
from dianjin_ext.data.check import KINDS, check_data
from dianjin_ext.data.prepare import rl_row
from dianjin_ext.data.prompt_length import PromptLimit
from dianjin_ext.data.schema import verl_row, write_parquet
from dianjin_ext.errors import DianjinError
from dianjin_ext.questions.prompts import multiple_choice_prompt
from dianjin_ext.questions.question import Question, write_questions
from dianjin_ext.questions.readers import get_reader, read
from dianjin_ext.quickstart import world

CHOICES = {"A": "应收账款", "B": "应付账款", "C": "存货", "D": "固定资产"}


def mcq(question, gold="B", choices=CHOICES, source="cflue_mcq", index=0):
    prompt = multiple_choice_prompt(question, choices)
    return verl_row(
        source, prompt, gold, split="train", index=index, question=question, choices=choices
    )


def number(question, gold, **more):
    return {"data_source": "finqa", "prompt": question, "ground_truth": gold, **more}


def write(path, rows):
    if path.suffix == ".parquet":
        write_parquet(rows, path)
    else:
        lines = [r if isinstance(r, str) else json.dumps(r, ensure_ascii=False) for r in rows]
        path.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    return path


@pytest.fixture
def check(tmp_path):
    """Check files and return (where they are wrong, whether all was well)."""

    def run(*files, **more):
        report = tmp_path / "report.json"
        fine = check_data(files, report_file=report, **more)
        found = json.loads(report.read_text(encoding="utf-8"))["findings"]
        assert all(finding["kind"] in KINDS for finding in found)
        return [(f["kind"], f["file"].rpartition("/")[2], f["where"]) for f in found], fine

    return run


def test_made_up_questions_are_fine(tmp_path, check):
    rows = [mcq(q.text, q.gold, q.choices) for q in world.questions(300, seed=0)]
    for suffix in ("parquet", "jsonl"):
        train = write(tmp_path / f"train.{suffix}", rows[:200])
        val = write(tmp_path / f"val.{suffix}", rows[200:])
        assert check(train, val) == ([], True)


@pytest.mark.parametrize("suffix", ["parquet", "jsonl"])
def test_golds_that_nothing_matches_and_unknown_sources(tmp_path, check, suffix):
    rows = [mcq("问题一"), mcq("问题二", "E"), mcq("问题三", source="cfleu"), mcq("问题四", "")]
    found, fine = check(write(tmp_path / f"x.{suffix}", rows))
    name, at = (f"x.{suffix}", "row {}" if suffix == "parquet" else "line {}")
    first = 0 if suffix == "parquet" else 1
    kinds = ["gold", "unknown_source", "gold"]
    expected = [(kind, name, at.format(i)) for i, kind in enumerate(kinds, first + 1)]
    assert found == expected
    assert not fine


def test_same_question_within_a_file_and_between_files(tmp_path, check):
    shuffled = {"A": "固定资产", "B": "存货", "C": "应付账款。", "D": " 应收账款"}
    train = [
        mcq("哪项属于流动负债？"),
        mcq("哪项 属于流动负债?", "C", shuffled),  # the same in other words
        mcq("哪项属于流动负债？", "A"),
        mcq("哪项属于流动负债？", "B", CHOICES | {"D": "商誉"}),  # another option: another question
    ]
    val = [mcq("下列哪项属于流动负债？"), mcq("哪项属于流动负债", "C", shuffled)]
    found, fine = check(
        write(tmp_path / "train.parquet", train), write(tmp_path / "val.jsonl", val)
    )
    assert found == [
        ("duplicate", "train.parquet", "row 1"),
        ("contradiction", "train.parquet", "row 2"),
        ("leak", "val.jsonl", "line 2"),
        ("near_leak", "val.jsonl", "line 1"),
    ]
    assert not fine


LONG = "某企业购入设备一台，价值一百万元，预计使用十年，按直线法计提折旧，下列说法正确的是"


def test_nearly_the_same_words_are_told_in_a_file_and_between_files(tmp_path, check):
    other = LONG.replace("购入设备", "购买设备")
    train = [mcq(LONG), mcq(other), mcq(LONG + "2019"), mcq(LONG, choices=CHOICES | {"D": "商誉"})]
    val = [mcq(LONG.replace("十年", "九年")), mcq(LONG + "（）？", "A"), mcq(other + "吗", "C")]
    found, fine = check(
        write(tmp_path / "train.parquet", train), write(tmp_path / "val.jsonl", val)
    )
    assert found == [
        ("leak", "val.jsonl", "line 2"),
        ("near_duplicate", "train.parquet", "row 1"),
    ]
    assert not fine


def test_what_prepare_keeps_on_purpose_is_told_and_does_not_count(tmp_path, check):
    file = write(tmp_path / "x.jsonl", [mcq(LONG), mcq(LONG.replace("购入设备", "购买设备"))])
    assert check(file) == ([("near_duplicate", "x.jsonl", "line 2")], True)


def test_nearly_the_same_question_about_another_text_is_another_question(tmp_path, check):
    asked = (
        "What was the percentage change in operating revenue of the company over the year, in %?"
    )
    rows = [
        number(f"{about}\n{words}", "1%", extra_info={"question": words})
        for about in ("The first report.", "The second report.")
        for words in (asked, asked.replace("What was", "Please give"))
    ]
    found, _ = check(write(tmp_path / "x.jsonl", rows))
    assert found == [
        ("near_duplicate", "x.jsonl", "line 2"),
        ("near_duplicate", "x.jsonl", "line 4"),
    ]


def test_files_of_questions_are_compared_too(tmp_path, check):
    asked = [
        Question(data_source="choice", question=text, kind="choice", answer=gold, choices=CHOICES)
        for text, gold in ((LONG, "B"), (LONG.replace("设备", "机器"), None), ("问题？", "E"))
    ]
    first, second = tmp_path / "a.parquet", tmp_path / "b.parquet"
    write_questions(asked[:1], first)
    write_questions(asked, second)
    assert check(first, second)[0] == [
        ("leak", "b.parquet", "row 0"),
        ("gold", "b.parquet", "row 2"),
        ("near_leak", "b.parquet", "row 1"),
    ]
    rows = [rl_row(question, "train", DIANJIN_R1) for question in asked[:1]]
    assert check(write(tmp_path / "rl.parquet", rows), first)[0] == [("leak", "a.parquet", "row 0")]


def test_public_sets_leak_into_each_other(tmp_path, check):
    """CFLUE's questions that are in FinanceIQ and FinEval, among the published rows at hand."""
    shared = Path(__file__).resolve().parents[3] / "shared/data"
    if not shared.exists():
        pytest.skip("the published rows are not beside the repository")
    files = []
    for name in ("cflue", "financeiq", "fineval", "fineva"):
        questions = read(get_reader(name), sorted(shared.glob(f"{name}/*.[cj]s*")))
        rows = [rl_row(q, "train", DIANJIN_R1) for q in questions if q.choices and q.answer]
        files.append(write(tmp_path / f"{name}.parquet", rows))
    found = {finding for finding in check(*files)[0] if "leak" in finding[0]}
    assert found == {
        ("leak", "financeiq.parquet", "row 144"),  # the same words
        ("near_leak", "fineval.parquet", "row 36"),  # 已知如下条件 for 已知条件
    }


def test_options_in_the_prompt_may_be_shuffled_too(tmp_path, check):
    first = "Which one?\nA. stocks\nB. bonds"
    second = "which one?\n(A) Bonds\n(B) Stocks"
    rows = [
        {"data_source": "fineva", "ground_truth": gold, "prompt": prompt}
        for gold, prompt in (("A", first), ("B", second), ("A", second))
    ]
    found, _ = check(write(tmp_path / "x.jsonl", rows))
    assert found == [("duplicate", "x.jsonl", "line 2"), ("contradiction", "x.jsonl", "line 3")]


def test_numbers_tell_questions_apart_and_so_does_the_text_asked_about(tmp_path, check):
    rows = [
        number("Growth was 1.5 points. What is the sum?", "3"),
        number("Growth was 15 points. What is the sum?", "3"),
        number("Growth was -15 points. What is the sum?", "3"),
        number("The first report. What is the sum?", "3", extra_info={"question": "the sum?"}),
        number("The second report. What is the sum?", "3", extra_info={"question": "the sum?"}),
    ]
    assert check(write(tmp_path / "x.jsonl", rows)) == ([], True)


PERCENT = [
    ("What was the percentage change in revenue?", "12.5", True),
    ("what is the percent decline, in %?", "0.125", True),
    ("净利润同比增长百分之几？", "12.5", True),
    ("该产品收入占比是多少？", "0.3", True),
    ("What was the percentage change in revenue?", "12.5%", False),
    ("净利润同比增长百分之几？", "12.5％", False),
    ("With interest of 5%, what is the total?", "105", False),
    ("年利率为百分之五，利息是多少元？", "105", False),
    ("Profit is a percentage of revenue. What was the profit?", "105", False),
    ("Was the percentage larger in 2008?", "yes", False),
    ("What was revenue?", "12.5", False),
]


@pytest.mark.parametrize(("question", "gold", "open_"), PERCENT)
def test_percent(tmp_path, check, question, gold, open_):
    found, fine = check(write(tmp_path / "x.jsonl", [number(question, gold)]))
    assert found == ([("percent", "x.jsonl", "line 1")] if open_ else [])
    assert fine != open_


def test_percent_looks_at_the_bare_question(tmp_path, check):
    row = number("Context. What percentage is meant?", "3", extra_info={"question": "The sum?"})
    assert check(write(tmp_path / "x.jsonl", [row])) == ([], True)


def test_allowed_kinds_are_told_and_do_not_count(tmp_path, check):
    file = write(tmp_path / "x.jsonl", [number(PERCENT[0][0], "12.5")])
    found, fine = check(file, allow=["percent"])
    assert [kind for kind, _, _ in found] == ["percent"]
    assert fine
    with pytest.raises(DianjinError, match="'percents' is no kind of finding; known: bad_row"):
        check(file, allow=["percents"])


BAD = {
    "no json": "{",
    "no gold": {"data_source": "finqa", "prompt": "x"},
    "no source": {"ground_truth": "1"},
    "prompt": {"data_source": "finqa", "ground_truth": "1", "prompt": [{"role": "user"}]},
    "extra_info": {"data_source": "finqa", "ground_truth": "1", "extra_info": "x"},
}


def test_bad_rows(tmp_path, check):
    found, fine = check(write(tmp_path / "x.jsonl", [*BAD.values(), number("x", "1")]))
    assert found == [("bad_row", "x.jsonl", f"line {i}") for i in range(1, len(BAD) + 1)]
    assert not fine


def test_files_that_are_no_data(tmp_path, check):
    (tmp_path / "x.parquet").write_bytes(b"PAR1 not really")
    with pytest.raises(DianjinError, match=r"x\.parquet: can't be read as parquet"):
        check(tmp_path / "x.parquet")
    with pytest.raises(DianjinError, match=r"absent\.jsonl: can't be read"):
        check(tmp_path / "absent.jsonl")
    file = write(tmp_path / "x.jsonl", [number("x", "1")])
    with pytest.raises(DianjinError, match="named twice"):
        check(file, tmp_path / "." / "x.jsonl")


def test_every_kind_is_documented():
    text = (Path(__file__).resolve().parents[2] / "docs" / "score.md").read_text(encoding="utf-8")
    documented = re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)
    assert documented == list(KINDS)


def test_the_terminal_shows_counts_and_rows(tmp_path, capsys):
    rows = [mcq(f"问题{i}", "E") for i in range(12)]
    file = write(tmp_path / "x.jsonl", rows)
    assert not check_data([file])
    out = capsys.readouterr().out
    assert f"{file}, line 1: cflue_mcq: the gold answer 'E' can't be used" in out
    assert "… and 2 more" in out
    assert not list(tmp_path.glob("*.json"))


def test_rows_are_checked_with_the_settings_of_training(tmp_path, check):
    rows = [mcq("问题一", source="exam"), mcq("问题二", "E", source="exam")]
    rows.append(number("What was the percentage change in revenue?", "12.5"))
    file = write(tmp_path / "x.jsonl", rows)
    kinds = ["unknown_source", "unknown_source", "percent"]
    assert [kind for kind, *_ in check(file)[0]] == kinds
    settings = {"preset": "deepseek_r1", "default": "choice", "numbers": {"percent": "either"}}
    assert check(file, settings=settings) == ([("gold", "x.jsonl", "line 2")], False)
    with pytest.raises(DianjinError, match=r"reward_kwargs\.strictnes"):
        check(file, settings={"strictnes": "strict"})


def test_units_of_question_and_gold(tmp_path, check):
    rows = [
        number("净利润是多少万元？", "115.05"),
        number("净利润是多少万元（四舍五入）？", "115.05万元"),
        number("2022年净利润是多少万元？", "115元"),
        number("净利润是多少？", "115.05万元"),
        number("What was revenue in 2019, in millions?", "1577"),
    ]
    rows = [{**r, "extra_info": {"question": r["prompt"]}} for r in rows]
    rows.append(number("2021年净利润是多少万元？", "115.05"))  # in the prompt alone
    file = write(tmp_path / "x.jsonl", rows)
    lines = [where for kind, _, where in check(file)[0] if kind == "unit"]
    assert lines == ["line 3", "line 4", "line 6"]
    forgiving = check(file, settings={"numbers": {"unit": "gold_hint"}})[0]
    assert [where for _, _, where in forgiving] == ["line 3", "line 6"]
    off = check(file, settings={"numbers": {"scale": "none"}})[0]
    assert ("unit", "x.jsonl", "line 1") in off and ("unit", "x.jsonl", "line 5") in off


def test_equal_numbers_are_no_contradiction(tmp_path, check):
    rows = [number("How many?", "5"), number("How many?", "5.0"), number("How many?", "6")]
    found = check(write(tmp_path / "x.jsonl", rows))[0]
    assert [(kind, where) for kind, _, where in found] == [
        ("duplicate", "line 2"),
        ("contradiction", "line 3"),
    ]


def test_prompts_that_are_too_long(tmp_path):
    transformers = pytest.importorskip("transformers")
    tokenizers = pytest.importorskip("tokenizers")
    model = tokenizers.models.WordLevel({"a": 0, "<unk>": 1}, unk_token="<unk>")
    words = tokenizers.Tokenizer(model)
    words.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_object=words)
    tokenizer.chat_template = "{% for m in messages %}{{ m['content'] }} {% endfor %}"
    tokenizer.save_pretrained(tmp_path / "model")
    rows = [
        {"data_source": "choice", "ground_truth": "A", "prompt": "a " * length}
        for length in (10, 11)
    ]
    file = write(tmp_path / "x.jsonl", rows)
    limit = PromptLimit(tmp_path / "model", 10)
    report = tmp_path / "report.json"
    assert not check_data([file], report_file=report, limit=limit)
    found = json.loads(report.read_text(encoding="utf-8"))["findings"]
    assert [f["where"] for f in found if f["kind"] == "too_long"] == ["line 2"]
    assert "11 tokens, training takes 10" in found[0]["why"]
    with pytest.raises(DianjinError, match="no usable tokenizer"):
        PromptLimit(tmp_path, 10)
