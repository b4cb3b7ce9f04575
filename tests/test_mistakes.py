"""Ordinary mistakes: each gets one line, ends with another code than 0, and changes nothing.

`python tests/test_mistakes.py` writes the table of docs/mistakes.md.
"""

import gzip
import hashlib
import io
import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import pytest

DOCS = Path(__file__).resolve().parents[1] / "docs" / "mistakes.md"
GOOD = {
    "data_source": "cflue_mcq",
    "response": "<think>x</think><answer>\\boxed{A}</answer>",
    "ground_truth": "A",
    "extra_info": {"question": "哪项是基金？", "choices": {"A": "货币基金", "B": "国债"}},
}


class Mistake(NamedTuple):
    """A command, what is wrong with it, words of the line that it gets, and how it is set up."""

    command: str
    wrong: str
    words: str
    prepare: Callable[[], object] | None = None
    kind: str = ""  # a finding of check-data in place of an error


def write(name: str, *rows: object) -> None:
    text = "".join(
        row + "\n" if isinstance(row, str) else json.dumps(row, ensure_ascii=False) + "\n"
        for row in rows
    )
    Path(name).write_text(text, encoding="utf-8")


def good(**changes: object) -> dict[str, object]:
    return {**GOOD, **changes}


def bad_gold(value: object, **more: object) -> Callable[[], None]:
    return lambda: write("bad.jsonl", good(ground_truth=value, **more))


def parquet(name: str, *rows: dict[str, object]) -> None:
    import pyarrow as pa
    from pyarrow import parquet as pq

    pq.write_table(pa.Table.from_pylist(list(rows)), name)


def training_row(**changes: object) -> dict[str, object]:
    row = {
        "data_source": "cflue_mcq",
        "prompt": [{"role": "user", "content": "哪项是基金？"}],
        "reward_model": {"style": "rule", "ground_truth": "A"},
        "extra_info": {"index": 1, "question": "哪项是基金？"},
    }
    return {**row, **changes}


def own(text: str) -> Callable[[], None]:
    return lambda: write("my_rewards.py", "from dianjin_ext import register_reward\n" + text)


def settings(text: str) -> Callable[[], None]:
    return lambda: write("settings.yaml", text)


def exam(mapping: str = "") -> Callable[[], None]:
    def make() -> None:
        write("exam.csv", "q,a", "一？,是")
        if mapping:
            write("map.yaml", f"{mapping}\nkind: label")

    return make


OWN = "dianjin prepare own exam.csv --map map.yaml --out data"
SCORE, CHECK = "dianjin score rows.jsonl --out out.jsonl", "dianjin check-data rows.jsonl"
TO = "--out out.jsonl"
REWARD = '@register_reward("my/x")\ndef f(response, ground_truth, **row): return 1.0\n'

