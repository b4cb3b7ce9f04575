import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from dianjin_ext import rewards
from dianjin_ext.data import usable
from dianjin_ext.data.prepare import prepare
from dianjin_ext.data.prepare_settings import PrepareSettings
from dianjin_ext.errors import DianjinError
from dianjin_ext.questions.question import read_questions
from dianjin_ext.questions.readers import get_reader, read

TERMS = ["国债", "股票", "期货", "期权", "存款", "保险", "信托", "基金", "票据", "外汇"]
OUTPUTS = [
    *("counts.json", "questions.parquet", "rl/train.parquet", "rl/val.parquet"),
    "sft/cflue_mcq.json",
]


def prepare_cflue(file, out, **settings):
    rows = list(read(get_reader("cflue"), [file]))
    return prepare(rows, out, files=[file], settings=PrepareSettings(**settings))


def make_row(index, **changes):
    picked = [TERMS[(index + k * (1 + index % 3)) % len(TERMS)] for k in range(4)]
    return {
        "名称": "银行初级资格",
        "task": "单项选择题",
        "question": f"第{index}类：{TERMS[index % 10]}{index * 7919}与{TERMS[index // 10]}（）。",
        "choices": str({letter: f"{t}{index}" for letter, t in zip("ABCD", picked, strict=True)}),
        "answer": "ABCD"[index % 4],
        "analysis": None if index % 5 == 0 else f"解析{index}",
    } | changes


def write(tmp_path, rows):
    path = tmp_path / "knowledge.json"
    path.write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8")
    return path


def files_in(directory):
    found = [p.relative_to(directory).as_posix() for p in directory.rglob("*") if p.is_file()]
    return sorted(found)


def load(out):
    sft = json.loads((out / "sft/cflue_mcq.json").read_text(encoding="utf-8"))
    train, val = (
        pq.read_table(out / f"rl/{name}.parquet").to_pylist() for name in ("train", "val")
    )
    return sft, train, val


@pytest.fixture
def prepared(tmp_path):
    file = write(tmp_path, [make_row(i) for i in range(60)])
    counts = prepare_cflue(file, tmp_path / "out")
    return tmp_path / "out", counts


def test_files_and_default_sizes(prepared):
    out, counts = prepared
    assert files_in(out) == OUTPUTS
    sft, train, val = load(out)
    assert (len(val), len(train)) == (6, 13)  # a tenth, and a quarter of what is left
    assert counts["written"]["sft"]["total"] == len(sft)
    written = json.loads((out / "counts.json").read_text(encoding="utf-8"))
    assert written.pop("outputs") == OUTPUTS[1:]
    assert written == counts


def test_counts_add_up(prepared):
    _, counts = prepared
    written = sum(part["total"] for part in counts["written"].values())
    left_out = sum(counts["excluded"].values()) + sum(counts["unused"].values())
    assert counts["rows"] == 60 == written + left_out + len(counts["bad_rows"])


def test_no_question_is_in_two_files(prepared):
    sft, train, val = load(prepared[0])
    prompts = [row["instruction"] for row in sft]
    prompts += [row["prompt"][0]["content"] for row in train + val]
    assert len(prompts) == len(set(prompts))


def test_rows_carry_what_training_needs(prepared):
    _, train, val = load(prepared[0])
    for part, rows in (("train", train), ("val", val)):
        for row in rows:
            info = row["extra_info"]
            source = make_row(info["index"])
            assert row["data_source"] == "cflue_mcq"
            assert info["split"] == part
            assert info["question"] == source["question"]
            assert row["reward_model"]["ground_truth"] == source["answer"]
            assert f"A. {info['choices']['A']}" in row["prompt"][0]["content"]


def test_every_gold_and_every_sft_response_scores_one(prepared):
    sft, train, val = load(prepared[0])
    for row in train + val:
        gold = row["reward_model"]["ground_truth"]
        response = f"<think>因为</think><answer>\\boxed{{{gold}}}</answer>"
        assert rewards.compute_score("cflue_mcq", response, gold, row["extra_info"])["score"] == 1.0
    by_question = {make_row(i)["question"]: make_row(i) for i in range(60)}
    for row in sft:
        source = next(s for q, s in by_question.items() if q in row["instruction"])
        assert source["analysis"] in row["output"]
        result = rewards.compute_score("cflue_mcq", row["output"], source["answer"])
        assert result["score"] == 1.0


