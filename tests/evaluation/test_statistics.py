import random
from itertools import combinations

import pytest

pytest.importorskip("scipy")

from dianjin_ext.evaluation.statistics import compare, cons_at_k, estimate, holm, pass_at_k


def test_one_sample_a_question_has_wilsons_interval():
    found = estimate([[1.0]] * 81 + [[0.0]] * 182)
    assert (found.value, found.n) == (pytest.approx(81 / 263), 263)
    # Newcombe 1998, Statistics in Medicine 17:857-872, table I, method 3
    assert (found.low, found.high) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert found.error == pytest.approx((81 / 263 * 182 / 263 / 262) ** 0.5)


def test_samples_of_a_question_count_as_one():
    once = estimate([[1.0], [0.0]] * 50)
    often = estimate([[1.0] * 8, [0.0] * 8] * 50)
    assert often.value == once.value == 0.5
    assert often.error == pytest.approx(once.error)
    assert often.high - often.low == pytest.approx(once.high - once.low, abs=0.02)


@pytest.mark.parametrize("values", [[[1.0] * 4] * 20, [[0.0] * 4] * 20, [[1.0, 0.0]] * 20])
def test_questions_that_are_all_alike_have_an_interval_of_more_than_a_point(values):
    found = estimate(values)
    assert found.low < found.high and found.low <= found.value <= found.high


@pytest.mark.parametrize("values", [[], [[]], [[1.0], []]])
def test_nothing_has_no_mean(values):
    with pytest.raises(ValueError, match="at least one"):
        estimate(values)


@pytest.mark.parametrize("value", [-0.1, 1.5])
def test_what_is_no_share_is_refused(value):
    with pytest.raises(ValueError, match="from 0 to 1"):
        estimate([[0.5], [value]])


def test_questions_that_are_hardly_apart_count_as_trials():
    # a resample of one half-right question among fifty says nothing of those not asked
    found = estimate([[1.0, 0.0]] + [[0.0, 0.0]] * 49)
    assert (found.value, found.low > 0) == (0.01, True)
    assert found.high == pytest.approx(estimate([[0.0]] * 49 + [[0.5]]).high)
    assert estimate([[0.0, 0.0]] * 50).high < found.high < estimate([[1.0]] + [[0.0]] * 49).high


@pytest.mark.parametrize("n", range(1, 8))
def test_the_fewest_questions_have_every_number(n):
    rng = random.Random(n)
    for _ in range(50):
        first, second = ([[rng.randint(0, 4) / 4] for _ in range(n)] for _ in range(2))
        for found in (estimate(first), estimate(second)):
            assert 0.0 <= found.low <= found.value <= found.high <= 1.0 and found.low < found.high
        found = compare(first, second)
        assert -1.0 <= found.low <= found.difference <= found.high <= 1.0
        assert found.low < found.high and 0.0 < found.p <= 1.0
        assert found.gained + found.lost <= n == found.n


def test_seeds_repeat_an_interval_and_orders_leave_it():
    rng = random.Random(0)
    values = [[rng.randint(0, 8) / 8] for _ in range(60)]
    assert estimate(values, seed=3) == estimate(values, seed=3)
    shuffled = estimate(rng.sample(values, 60), seed=3)
    assert (shuffled.low, shuffled.high) == pytest.approx(
        (estimate(values, seed=3).low, estimate(values, seed=3).high)
    )


def test_a_real_difference_is_found_with_its_interval():
    rng = random.Random(0)
    first = [[float(rng.random() < 0.5)] for _ in range(400)]
    second = [[1.0] if value == [1.0] or rng.random() < 0.4 else [0.0] for value in first]
    found = compare(first, second)
    assert found.test == "McNemar exact" and found.p < 1e-6 and found.lost == 0
    assert found.low < found.difference < found.high and found.low > 0
    assert found.difference == pytest.approx(found.gained / 400)
    back = compare(second, first)
    assert (back.gained, back.lost, back.p) == (found.lost, found.gained, found.p)


def test_the_same_run_twice_is_no_difference():
    values = [[1.0], [0.0], [1.0]]
    found = compare(values, values)
    assert (found.difference, found.gained, found.lost, found.p) == (0.0, 0, 0, 1.0)
    assert found.low == -found.high < -0.5  # three questions say hardly anything of all others
    assert compare([[0.5, 1.0]] * 3, [[0.5, 1.0]] * 3).p == 1.0


def test_runs_on_other_questions_are_refused():
    with pytest.raises(ValueError, match="the same questions, found 1 and 2"):
        compare([[1.0]], [[1.0], [0.0]])


def test_holms_correction():
    # Holm 1979: the smallest is multiplied by their number, the next by one less, never falling
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == [1.0, 1.0] and holm([]) == []


@pytest.mark.parametrize(("right", "samples", "k"), [(0, 5, 2), (2, 5, 2), (5, 5, 1), (1, 4, 4)])
def test_pass_at_k_is_the_share_of_draws_with_a_right_one(right, samples, k):
    row = [True] * right + [False] * (samples - right)
    drawn = list(combinations(row, k))
    assert pass_at_k(right, samples, k) == pytest.approx(sum(map(any, drawn)) / len(drawn))


@pytest.mark.parametrize(("right", "samples", "k"), [(0, 3, 4), (0, 3, 0), (4, 3, 1)])
def test_pass_at_k_of_what_there_is_not(right, samples, k):
    with pytest.raises(ValueError, match="expected 1 <= k <= samples"):
        pass_at_k(right, samples, k)


@pytest.mark.parametrize(
    ("votes", "right", "share"),
    [
        ("AAB", [True, True, False], 1.0),
        ("ABB", [True, False, False], 0.0),
        ("AB", [True, False], 0.5),
        ("ABC", [True, False, False], 1 / 3),
        (["A", "", ""], [True, False, False], 1.0),  # who says nothing has no vote
        (["", ""], [False, False], 0.0),
    ],
)
def test_the_most_frequent_answer_wins(votes, right, share):
    assert cons_at_k(list(votes), right) == pytest.approx(share)
