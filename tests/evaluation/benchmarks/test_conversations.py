"""ConvFinQA: its turns follow each other, and a sample has whole conversations."""

import json
import random
from itertools import groupby

import pytest

from dianjin_ext.evaluation.benchmarks import BENCHMARKS, chosen, questions, survey

BENCHMARK = BENCHMARKS["convfinqa"]


def conversation(name, turns):
    return {
        "id": name,
        "pre_text": ["the company made furnaces."],
        "post_text": ["."],
        "table_ori": [["", "2009"], ["sales", "12"]],
        "annotation": {
            "dialogue_break": [f"what were the sales of plant {n}?" for n in range(turns)],
            "exe_ans_list": [float(n) for n in range(turns)],
        },
    }


def write(folder, rows, name="dev.json"):
    path = folder / name
    path.write_text(json.dumps(rows), encoding="utf-8")
    return [path]


@pytest.fixture
def files(tmp_path):
    kinds = ["Single"] * 30 + ["Double"] * 10
    rows = [
        conversation(f"{kind}_AAL/2009/page_{n}.pdf-{n % 2}", 1 + n % 5)
        for n, kind in enumerate(kinds)
    ]
    random.Random(0).shuffle(rows)
    return write(tmp_path, rows)


def turns_of(found):
    groups = [list(turns) for _, turns in groupby(found, BENCHMARK.conversation)]
    assert len({BENCHMARK.conversation(turns[0]) for turns in groups}) == len(groups)
    return groups


def test_each_turn_is_a_question_of_its_conversation(files):
    found = list(questions(BENCHMARK, files))
    assert len(found) == 120 == survey(BENCHMARK, files).questions
    groups = turns_of(found)
    assert len(groups) == 40
    for turns in groups:
        assert [len(turn.turns) for turn in turns] == list(range(len(turns)))
        assert len({BENCHMARK.category(turn) for turn in turns}) == 1
    counted = survey(BENCHMARK, files)
    assert counted.split == "val" and counted.scattered == ""
    assert counted.categories == {"simple": 90, "hybrid": 30}


@pytest.mark.parametrize("how", [{"sample": 40}, {"limit": 33}, {"sample": 60, "limit": 20}])
def test_conversations_stay_whole(files, how):
    whole = {BENCHMARK.conversation(t[0]): t for t in turns_of(questions(BENCHMARK, files))}
    subset = chosen(BENCHMARK, survey(BENCHMARK, files), **how)
    found = list(subset.of(questions(BENCHMARK, files)))
    wanted = min(how.values())
    assert len(found) == subset.questions
    assert wanted - 2 * 4 <= len(found) <= wanted
    for turns in turns_of(found):
        assert turns == whole[BENCHMARK.conversation(turns[0])]


def test_a_first_conversation_longer_than_the_limit_is_asked_as_a_whole(tmp_path):
    files = write(tmp_path, [conversation("Single_A/2009/page_1.pdf-1", 5)] * 2)
    subset = chosen(BENCHMARK, survey(BENCHMARK, files), limit=3)
    assert subset.questions == 5
    assert chosen(BENCHMARK, survey(BENCHMARK, files), limit=0).questions == 0


def test_the_same_conversation_twice_is_two(tmp_path):
    files = write(tmp_path, [conversation("Single_A/2009/page_1.pdf-1", 2)] * 2)
    found = list(questions(BENCHMARK, files))
    assert [len(turns) for turns in turns_of(found)] == [2, 2]


def turn_rows(name, turns):
    whole = conversation(name, turns)
    asked, golds = whole["annotation"]["dialogue_break"], whole["annotation"]["exe_ans_list"]
    for n in range(turns):
        annotation = {"cur_dial": asked[: n + 1], "exe_ans_list": golds, "exe_ans": golds[n]}
        yield {**whole, "id": f"{name}_{n}", "annotation": annotation}


def test_a_row_for_each_turn_makes_the_same_conversations(tmp_path):
    names = [f"Double_B/2009/page_{n}.pdf" for n in range(3)]
    by_turn = write(tmp_path, [r for name in names for r in turn_rows(name, 3)], "dev_turn.json")
    whole = write(tmp_path, [conversation(name, 3) for name in names])
    one, two = (
        [(q.id, q.turns, q.answer, BENCHMARK.conversation(q)) for q in questions(BENCHMARK, files)]
        for files in (by_turn, whole)
    )
    assert one == two


def test_turns_that_are_apart_are_told(tmp_path):
    one, two = (list(turn_rows(f"Single_C/2009/page_{n}.pdf", 2)) for n in (1, 2))
    files = write(tmp_path, [one[0], two[0], one[1], two[1]], "dev_turn.json")
    assert survey(BENCHMARK, files).scattered == "convfinqa/Single_C/2009/page_1.pdf"
    assert survey(BENCHMARK, files).questions == 4


def test_flattened_rows_are_a_conversation_each(tmp_path):
    rows = [
        {"id": f"Single_D/2009/page_1.pdf-{n}", "questions": ["what?", "and then?"], "answer": 1.5,
         "text": "a page", "table": "- | 2009\nsales | 12\n"}
        for n in (1, 2)
    ]  # fmt: skip
    files = write(tmp_path, rows)
    assert len({BENCHMARK.conversation(q) for q in questions(BENCHMARK, files)}) == 2