def test_bad_rows_stop_it_and_are_all_listed(tmp_path):
    rows = [make_row(i) for i in range(60)]
    rows[3]["answer"] = "E"
    rows[7]["choices"] = "nothing"
    file = write(tmp_path, rows)
    with pytest.raises(DianjinError) as error:
        prepare_cflue(file, tmp_path / "out")
    message = str(error.value)
    assert message.startswith("2 bad rows")
    for part in ("knowledge.json, row 3, answer:", "row 7, choices:", "--on-error skip"):
        assert part in message
    assert not (tmp_path / "out").exists()

    counts = prepare_cflue(file, tmp_path / "out", on_error="skip")
    assert [line.split(":")[0] for line in counts["bad_rows"]] == [
        "knowledge.json, row 3, answer", "knowledge.json, row 7, choices",
    ]  # fmt: skip
    _, train, val = load(tmp_path / "out")
    assert not {3, 7} & {row["extra_info"]["index"] for row in train + val}
    assert not (tmp_path / "out" / "bad_rows.jsonl").exists()

    prepare_cflue(file, tmp_path / "out", on_error="quarantine", overwrite=True)
    lines = (tmp_path / "out" / "bad_rows.jsonl").read_text(encoding="utf-8").splitlines()
    kept = [json.loads(line) for line in lines]
    assert [(row["file"], row["where"], row["field"]) for row in kept] == [
        ("knowledge.json", "row 3", "answer"),
        ("knowledge.json", "row 7", "choices"),
    ]
    assert [row["row"] for row in kept] == [rows[3], rows[7]]

    prepare_cflue(file, tmp_path / "out", on_error="skip", overwrite=True)
    assert files_in(tmp_path / "out") == OUTPUTS  # nothing of the run before is left


def test_a_reasoning_that_makes_no_response_is_told_and_its_question_kept(tmp_path):
    rows = [make_row(i) for i in range(60)]
    rows[9]["analysis"] = "见</think>上"
    counts = prepare_cflue(write(tmp_path, rows), tmp_path / "out")
    (problem,) = counts["problems"]
    assert problem.startswith("knowledge.json, row 9, reasoning: the think part")
    sft, _, _ = load(tmp_path / "out")
    assert not any(rows[9]["question"] in row["instruction"] for row in sft)


def test_a_gold_that_the_grader_refuses_is_listed_and_not_trained_on(tmp_path, monkeypatch):
    # The reader lets no such gold through, so the grader is made to refuse one.
    def refusing(data_source, ground_truth, extra_info=None):
        if extra_info["question"] == make_row(4)["question"]:
            raise DianjinError("the gold can't be used")
        return rewards.gold_response(data_source, ground_truth, extra_info)

    monkeypatch.setattr(usable, "gold_response", refusing)
    file = write(tmp_path, [make_row(i) for i in range(60)])
    counts = prepare_cflue(file, tmp_path / "out")
    assert counts["problems"] == ["knowledge.json, row 4, answer: the gold can't be used"]
    assert counts["excluded"]["gold_unusable"] == 1
    by_row = {q.row: q.split for q in read_questions(tmp_path / "out/questions.parquet")}
    assert len(by_row) == 60 and by_row[4] == ""


def test_long_prompts_are_kept_out_of_rl(tmp_path):
    rows = [make_row(i) for i in range(60)]
    for index in (11, 12):
        rows[index]["question"] += "".join(chr(0x4E00 + index * 500 + k % 400) for k in range(1024))
    rows[12]["analysis"] = None
    file = write(tmp_path, rows)
    counts = prepare_cflue(file, tmp_path / "out", rl_rows=40)
    sft, train, val = load(tmp_path / "out")
    assert max(len(row["prompt"][0]["content"]) for row in train + val) <= 1024
    assert max(len(row["instruction"]) for row in sft) > 1024
    assert counts["unused"]["prompt_too_long"] == 1 and counts["prompt_too_long"] == 2
    longer = prepare_cflue(file, tmp_path / "more", rl_rows=40, max_prompt=2048)
    assert longer["prompt_too_long"] == 0


def test_a_split_that_is_too_greedy_is_refused(tmp_path):
    file = write(tmp_path, [make_row(i) for i in range(60)])
    with pytest.raises(DianjinError, match=r"no rows for sft: 60 usable questions"):
        prepare_cflue(file, tmp_path / "out", rl_rows=58, val_rows=2)
    with pytest.raises(DianjinError, match="no rows for train: 1 usable"):
        prepare_cflue(write(tmp_path, [make_row(1)]), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_same_seed_writes_the_same_bytes(tmp_path):
    file = write(tmp_path, [make_row(i) for i in range(60)])
    for name in ("one", "two"):
        prepare_cflue(file, tmp_path / name, seed=3)
    assert files_in(tmp_path / "one") == OUTPUTS
    for name in OUTPUTS:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_published_rows(tmp_path):
    file = Path(__file__).resolve().parents[3] / "shared/data/cflue/knowledge_1500.json"
    if not file.exists():
        pytest.skip("the published CFLUE rows are not beside the repository")
    counts = prepare_cflue(file, tmp_path / "out")
    assert counts["rows"] == 1500
    assert counts["bad_rows"] == []
    assert {name: n for name, n in counts["excluded"].items() if n} == {"repeated_option": 1}
    assert counts["licences"] == {"CC BY-NC-SA 4.0": 1499}
    totals = {name: part["total"] for name, part in counts["written"].items()}
    assert totals == {"sft": 1013, "train": 337, "val": 149}
    sft, train, val = load(tmp_path / "out")
    assert (len(sft), len(train), len(val)) == (1013, 337, 149)
