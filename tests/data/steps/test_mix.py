import json
from collections import Counter
from dataclasses import replace

import pyarrow.parquet as pq
import pytest

from dianjin_ext.data.candidate import read_candidates, write_candidates
from dianjin_ext.data.steps.choose import choose
from dianjin_ext.data.steps.draw import shares
from dianjin_ext.data.steps.mix import STEP
from dianjin_ext.data.steps.settings import Mix
from dianjin_ext.errors import DianjinError
from dianjin_ext.questions.question import Question, read_questions, write_questions

WORDS = "甲乙丙丁戊己庚辛壬癸子丑寅卯辰巳午未申酉戌亥"


def question(number, source="choice", **own):
    name = "".join(WORDS[int(digit) * 2 + (number % 2)] for digit in f"{number:04}") * 3
    choices = {letter: f"{name}{letter}选项{number * 7 + i}" for i, letter in enumerate("ABCD")}
    given = {"data_source": source, "question": f"{name}公司{number}年应当怎样记账？{name[::-1]}",
             "kind": "choice", "answer": "B", "choices": choices}  # fmt: skip
    return Question(id=f"{source}/{number}", **given | own)


@pytest.fixture
def mix(tmp_path):
    def mix(candidates, questions=(), **own):
        write_candidates(candidates, tmp_path / "in.parquet")
        paths = [tmp_path / "in.parquet"]
        if questions:
            write_questions(questions, tmp_path / "questions.parquet")
            paths.append(tmp_path / "questions.parquet")
        report = STEP.run(paths, tmp_path / "set", Mix(**own))
        return report, tmp_path / "set"

    return mix


def sft_of(folder):
    return {
        path.stem: json.loads(path.read_text(encoding="utf-8"))
        for path in sorted((folder / "sft").glob("*.json"))
    }


def ids(path):
    return {row["extra_info"]["id"] for row in pq.read_table(path).to_pylist()}


def test_the_folder_is_what_both_hosts_read_and_no_question_is_on_two_sides(mix, candidate):
    rows = [candidate(question(i), sample=k) for i in range(60) for k in range(2)]
    rows += [candidate(question(i, "cflue_mcq")) for i in range(60, 100)]
    report, folder = mix(rows, rl_rows=20, val_rows=7)
    sft = sft_of(folder)
    assert {name: len(found) for name, found in sft.items()} == report["sft"]
    assert sum(report["rl"].values()) == 20 and report["val"] == 7
    assert sum(report["sft"].values()) == 100 - 27
    info = json.loads((folder / "dataset_info.json").read_text())
    assert info["dianjin_choice"]["file_name"] == "sft/choice.json"
    (first, *_) = sft["choice"]
    assert first["output"].startswith("<think>先看题目") and "<answer>\\boxed{B}" in first["output"]
    train, val = ids(folder / "rl/train.parquet"), ids(folder / "rl/val.parquet")
    found = list(read_candidates(folder / "candidates.parquet"))
    assert len(found) == len(rows)  # every response is kept
    taught = {row.question.id for row in found if row.use == "sft"}
    assert not (train & val or train & taught or val & taught)
    assert {row.why for row in found if row.use == "sft"} == {"first of 2", "the only one"}
    uses = Counter(q.split for q in read_questions(folder / "questions.parquet"))
    assert uses == {"sft": 73, "rl": 20, "val": 7}


def test_the_same_seed_writes_the_same_bytes_and_another_does_not(mix, candidate):
    rows = [candidate(question(i)) for i in range(60)]

    def run(**own):
        _, folder = mix(rows, rl_rows=20, **own)
        return {p.name: p.read_bytes() for p in folder.rglob("*") if p.is_file()}

    first = run()
    assert run() == first != run(seed=1)


def test_dropped_responses_are_not_taught_and_their_questions_go_to_rl(mix, candidate):
    rows = [
        candidate(question(i), dropped="" if i % 2 else "select: reasoning_steps")
        for i in range(60)
    ]
    report, folder = mix(rows, rl_from="rejected", val_rows=0)
    assert report["sft"] == {"choice": 30} and report["rl"] == {"choice": 30}
    assert ids(folder / "rl/train.parquet") == {f"choice/{i}" for i in range(0, 60, 2)}