MISTAKES = [
    # outputs
    Mistake("dianjin score rows.jsonl --out rows.jsonl", "output is the input", "is the input"),
    Mistake(
        "dianjin score rows.jsonl --out ./rows.jsonl --overwrite",
        "the same, insisted on",
        "is the input",
    ),
    Mistake(
        "dianjin score rows.jsonl --out link.jsonl --overwrite",
        "output is a link to the input",
        "is the input, by another name",
        lambda: os.symlink("rows.jsonl", "link.jsonl"),
    ),
    Mistake(
        "dianjin score rows.jsonl --out hard.jsonl --overwrite",
        "output is a hard link to the input",
        "is the input, by another name",
        lambda: os.link("rows.jsonl", "hard.jsonl"),
    ),
    Mistake(
        "dianjin score rows.jsonl --out notes.txt",
        "output is there already",
        "there already",
        lambda: write("notes.txt", "precious"),
    ),
    Mistake("dianjin score rows.jsonl --out .", "a folder as output", "is a folder"),
    Mistake("dianjin score rows.jsonl --out nodir/out.jsonl", "no such folder", "no folder nodir"),
    Mistake(
        "dianjin score rows.jsonl --out rows.jsonl/out",
        "a file in place of a folder",
        "is a file, not a folder",
    ),
    Mistake("dianjin score rows.jsonl --out /dev/full", "a device as output", "no ordinary file"),
    Mistake(
        "dianjin score rows.jsonl --out gone.jsonl",
        "output is a link to nothing",
        "link to nothing",
        lambda: os.symlink("nowhere", "gone.jsonl"),
    ),
    Mistake(
        "dianjin score rows.jsonl --out settings.yaml --settings settings.yaml --overwrite",
        "output is the settings file",
        "is the input",
        settings("strictness: strict"),
    ),
    Mistake(
        "dianjin score rows.jsonl --out my_rewards.py --rewards my_rewards.py --overwrite",
        "output is the file of one's own rewards",
        "my_rewards.py is the input",
        own(REWARD),
    ),
    Mistake(
        "dianjin score rows.jsonl --out my_rewards.py --settings settings.yaml --overwrite",
        "output is a file of rewards that the settings name",
        "my_rewards.py is the input",
        lambda: (own(REWARD)(), write("settings.yaml", "rewards: my_rewards.py")),
    ),
    Mistake(
        "dianjin check-data rows.jsonl --json my_rewards.py --rewards my_rewards.py --overwrite",
        "report over one's own rewards",
        "my_rewards.py is the input",
        own(REWARD),
    ),
    Mistake(f"dianjin score rows.jsonl --out {'a' * 260}", "too long a name", "File name too long"),
    Mistake(
        "dianjin check-data rows.jsonl --json rows.jsonl", "report over the data", "is the input"
    ),
    Mistake(
        "dianjin check-data rows.jsonl --json report.json",
        "report is there already",
        "there already",
        lambda: write("report.json", "{}"),
    ),
    Mistake("dianjin check-data rows.jsonl --json .", "a folder as report", "is a folder"),
    Mistake(
        "dianjin check-data rows.jsonl --json nodir/report.json",
        "no such folder",
        "no folder nodir",
    ),
    Mistake(
        "dianjin reward-server --data rows.jsonl --write-prompts rows.jsonl",
        "prompts over the data",
        "is the input",
    ),
    Mistake(
        "dianjin prepare cflue knowledge.json --out rows.jsonl",
        "a file in place of a folder",
        "is a file",
        lambda: write("knowledge.json", "[]"),
    ),
    Mistake(
        "dianjin prepare cflue knowledge.json --out a/b/c",
        "no such folder",
        "there is no folder",
        lambda: write("knowledge.json", "[]"),
    ),
    Mistake(
        "dianjin prepare cflue knowledge.json --out data",
        "rows are there already",
        "there already",
        lambda: (
            os.makedirs("data/sft"),
            write("data/sft/cflue_mcq.json", "[]"),
            write("knowledge.json", "[]"),
        ),
    ),
    Mistake("dianjin init rows.jsonl", "a file in place of a folder", "is a file"),
    Mistake(
        "dianjin init .", "configs/ is there already", "exists already", lambda: os.mkdir("configs")
    ),
    # inputs of score
    Mistake(f"dianjin score missing.jsonl {TO}", "no such file", "No such file"),
    Mistake(
        f"dianjin score folder {TO}", "a folder as input", "is a folder", lambda: os.mkdir("folder")
    ),
    Mistake(
        f"dianjin score empty.jsonl {TO}", "an empty file", "is empty", lambda: write("empty.jsonl")
    ),
    Mistake(
        f"dianjin score blank.jsonl {TO}",
        "nothing but blank lines",
        "is empty",
        lambda: write("blank.jsonl", " ", ""),
    ),
    Mistake(
        f"dianjin score sft.json {TO}",
        "LLaMA-Factory's SFT rows",
        "SFT rows for LLaMA-Factory",
        lambda: Path("sft.json").write_text('[{"instruction": "x", "output": "y"}]'),
    ),
    Mistake(
        f"dianjin score sft.jsonl {TO}",
        "SFT rows in JSON lines",
        "SFT rows",
        lambda: write("sft.jsonl", {"instruction": "x", "output": "y"}),
    ),
    Mistake(
        f"dianjin score list.json {TO}",
        "a JSON list",
        "one JSON list",
        lambda: Path("list.json").write_text("[1, 2]"),
    ),
    Mistake(
        f"dianjin score pretty.json {TO}",
        "one JSON object over several lines",
        "over several lines",
        lambda: Path("pretty.json").write_text(json.dumps(GOOD, indent=1)),
    ),
    Mistake(
        f"dianjin score rows.json {TO}",
        "parquet under another name",
        "is a parquet file",
        lambda: parquet("rows.json", training_row()),
    ),
    Mistake(
        f"dianjin score fake.parquet {TO}",
        "no parquet behind the name",
        "no parquet file",
        lambda: write("fake.parquet", GOOD),
    ),
    Mistake(
        f"dianjin score packed.jsonl {TO}",
        "gzip under another name",
        "packed with gzip",
        lambda: Path("packed.jsonl").write_bytes(b"\x1f\x8b\x08\x00"),
    ),
    Mistake(
        f"dianjin score plain.jsonl.gz {TO}",
        "no gzip behind the name",
        "not packed with gzip",
        lambda: write("plain.jsonl.gz", GOOD),
    ),
    Mistake(
        f"dianjin score book.xlsx {TO}",
        "a spreadsheet",
        "spreadsheet",
        lambda: Path("book.xlsx").write_bytes(b"PK\x03\x04..."),
    ),
    Mistake(
        f"dianjin score bad.jsonl {TO}",
        "a line that is no JSON",
        "expected JSON",
        lambda: write("bad.jsonl", "{nope"),
    ),
    Mistake(
        f"dianjin score bad.jsonl {TO}", "a gold answer that is null", "found null", bad_gold(None)
    ),
    Mistake(
        f"dianjin score bad.jsonl {TO}",
        "a gold answer that is a truth value",
        "found a truth value",
        bad_gold(True),
    ),
    Mistake(
        f"dianjin score bad.jsonl {TO}",
        "a gold answer that is an object",
        "found an object",
        bad_gold({"a": 1}),
    ),
    Mistake(
        f"dianjin score bad.jsonl {TO}",
        "a gold answer that is NaN",
        "found NaN",
        bad_gold(float("nan")),
    ),
    Mistake(
        f"dianjin score bad.jsonl {TO}",
        "an empty list as gold answer",
        "found an empty list",
        bad_gold([]),
    ),
    Mistake(
        f"dianjin score bad.jsonl {TO}",
        "a list for a reward that reads none",
        "found a list",
        bad_gold(["5", "6"], data_source="finqa"),
    ),
    Mistake(
        f"dianjin score bad.jsonl {TO}",
        "a row without a response",
        "response: expected",
        lambda: write("bad.jsonl", {"data_source": "finqa", "ground_truth": "5"}),
    ),
    Mistake(
        f"dianjin score bad.jsonl {TO}",
        "an unknown data source",
        "has no reward",
        lambda: write("bad.jsonl", good(data_source="cflu")),
    ),
    Mistake(
        f"dianjin score bad.jsonl {TO}",
        "rows that were scored before",
        "--rescore",
        lambda: write("bad.jsonl", good(score=1.0)),
    ),
    # settings
    Mistake(
        f"{SCORE} --settings settings.yaml",
        "a misspelt key",
        "strictnes is not known",
        settings("strictnes: strict"),
    ),
    Mistake(
        f"{SCORE} --settings settings.yaml",
        "a key given twice",
        "given twice",
        settings("strictness: strict\nstrictness: lenient"),
    ),
    Mistake(
        f"{SCORE} --settings settings.yaml", "no YAML", "can't be read as YAML", settings("a: [")
    ),
    Mistake(
        f"{SCORE} --settings settings.yaml",
        "a list in place of a mapping",
        "expected a mapping",
        settings("- strict"),
    ),
    Mistake(
        f"{SCORE} --settings settings.yaml",
        "an unknown layout",
        "layout 'qwen' is not known",
        settings("tags: qwen"),
    ),
    Mistake(f"{SCORE} --settings missing.yaml", "no such settings file", "missing.yaml"),
    Mistake(f"{SCORE} --preset r1", "an unknown preset", "expected one of dianjin_r1"),
    Mistake(f"{SCORE} --strictness hard", "an unknown strictness", "strict"),
    Mistake("dianjin audit r1", "an unknown preset", "not known"),
    # rewards of one's own
    Mistake(f"{SCORE} --rewards my_rewards.py", "no such file", "no such file"),
    Mistake(f"{SCORE} --rewards my_bank.rewards", "no such module", "no module"),
    Mistake(
        f"{SCORE} --rewards my_rewards.py", "a syntax error", "line 2: SyntaxError", own("def f(:")
    ),
    Mistake(
        f"{SCORE} --rewards my_rewards.py",
        "it raises when it is loaded",
        "line 2: ZeroDivisionError",
        own("1 / 0"),
    ),
    Mistake(
        f"{SCORE} --rewards my_rewards.py",
        "it registers nothing",
        "registers no reward",
        own("x = 1"),
    ),
    Mistake(
        f"{SCORE} --rewards my_rewards.py",
        "a name that is taken",
        "registered already",
        own("@register_reward('finqa')\ndef f(r, g, **row): return 1.0"),
    ),
    Mistake(
        f"{SCORE} --rewards my_rewards.py",
        "a function that can't be called",
        "can't be called",
        own("@register_reward('a/b')\ndef f(r): return 1.0"),
    ),
    Mistake(
        f"{CHECK} --rewards my_rewards.py",
        "an async function",
        "is async",
        own("@register_reward('a/b')\nasync def f(r, g, **row): return 1.0"),
    ),
    # check-data
    Mistake("dianjin check-data missing.parquet", "no such file", "No such file"),
    Mistake("dianjin check-data rows.jsonl rows.jsonl", "a file named twice", "named twice"),
    Mistake(f"{CHECK} --allow percnt", "an unknown kind of finding", "no kind of finding"),
    Mistake(f"{CHECK} --tokenizer nowhere", "no such tokenizer", "no folder"),
    Mistake(
        "dianjin check-data sft.json",
        "LLaMA-Factory's SFT rows",
        "SFT rows",
        lambda: Path("sft.json").write_text('[{"instruction": "x", "output": "y"}]'),
    ),
    Mistake(
        "dianjin check-data other.parquet",
        "parquet with other columns",
        "has the columns",
        lambda: parquet("other.parquet", {"question": "x"}),
    ),
    Mistake(
        "dianjin check-data empty.parquet",
        "parquet without rows",
        "expected rows, found none",
        lambda: empty_parquet("empty.parquet"),
        "no_rows",
    ),
    Mistake(
        "dianjin check-data train.parquet",
        "rows without a prompt",
        "expected a list of messages",
        lambda: parquet(
            "train.parquet", {k: v for k, v in training_row().items() if k != "prompt"}
        ),
        "no_prompt",
    ),
    Mistake(
        "dianjin check-data bad.jsonl",
        "an unknown data source",
        "no reward is registered",
        lambda: write("bad.jsonl", good(data_source="cflu")),
        "unknown_source",
    ),
    Mistake(
        "dianjin check-data bad.jsonl",
        "a gold letter that is no option",
        "can't be used",
        bad_gold("E"),
        "gold",
    ),
    Mistake(
        "dianjin check-data bad.jsonl",
        "options in an unknown form",
        "expected letter to text",
        lambda: write("bad.jsonl", good(extra_info={"question": "?", "choices": "A 货币基金"})),
        "choices",
    ),
    Mistake(
        "dianjin check-data bad.jsonl",
        "a scale in the gold answer alone",
        "has a scale",
        lambda: write(
            "bad.jsonl",
            good(
                data_source="finqa",
                ground_truth="115.05万元",
                extra_info={"question": "净利润是多少？"},
            ),
        ),
        "unit",
    ),
    Mistake(
        "dianjin check-data bad.jsonl",
        "a gold answer in 元 where 万元 is asked for",
        "plain unit",
        lambda: write(
            "bad.jsonl",
            good(
                data_source="finqa",
                ground_truth="115元",
                extra_info={"question": "净利润是多少万元？"},
            ),
        ),
        "unit",
    ),
    Mistake(
        f"{CHECK} --settings settings.yaml",
        "settings for a data source that no row has",
        "no row has the data source",
        settings("sources: {cflue_mcq: {strictness: strict}, finqa: {strictness: strict}}"),
        "unused",
    ),
    Mistake(
        f"{CHECK} --settings settings.yaml",
        "a data source that the settings don't name",
        "none of sources",
        settings("sources: {finqa: {strictness: strict}}"),
        "unnamed",
    ),
    Mistake(
        "dianjin check-data a.parquet b.parquet",
        "a column of another type",
        "write them alike",
        lambda: (
            parquet("a.parquet", training_row()),
            parquet("b.parquet", training_row(extra_info={"index": "2", "question": "另一题？"})),
        ),
        "types",
    ),
    Mistake(
        "dianjin check-data train.parquet",
        "prompts that are text",
        "prompt is text",
        lambda: parquet("train.parquet", training_row(prompt="哪项是基金？")),
        "no_prompt",
    ),
    Mistake(
        "dianjin check-data rows.jsonl --tokenizer model",
        "a tokenizer without a chat template",
        "no chat template",
        lambda: word_tokenizer("model"),
    ),
    Mistake(
        "dianjin score rows.csv --out out.jsonl",
        "a table of commas",
        "holds no JSON lines",
        lambda: write("rows.csv", "data_source,response,ground_truth", "finqa,5,5"),
    ),
    Mistake(
        "dianjin score rows.bin --out out.jsonl",
        "JSON lines in UTF-16",
        "holds no JSON lines in UTF-8",
        lambda: Path("rows.bin").write_bytes(json.dumps(GOOD).encode("utf-16")),
    ),
    Mistake(
        "dianjin score chat.jsonl --out out.jsonl",
        "conversations for SFT",
        "has SFT rows (messages)",
        lambda: write("chat.jsonl", {"messages": [{"role": "user", "content": "x"}]}),
    ),
    Mistake(
        "dianjin score packed.jsonl.gz --out out.jsonl",
        "nothing in a packed file",
        "expected rows, found none",
        lambda: Path("packed.jsonl.gz").write_bytes(gzip.compress(b"")),
    ),
    Mistake(
        f"dianjin score bad.jsonl {TO}",
        "an infinite gold answer",
        "found infinity",
        bad_gold(float("inf")),
    ),
    Mistake(
        f"{SCORE} --settings settings.yaml",
        "a mapping that holds itself",
        "settings.yaml: a mapping holds itself",
        settings("&a {sources: *a}"),
    ),
    Mistake("dianjin init no/such", "no such folder", "there is no folder"),
    Mistake("dianjin init rows.jsonl/new", "a file in place of a folder above", "is no folder"),
    Mistake(
        "dianjin prepare cflue none.json --out data",
        "an empty list",
        "found an empty list",
        lambda: write("none.json", "[]"),
    ),
    Mistake("dianjin prepare cfleu x.json --out data", "a data set not known", "known: cflue"),
    Mistake("dianjin prepare finqa rows.jsonl", "no folder for the rows", "--out DIR"),
    Mistake("dianjin prepare finqa --out data", "no file", "dataset/{train,dev,test}.json"),
    Mistake("dianjin prepare tfns rows.txt --out data", "a file of another kind", ".parquet"),
    Mistake(
        "dianjin prepare tfns tweets.csv --out data",
        "a spreadsheet under another name",
        "rename it to .xlsx",
        lambda: write("tweets.csv", "PK\x03\x04"),
    ),
    Mistake(
        "dianjin prepare tfns tweets.csv --out data",
        "too few rows",
        "no rows for val: 1 usable",
        lambda: write("tweets.csv", "text,label", "up,1"),
    ),
    Mistake("dianjin prepare own exam.csv --out data", "no mapping", "--map MAP.yaml", exam()),
    Mistake(OWN, "a column that isn't there", "has no column '题目'", exam("question: 题目")),
    Mistake(OWN, "a key not known", "'answr' is no key", exam("question: q\nanswr: a")),
    Mistake(OWN, "a key given twice", "is given twice", exam("question: q\nquestion: a")),
    Mistake(
        "dianjin prepare own exam.csv --guess map.yaml",
        "a mapping is there already",
        "there already",
        exam("question: q"),
    ),
    Mistake(
        "dianjin prepare own exam.csv --guess exam.csv --overwrite",
        "a mapping over the data",
        "is the input",
        exam(),
    ),
    # merge, quickstart, reward-server
    Mistake("dianjin merge nowhere out", "no such checkpoint", "nowhere"),
    Mistake("dianjin merge rows.jsonl out", "a file as checkpoint", "rows.jsonl"),
    Mistake("dianjin merge --check nowhere", "no such model", "nowhere"),
    Mistake(
        "dianjin quickstart --llamafactory-python nowhere/python --out run",
        "no LLaMA-Factory there",
        "no llamafactory-cli beside",
    ),
    Mistake(
        "dianjin reward-server --data rows.jsonl", "no recipe of the training", "configs/ppo.yaml"
    ),
]


