import gzip
import io
import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from dianjin_ext.errors import DianjinError
from dianjin_ext.evaluation.batches import BATCH_BYTES
from dianjin_ext.evaluation.score_file import score_file
from dianjin_ext.evaluation.settings_file import load_settings
from dianjin_ext.jsonl import STANDARD
from dianjin_ext.rewards import compute_score


def response(letters, think="因为。"):
    return f"<think>{think}</think>\n<answer>\\boxed{{{letters}}}</answer>"


def row(letters="A", gold="A", **more):
    given = {"data_source": "cflue_mcq", "response": response(letters), "ground_truth": gold}
    return given | more


def write(path, rows):
    lines = [r if isinstance(r, str) else json.dumps(r, ensure_ascii=False) for r in rows]
    path.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    return path


def read(path):
    data = path.read_bytes()
    text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode("utf-8")
    return [json.loads(line) for line in text.splitlines()]


@pytest.fixture
def rows():
    """Some hundred rows in several batches, with keys of their own."""
    long = "流动负债一年内偿还。" * 200
    return [
        row("ABCD"[i % 4], id=i, response=response("ABCD"[i % 4], long + str(i)), extra_info=None)
        for i in range(300)
    ]


@pytest.mark.parametrize("workers", [1, 2])
def test_adds_every_key_of_compute_score_and_keeps_rows_in_order(tmp_path, rows, workers):
    file = write(tmp_path / "in.jsonl", rows)
    assert file.stat().st_size > 3 * BATCH_BYTES  # several batches a worker
    tally = score_file(file, tmp_path / "out.jsonl", settings={}, workers=workers)
    expected = [
        given | compute_score("cflue_mcq", given["response"], given["ground_truth"])
        for given in rows
    ]
    assert read(tmp_path / "out.jsonl") == expected
    assert tally.summary() == {
        "cflue_mcq": {
            "n": 300,
            "score": 0.25,
            "acc": 0.25,
            "format": 1.0,
            "reasons": {"wrong": 225, "correct": 75},
        }
    }


def test_settings_reach_the_grader(tmp_path):
    file = write(tmp_path / "in.jsonl", [row(response="选 \\boxed{A}"), row()])
    settings_file = tmp_path / "settings.yaml"
    settings_file.write_text("weights: {acc: 1.0, format: 0.5}\nlayout: strict\n")
    settings = load_settings(settings_file, strictness="lenient")
    score_file(file, tmp_path / "out.jsonl", settings=settings)
    assert [r["score"] for r in read(tmp_path / "out.jsonl")] == [1.0, 1.5]
    score_file(file, tmp_path / "out.jsonl", settings={})
    assert [r["score"] for r in read(tmp_path / "out.jsonl")] == [0.0, 1.0]


def test_settings_file_errors_name_the_file_and_the_key(tmp_path):
    file = tmp_path / "s.yaml"
    file.write_text("strictnes: lenient\n")
    with pytest.raises(DianjinError, match=r"s\.yaml: reward_kwargs\.strictnes is not known"):
        load_settings(file)
    file.write_text("- a\n")
    with pytest.raises(DianjinError, match=r"s\.yaml: expected a mapping"):
        load_settings(file)
    file.write_text("a: [\n")
    with pytest.raises(DianjinError, match=r"s\.yaml: can't be read as YAML"):
        load_settings(file)
    with pytest.raises(DianjinError, match="dianjin_r1"):
        load_settings(preset="dianjin_r9")


def test_gzip_and_standard_streams(tmp_path, rows, monkeypatch, capfdbinary):
    plain = write(tmp_path / "in.jsonl", rows[:9])
    packed = tmp_path / "in.jsonl.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    score_file(plain, tmp_path / "out.jsonl", settings={})
    score_file(packed, tmp_path / "out.jsonl.gz", settings={})
    assert read(tmp_path / "out.jsonl.gz") == read(tmp_path / "out.jsonl")
    capfdbinary.readouterr()

    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(plain.read_bytes())))
    score_file(STANDARD, STANDARD, settings={})
    out, err = capfdbinary.readouterr()
    assert out == (tmp_path / "out.jsonl").read_bytes()
    assert b"data source" in err