def test_sizes_by_source_and_by_weight(mix, candidate):
    rows = [candidate(question(i, ["cflue_mcq", "finqa", "label"][i % 3])) for i in range(90)]
    given = {"rl": {"cflue_mcq": 5}, "val_rows": 0}
    report, _ = mix(rows, sft={"cflue_mcq": 10, "finqa": 3}, **given)
    assert report["sft"] == {"cflue_mcq": 10, "finqa": 3}
    assert report["rl"] == {"cflue_mcq": 5}
    report, _ = mix(rows, sft={"cflue_*": 3, "*": 1}, sft_rows=20, **given)
    assert report["sft"]["cflue_mcq"] == 15 and sum(report["sft"].values()) == 20
    report, _ = mix(rows, preset="dianjin_r1", sft_rows=10, val_rows=0)
    assert report["sft"] == {"cflue_mcq": 7, "finqa": 1}  # of 26,672, 5,045, 4,581 and 1,800
    assert report["rl"] == {"cflue_mcq": 22}  # a quarter, where there are no 4,096
    assert shares({"a": 1, "b": 1, "c": 1}, 10) == {"a": 4, "b": 3, "c": 3}
    with pytest.raises(DianjinError, match="preset 'r1' is not known; known: dianjin_r1, fin_r1"):
        mix(rows, preset="r1")


def test_difficulty_by_pass_rate(mix, candidate):
    rows = [candidate(question(i), right=i % 9, of=8) for i in range(90)]
    shares_ = {"hard": 2, "medium": 1, "easy": 1}
    _, folder = mix(rows, difficulty=shares_, rl_rows=20, val_rows=0)
    right = {row.question.id: row.right for row in rows}
    found = Counter(
        "hard" if right[name] / 8 < 1 / 3 else "medium" if right[name] / 8 < 2 / 3 else "easy"
        for name in ids(folder / "rl/train.parquet")
    )
    assert found == {"hard": 10, "medium": 5, "easy": 5}


def test_lengths_in_tokens_and_what_is_published_apart(mix, candidate):
    rows = [candidate(question(i)) for i in range(20)]
    rows += [candidate(question(20), reasoning="想" * 3000)]
    rows += [candidate(question(21, split="test")), candidate(question(22, split="val"))]
    rows += [candidate(question(23, answer=None)), candidate(question(24), reasoning=None)]
    long = question(25, context="长" * 2000)
    report, folder = mix([*rows, candidate(long)], max_tokens=3000, rl_rows=10)
    assert report["unused"] == {
        "sft: too long": 1,
        "sft: published for test": 1,
        "sft: published for val": 1,
        "sft: without reasoning": 1,
        "rl: published for test": 1,
        "rl: without a gold answer that can be graded": 1,
        "rl: prompt too long": 1,
        "sft: not drawn": report["unused"]["sft: not drawn"],
        "rl: not drawn": report["unused"]["rl: not drawn"],
    }
    assert ids(folder / "rl/val.parquet") == {"choice/22"}


def test_rl_may_be_drawn_from_another_file(mix, candidate, tmp_path):
    write_questions([question(i) for i in range(50, 70)], tmp_path / "rl.parquet")
    rows = [candidate(question(i)) for i in range(20)]
    report, folder = mix(rows, rl_inputs=(tmp_path / "rl.parquet",), val_rows=2)
    assert report["sft"] == {"choice": 20}
    assert ids(folder / "rl/train.parquet") <= {f"choice/{i}" for i in range(50, 70)}


def test_near_duplicates_stay_on_one_side(mix, candidate):
    pairs = [question(i) for i in range(40)]
    twins = [replace(q, id=f"{q.id}b", question=f"{q.question} ") for q in pairs]
    _, folder = mix([candidate(q) for q in pairs + twins], rl_rows=20, val_rows=4)
    sides = [ids(folder / f"rl/{part}.parquet") for part in ("train", "val")]
    for side in sides:
        assert {name.rstrip("b") for name in side} == {n for n in side if not n.endswith("b")}


def test_which_of_several_is_chosen_is_said(candidate):
    rows = [candidate(sample=i, reasoning="想" * n) for i, n in ((2, 5), (0, 9), (1, 3))]
    assert choose(rows, "first", seed=0) == {1: "first of 3"}
    assert choose(rows, "shortest", seed=0) == {2: "shortest of 3"}
    assert choose(rows, "longest", seed=0) == {1: "longest of 3"}
    assert len({next(iter(choose(rows, "random", seed=s))) for s in range(20)}) == 3
    assert choose(rows, "all", seed=0) == dict.fromkeys(range(3), "each of 3")
    with pytest.raises(DianjinError, match="expected first, shortest, longest, random, all"):
        choose(rows, "best", seed=0)


def test_nothing_to_train_on_is_told_and_leaves_nothing(mix, candidate, tmp_path):
    with pytest.raises(DianjinError, match=r"nothing to train on.*1 rl: without a gold answer"):
        mix([candidate(question(1, answer=None), dropped="verify: wrong")])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.parquet"]


def test_an_earlier_set_is_replaced_at_once(mix, candidate):
    rows = [candidate(question(i, "cflue_mcq")) for i in range(30)]
    mix(rows, val_rows=0)
    _, folder = mix([candidate(question(i)) for i in range(30)], val_rows=0, rl_rows=5)
    assert list(sft_of(folder)) == ["choice"]
    assert not [path for path in folder.parent.iterdir() if path.name.startswith(".")]
