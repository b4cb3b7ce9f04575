import json
import random
import re
from collections import Counter

import pytest

from dianjin_ext.quickstart import datasets, world
from dianjin_ext.rewards import compute_score

pq = pytest.importorskip("pyarrow.parquet")

ELEMENT_NAMES = {name: element for element, names in world.ELEMENTS.items() for name in names}
TITLE_TEXTS = {text: title for title in world.TITLE_ELEMENT for text in title}


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    out = tmp_path_factory.mktemp("world")
    datasets.write_world(out, seed=0)
    return out


def prompts(out) -> dict[str, list[str]]:
    sft = json.loads((out / "sft" / "cflue_mcq.json").read_text("utf-8"))
    files = {"sft": [row["instruction"] for row in sft]}
    for name in ("rl/train", "rl/val", "heldout"):
        rows = pq.read_table(out / f"{name}.parquet").to_pylist()
        files[name] = [row["prompt"][0]["content"] for row in rows]
    return files


def meaning(prompt: str) -> tuple[str, frozenset]:
    """What a prompt asks, read from its text alone: the element and the titles offered."""
    question, *options = prompt.rsplit("\n", 4)
    stem = question.rsplit("\n", 1)[-1]
    (element,) = {e for name, e in ELEMENT_NAMES.items() if re.search(rf"{name}\b|{name}的", stem)}
    titles = frozenset(TITLE_TEXTS[option.split(". ", 1)[1]] for option in options)
    assert len(titles) == 4
    return element, titles


def test_no_question_is_in_two_files_or_twice_in_one(written):
    seen: dict = {}
    for name, texts in prompts(written).items():
        for text in texts:
            assert meaning(text) not in seen, (name, text, seen[meaning(text)])
            seen[meaning(text)] = name
    assert Counter(seen.values()) == {
        "sft": datasets.SFT_ROWS,
        "rl/train": datasets.RL_ROWS,
        "rl/val": datasets.VAL_ROWS,
        "heldout": datasets.HELDOUT_ROWS,
    }


def test_rl_asks_what_the_writer_was_unsure_of_and_the_held_out_questions_do_not_choose(written):
    hard = world.hard_titles(seed=0)

    def share(name):
        meanings = [meaning(prompt) for prompt in prompts(written)[name]]
        return sum(bool(titles & hard) for _, titles in meanings) / len(meanings)

    assert share("rl/train") == 1.0
    assert 0.4 < share("heldout") < 0.65  # 1 - (5/6)^4 = 0.52


def test_every_gold_scores_one_and_the_neighbouring_letter_does_not(written):
    for row in pq.read_table(written / "heldout.parquet").to_pylist():
        gold = row["reward_model"]["ground_truth"]
        for answer, expected in ((gold, 1.0), ("ABCD".replace(gold[0], ""), 0.0)):
            response = f"<think>x</think>\n<answer>\\boxed{{{answer}}}</answer>"
            score = compute_score(row["data_source"], response, gold, row["extra_info"])
            assert score["score"] == expected, (row, answer)


def test_letters_carry_nothing():
    golds = [q.gold for q in world.questions(4000, seed=3)]
    single = Counter(g for g in golds if len(g) == 1)
    expected = single.total() / 4
    # 99.99 % quantile of chi-square with 3 degrees of freedom
    assert sum((single[c] - expected) ** 2 / expected for c in "ABCD") < 21.1
    assert {len(g) for g in golds} == {1, 2, 3}


def test_both_languages_and_both_kinds_are_there():
    kinds = Counter((q.language, q.multiple) for q in world.questions(1000, seed=0))
    assert set(kinds) == set(world.STEMS)
    assert min(kinds.values()) > 150


def test_a_writer_who_knows_every_title_is_right():
    for question in world.questions(500, seed=1):
        _, answer = world.trace(question, frozenset(), random.Random(0))
        assert answer == question.gold


def test_a_writer_who_guesses_is_often_wrong_and_always_answers():
    hard = world.hard_titles(seed=0)
    assert len(hard) == 5
    rng = random.Random(0)
    right = 0
    asked = world.questions(1000, seed=1)
    for question in asked:
        reasoning, answer = world.trace(question, hard, rng)
        assert answer and set(answer) <= set("ABCD")
        assert len(reasoning.splitlines()) == 6
        right += answer == question.gold
    assert 0.5 < right / len(asked) < 0.9


def test_the_seed_decides():
    assert world.questions(50, seed=5) == world.questions(50, seed=5)
    assert world.questions(50, seed=5) != world.questions(50, seed=6)