BAD = {
    "no json": ("{", "line: expected JSON"),
    "a list": ("[1]", "line: expected a JSON object, found a list"),
    "too deep": ("[" * 100_000, "line: expected JSON"),
    "no response": ({"data_source": "cflue_mcq", "ground_truth": "A"}, "response: expected the re"),
    "no text": (row(response=7), "response: expected the response as text, found a number"),
    "no gold": ({"data_source": "cflue_mcq", "response": ""}, "ground_truth: expected the gold"),
    "extra_info": (row(extra_info=[1]), "extra_info: expected an object or null, found a list"),
    "unknown": (row(data_source="cfleu"), "data_source: data_source 'cfleu' has no reward; known"),
    "clash": (row(score=1), "score: expected no such key, since the result has it"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_row_is_told_and_stops_the_run(tmp_path, capsys, name):
    bad, message = BAD[name]
    file = write(tmp_path / "in.jsonl", [row(), bad, "", row("B")])
    out = tmp_path / "out.jsonl"
    out.write_text("old")
    with pytest.raises(DianjinError, match=r"in\.jsonl: 1 bad rows"):
        score_file(file, out, settings={})
    assert f"{file}, line 2: {message}" in capsys.readouterr().err
    assert out.read_text() == "old"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in.jsonl", "out.jsonl"]

    score_file(file, out, settings={}, skip_bad=True)
    assert [r["reason"] for r in read(out)] == ["correct", "wrong"]


def test_line_numbers_are_those_of_the_file_in_every_batch(tmp_path, rows, capsys):
    rows[123] = row(response=None)
    rows[299] = row(response=None)
    file = write(tmp_path / "in.jsonl", rows)
    score_file(file, tmp_path / "out.jsonl", settings={}, workers=2, skip_bad=True)
    told = capsys.readouterr().err
    assert "line 124: response" in told
    assert "line 300: response" in told
    assert len(read(tmp_path / "out.jsonl")) == 298


def test_rescore_replaces_the_scores_of_an_earlier_run(tmp_path):
    lenient = {"strictness": "lenient"}
    file = write(tmp_path / "in.jsonl", [row(response="选 \\boxed{A}")])
    score_file(file, tmp_path / "1.jsonl", settings={})
    score_file(tmp_path / "1.jsonl", tmp_path / "2.jsonl", settings=lenient, rescore=True)
    assert [r["score"] for r in read(tmp_path / "1.jsonl")] == [0.0]
    assert [r["score"] for r in read(tmp_path / "2.jsonl")] == [1.0]


@pytest.mark.parametrize("workers", [1, 2])
def test_the_judge_is_asked_for_what_the_rules_leave_open(tmp_path, monkeypatch, workers):
    pytest.importorskip("openai")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]  # nothing listens here any more: the judge is out of reach
    monkeypatch.setenv("OPENAI_API_KEY", "EMPTY")
    answers = ["利润增长", "收入增长了，利润因此上升"]
    rows = [
        row(data_source="cflue_oe", response=f"<think>想。</think><answer>{answer}</answer>")
        | {"ground_truth": "利润增长", "extra_info": {"question": "为什么？"}}
        for answer in answers
    ]
    settings_file = tmp_path / "settings.yaml"
    settings_file.write_text(
        f"judge: {{model: m, base_url: 'http://127.0.0.1:{port}/v1', max_attempts: 1, "
        f"cache_dir: '{tmp_path}'}}"
    )
    file = write(tmp_path / "in.jsonl", rows)
    settings = load_settings(settings_file)
    score_file(file, tmp_path / "out.jsonl", settings=settings, workers=workers)
    assert [r["reason"] for r in read(tmp_path / "out.jsonl")] == ["correct", "skipped"]
    monkeypatch.delenv("OPENAI_API_KEY")
    with pytest.raises(DianjinError, match="the judge has no key; export OPENAI_API_KEY="):
        score_file(file, tmp_path / "more.jsonl", settings=settings, workers=workers)
    settings_file.write_text("judge: {model: m, modle: m}")
    with pytest.raises(DianjinError, match=r"settings\.yaml: reward_kwargs\.judge\.modle is not"):
        load_settings(settings_file)


def test_half_of_a_surrogate_pair_survives(tmp_path):
    file = write(tmp_path / "in.jsonl", [json.dumps(row(note="\ud83d"))])
    score_file(file, tmp_path / "out.jsonl", settings={})
    assert read(tmp_path / "out.jsonl")[0]["note"] == "\ud83d"


def test_a_damaged_file_leaves_nothing_behind(tmp_path, rows):
    whole = gzip.compress(write(tmp_path / "in.jsonl", rows).read_bytes())
    file = tmp_path / "cut.jsonl.gz"
    file.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DianjinError, match=r"cut\.jsonl\.gz: can't be read"):
        score_file(file, tmp_path / "out.jsonl", settings={})
    with pytest.raises(DianjinError, match=r"absent\.jsonl: can't be read"):
        score_file(tmp_path / "absent.jsonl", tmp_path / "out.jsonl", settings={})
    assert not list(tmp_path.glob("*out*"))