def word_tokenizer(name: str) -> None:
    from tokenizers import Tokenizer, models
    from transformers import PreTrainedTokenizerFast

    words = Tokenizer(models.WordLevel({"[UNK]": 0}, unk_token="[UNK]"))
    PreTrainedTokenizerFast(tokenizer_object=words).save_pretrained(name)


def empty_parquet(name: str) -> None:
    import pyarrow as pa
    from pyarrow import parquet as pq

    pq.write_table(pa.Table.from_pylist([training_row()]).slice(0, 0), name)


def folder() -> dict[str, str]:
    """Every file below this folder with its digest."""
    return {
        str(path): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(Path().rglob("*"))
        if path.is_file()
    }


def run(mistake: Mistake) -> tuple[int, str]:
    """Run a command in this process as `dianjin` does; returns its exit code and all its output."""
    from dianjin_ext.cli import main

    out = io.StringIO()
    code = 0
    argv, sys.argv = sys.argv, ["dianjin", *mistake.command.split()[1:]]
    try:
        with redirect_stdout(out), redirect_stderr(out):
            main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    finally:
        sys.argv = argv
    return code, out.getvalue()


def told(mistake: Mistake, output: str) -> str:
    """Return the line of the output that says what is wrong."""
    lines = [line.strip() for line in output.splitlines() if mistake.words in line]
    assert lines, output
    return lines[0]


