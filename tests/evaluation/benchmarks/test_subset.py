"""How a sample is drawn: its size, its parts, and that no order of the rows changes it."""

import json
import random
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dianjin_ext.evaluation.benchmarks import chosen, get_benchmark, questions, survey
from dianjin_ext.evaluation.benchmarks.subset import allocation

CATEGORIES = {"stocks": 120, "bonds": 60, "funds": 15, "options": 4, "gold": 1}


@pytest.fixture
def own(tmp_path):
    """A benchmark of 200 questions in five categories, whose rows have names."""
    (tmp_path / "map.yaml").write_text(
        "question: q\nanswer: a\nkind: number\nid: id\ncategory: c\n", encoding="utf-8"
    )
    names = [name for name, number in CATEGORIES.items() for _ in range(number)]
    rows = [
        {"id": f"{name}-{number}", "q": f"What is {number} + 1?", "a": number + 1, "c": name}
        for number, name in enumerate(names)
    ]
    random.Random(0).shuffle(rows)
    return get_benchmark("own:sums", mapping=tmp_path / "map.yaml"), rows, tmp_path


def asked(own, *, order=None, **how):
    benchmark, rows, folder = own
    path = folder / "rows.jsonl"
    rows = list(rows)
    if order is not None:
        random.Random(order).shuffle(rows)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    subset = chosen(benchmark, survey(benchmark, [path]), **how)
    found = list(subset.of(questions(benchmark, [path])))
    assert len(found) == subset.questions
    return found


def test_all_are_asked_without_a_limit(own):
    assert len(asked(own)) == 200
    assert [q.row for q in asked(own)] == list(range(200))
    assert asked(own, sample=200) == asked(own, sample=1000) == asked(own, limit=1000) == asked(own)


def test_a_limit_takes_the_first(own):
    assert [q.row for q in asked(own, limit=7)] == list(range(7))
    assert asked(own, limit=0) == []


def test_a_sample_has_the_proportions_of_the_whole_and_every_category(own):
    found = Counter(q.category for q in asked(own, sample=40))
    # exactly 24, 12, 3, 0.8 and 0.2; the last two get one each, and stocks pay for it
    assert found == {"stocks": 23, "bonds": 12, "funds": 3, "options": 1, "gold": 1}
    few = Counter(q.category for q in asked(own, sample=3))
    assert few == {"stocks": 2, "bonds": 1}


def test_a_sample_stays_in_the_order_of_the_file(own):
    rows = [q.row for q in asked(own, sample=50)]
    assert rows == sorted(rows) and rows != list(range(50))
    assert [q.row for q in asked(own, sample=50, limit=10)] == rows[:10]


def test_a_sample_is_the_same_in_any_order_of_the_rows(own):
    ids = {q.id for q in asked(own, sample=60, seed=3)}
    assert all({q.id for q in asked(own, sample=60, seed=3, order=n)} == ids for n in (1, 2))


def test_another_seed_gives_another_sample(own):
    first, second = ({q.id for q in asked(own, sample=60, seed=seed)} for seed in (0, 1))
    assert first != second and len(first & second) < 50


def test_a_larger_sample_holds_the_smaller(own):
    small, large = ({q.id for q in asked(own, sample=n)} for n in (30, 120))
    assert small <= large


def test_a_row_more_changes_little(own):
    benchmark, rows, folder = own
    before = {q.id for q in asked(own, sample=60)}
    more = [*rows, {"id": "new", "q": "What is 1 + 1?", "a": 2, "c": "stocks"}]
    after = {q.id for q in asked((benchmark, more, folder), sample=60)}
    assert len(before - after) <= 2


def test_every_question_is_drawn_by_some_seed_about_as_often(own):
    drawn = Counter(q.id for seed in range(60) for q in asked(own, sample=50, seed=seed))
    of_stocks = [number for name, number in drawn.items() if "stocks" in name]
    assert len(of_stocks) == 120  # each is drawn in 60 * 29 / 120 = 14.5 samples on average
    assert min(of_stocks) >= 3 and max(of_stocks) <= 28


@given(st.lists(st.integers(1, 300), min_size=1, max_size=40), st.data())
def test_allocation_is_proportional_and_adds_up(sizes, data):
    number = data.draw(st.integers(0, sum(sizes)))
    shares = allocation(sizes, number)
    assert sum(shares) == number
    assert all(0 <= share <= size for share, size in zip(shares, sizes, strict=True))
    if number >= len(sizes):
        assert min(shares) >= 1
    for share, size in zip(shares, sizes, strict=True):
        exact = number * size / sum(sizes)
        assert share <= max(exact + 1, 1)
    by_size = sorted(zip(sizes, shares, strict=True))
    assert all(a[1] <= b[1] for a, b in pairwise(by_size) if a[0] < b[0])


def test_allocation_of_many_categories_takes_no_time_to_speak_of():
    shares = allocation([1] * 100_000 + [900_000], 100_001)
    assert sum(shares) == 100_001 and shares[-1] == 1
    shares = allocation([1] * 100_000 + [900_000], 150_000)
    assert set(shares[:-1]) == {1} and shares[-1] == 50_000
