import random
from collections import Counter

from dianjin_ext.quickstart import world


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