@pytest.fixture(autouse=True)
def forget(monkeypatch):
    from dianjin_ext.rewards import own as own_rewards
    from dianjin_ext.rewards import registry

    monkeypatch.setenv("COLUMNS", "500")
    monkeypatch.setattr(registry, "_REWARDS", dict(registry._REWARDS))
    monkeypatch.setattr(own_rewards, "_loaded", set())


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda m: f"{m.command}: {m.wrong}")
def test_a_mistake_is_told_in_one_line_and_changes_nothing(mistake, tmp_path, monkeypatch):
    pytest.importorskip("pyarrow")
    if "--tokenizer model" in mistake.command:
        pytest.importorskip("transformers")
    monkeypatch.chdir(tmp_path)
    write("rows.jsonl", GOOD)
    if mistake.prepare is not None:
        mistake.prepare()
    before = folder()
    code, output = run(mistake)
    assert code != 0
    assert "Traceback" not in output
    line = told(mistake, output)
    if not mistake.kind:
        errors = [line for line in output.splitlines() if line.startswith("error:")]
        assert len(errors) == 1 and output.rstrip().endswith(errors[0].rstrip()), output
    else:
        assert any(text.startswith(f"{mistake.kind}: ") for text in output.splitlines()), output
    assert line
    assert folder() == before