MEASURE = """
import resource, sys
from pathlib import Path
from dianjin_ext.evaluation.score_file import score_file
if __name__ == "__main__":
    file, out, workers = sys.argv[1:]
    score_file(Path(file), Path(out), settings={}, workers=int(workers))
    # ru_maxrss of this process would count the parent's memory at the time of the fork
    status = Path("/proc/self/status").read_text()
    print(status.partition("VmHWM:")[2].split()[0])
    print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's /proc")
@pytest.mark.parametrize("workers", [1, 2])
def test_memory_does_not_grow_with_the_file(tmp_path, workers):
    script = tmp_path / "measure.py"
    script.write_text(MEASURE)
    line = json.dumps(row(response=response("A", "因为" * 4000)), ensure_ascii=False) + "\n"
    peaks = []
    for copies in (200, 4000):
        file = tmp_path / f"{copies}.jsonl"
        with file.open("w", encoding="utf-8") as opened:
            opened.writelines(line for _ in range(copies))
        arguments = [script, file, tmp_path / "out.jsonl", workers]
        done = subprocess.run(
            [sys.executable, *map(str, arguments)], capture_output=True, text=True, check=True
        )
        peaks.append([int(kib) for kib in done.stdout.split()[-2:]])
    assert file.stat().st_size > 90_000_000
    for small, large in zip(*peaks, strict=True):
        assert large < small + 16 * 1024, peaks  # KiB
    assert (peaks[0][1] > 0) == (workers > 1)  # the workers were measured too


def test_parquet_is_read(tmp_path):
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    plain, verl = row(), row("B")
    verl["reward_model"] = {"style": "rule", "ground_truth": verl.pop("ground_truth")}
    for name, given in (("plain.parquet", plain), ("verl.parquet", verl)):
        parquet.write_table(pa.Table.from_pylist([given] * 300), tmp_path / name)
        score_file(tmp_path / name, tmp_path / "out.jsonl", settings={})
        acc = [r["acc"] for r in read(tmp_path / "out.jsonl")]
        assert acc == [float(given is plain)] * 300


@pytest.mark.parametrize("gold", [None, True, {"a": 1}, float("nan"), []])
def test_a_gold_answer_that_is_none_is_a_bad_row(tmp_path, gold, capsys):
    file = write(tmp_path / "rows.jsonl", [row(), row(gold=gold)])
    with pytest.raises(DianjinError, match="1 bad rows"):
        score_file(file, tmp_path / "out.jsonl", settings={})
    assert "line 2: ground_truth: expected a gold answer, found" in capsys.readouterr().err
    assert not (tmp_path / "out.jsonl").exists()


def test_a_list_is_a_gold_answer_where_the_reward_reads_lists(tmp_path):
    file = write(tmp_path / "rows.jsonl", [row("AC", gold=["A", "C"])])
    score_file(file, tmp_path / "out.jsonl", settings={})
    assert read(tmp_path / "out.jsonl")[0]["acc"] == 1.0