def test_a_port_that_is_taken(tmp_path, monkeypatch):
    from dianjin_ext.errors import DianjinError
    from dianjin_ext.hosts.llamafactory.reward_server import check_port

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(DianjinError, match=f"can't listen at 127.0.0.1:{port}"):
            check_port("127.0.0.1", port)
    check_port("127.0.0.1", port)
    for impossible in (0, -1, 65536):
        with pytest.raises(DianjinError, match="1 to 65535"):
            check_port("127.0.0.1", impossible)
    for host in ("192.0.2.1", "a" * 70):
        with pytest.raises(DianjinError, match="can't listen at"):
            check_port(host, port)


def test_a_full_disk_leaves_nothing(tmp_path):
    """A limit on the size of files stands in for a disk without room."""
    rows = tmp_path / "rows.jsonl"
    line = json.dumps(GOOD, ensure_ascii=False) + "\n"
    rows.write_text(line * 4000, encoding="utf-8")
    script = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000));"
        "from dianjin_ext.cli import main; main()"
    )
    out = tmp_path / "out.jsonl"
    done = subprocess.run(
        [sys.executable, "-c", script, "score", str(rows), "--out", str(out)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "out.jsonl can't be written (File too large)" in done.stderr
    assert "Traceback" not in done.stderr
    assert sorted(tmp_path.iterdir()) == [rows]


def test_a_file_at_the_standard_input_is_an_input(tmp_path):
    rows = tmp_path / "rows.jsonl"
    rows.write_text(json.dumps(GOOD), encoding="utf-8")
    command = [sys.executable, "-m", "dianjin_ext", "score", "-", "--out", str(rows), "--overwrite"]
    with rows.open("rb") as file:
        done = subprocess.run(command, stdin=file, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "is the input, by another name (/dev/stdin)" in done.stderr
    assert rows.read_text(encoding="utf-8") == json.dumps(GOOD)


def test_what_the_system_refuses_is_one_line(tmp_path, monkeypatch):
    from dianjin_ext import jsonl

    def refuse(*_):
        raise PermissionError(13, "Permission denied", "hidden/rows.jsonl")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(jsonl.Path, "is_dir", refuse)
    code, output = run(Mistake("dianjin check-data hidden/rows.jsonl", "", ""))
    assert code == 1
    assert output.split("error: ")[1:] == [
        "hidden/rows.jsonl: Permission denied; check the path and its permissions\n"
    ]


def test_settings_may_merge_mappings(tmp_path):
    from dianjin_ext.evaluation.settings_file import load_settings

    file = tmp_path / "settings.yaml"
    file.write_text(
        "numbers: &all {unit: exact, scale: none}\n"
        "sources: {finqa: {numbers: {<<: *all, unit: gold_hint}}}\n",
        encoding="utf-8",
    )
    numbers = load_settings(file)["sources"]["finqa"]["numbers"]
    assert numbers == {"unit": "gold_hint", "scale": "none"}


def test_overwrite_replaces_a_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write("rows.jsonl", GOOD)
    write("out.jsonl", "old")
    code, output = run(Mistake(f"{SCORE} --overwrite", "", ""))
    assert code == 0, output
    assert json.loads(Path("out.jsonl").read_text(encoding="utf-8"))["score"] == 1.0


def table() -> str:
    """Return the table of all mistakes, made for real in a folder of its own."""
    lines = ["| command | what is wrong | what it says |", "|---|---|---|"]
    here = Path.cwd()
    os.environ["COLUMNS"] = "500"
    from dianjin_ext.rewards import own as own_rewards
    from dianjin_ext.rewards import registry

    for mistake in MISTAKES:
        known = dict(registry._REWARDS)
        with TemporaryDirectory() as place:
            os.chdir(place)
            try:
                write("rows.jsonl", GOOD)
                if mistake.prepare is not None:
                    mistake.prepare()
                line = told(mistake, run(mistake)[1]).removeprefix("error: ")
            finally:
                os.chdir(here)
            line = line.replace(os.path.realpath(place) + "/", "").replace(place + "/", "")
        registry._REWARDS.clear()
        registry._REWARDS.update(known)
        own_rewards._loaded.clear()
        cells = (f"`{mistake.command}`", mistake.wrong, line[:300].replace("|", "\\|"))
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def test_the_docs_have_them_all():
    text = DOCS.read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| `dianjin")]
    assert [row.split(" | ")[:2] for row in rows] == [
        [f"| `{mistake.command}`", mistake.wrong] for mistake in MISTAKES
    ]
    for row, mistake in zip(rows, MISTAKES, strict=True):
        assert mistake.words.replace("|", "\\|") in row, row
    assert len(rows) >= 60


if __name__ == "__main__":
    HEAD = """# Mistakes, and what each gets

Every one is made for real in the tests (`tests/test_mistakes.py`): it is told in one line, ends
with another exit code than 0, and changes no file. `python tests/test_mistakes.py` writes it.

"""
    DOCS.write_text(HEAD + table(), encoding="utf-8")
