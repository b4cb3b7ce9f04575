import math

import numpy as np
import pytest

from dianjin_ext import compute_score
from dianjin_ext.errors import DianjinError

RIGHT = r"<think>x</think><answer>\boxed{A}</answer>"
WRONG = r"<think>x</think><answer>\boxed{B}</answer>"
LIMIT = 1000


def value(
    name, tokens, response=RIGHT, *, gold="A", limit=LIMIT, data_source="cflue_mcq", **settings
):
    row = compute_score(
        data_source,
        response,
        gold,
        {"response_tokens": tokens, "max_response_tokens": limit},
        weights={name: 1.0},
        components={name: settings},
    )
    assert row["score"] == row[name]
    return row[name]


def test_cosine_between_its_ends():
    assert value("length", 0) == 1.0
    assert value("length", 250) == pytest.approx(0.5 + 0.25 * (1 + math.sqrt(0.5)))
    assert value("length", 500) == pytest.approx(0.75)
    assert value("length", 0, WRONG) == -1.0
    assert value("length", 500, WRONG) == pytest.approx(-0.75)


def test_short_is_better_if_right_and_long_is_better_if_wrong():
    right = [value("length", tokens) for tokens in range(0, LIMIT, 50)]
    wrong = [value("length", tokens, WRONG) for tokens in range(0, LIMIT, 50)]
    assert right == sorted(right, reverse=True)
    assert wrong == sorted(wrong)
    assert min(right) > max(wrong)


@pytest.mark.parametrize("response", [RIGHT, WRONG, "no answer"])
@pytest.mark.parametrize("tokens", [LIMIT, LIMIT + 1, 10 * LIMIT])
def test_rambling_on_to_the_limit_does_not_pay(tokens, response):
    assert value("length", tokens, response) == -1.0


def test_what_has_no_verdict_has_no_length_reward():
    box = r"<think>x</think><answer>\boxed{{{}}}</answer>".format
    assert value("length", 10, RIGHT, gold="Z") == 0.0  # not a letter of any option
    open_answer = box("Because input tax may be deducted at every stage.")
    gold = "Input tax is deductible from output tax for general taxpayers."
    row = compute_score("cflue_oe", open_answer, gold)
    assert row["reason"] == "undecided"
    assert value("length", 10, open_answer, gold=gold, data_source="cflue_oe") == 0.0


def test_a_limit_of_its_own():
    assert value("length", 50, max_tokens=100) == pytest.approx(0.75)
    assert value("length", 50, limit=None, max_tokens=100) == pytest.approx(0.75)
    assert value("overlong", 90, max_tokens=100) == pytest.approx(-0.5)


@pytest.mark.parametrize(
    ("tokens", "expected"),
    [(0, 0.0), (800, 0.0), (801, -0.005), (900, -0.5), (999, -0.995), (1000, -1.0), (5000, -1.0)],
)
@pytest.mark.parametrize("response", [RIGHT, WRONG])
def test_overlong_is_dapos(tokens, expected, response):
    assert value("overlong", tokens, response, buffer_tokens=200) == pytest.approx(expected)
    assert value("overlong", tokens, response, buffer_tokens=200, factor=0.5) == pytest.approx(
        expected / 2
    )


def test_the_default_buffer_is_a_fifth():
    """4,096 of 20,480 tokens, as published."""
    assert value("overlong", 16384, limit=20480) == 0.0
    assert value("overlong", 16384 + 2048, limit=20480) == pytest.approx(-0.5)


def test_numbers_of_any_kind():
    assert value("length", np.int64(500), limit=np.int32(1000)) == pytest.approx(0.75)
    assert value("length", 500.0) == pytest.approx(0.75)


@pytest.mark.parametrize("name", ["length", "overlong"])
def test_characters_never_stand_in_for_tokens(name):
    with pytest.raises(DianjinError, match=r"'response_tokens'\] is None.*name=dianjin"):
        compute_score("cflue_mcq", RIGHT, "A", weights={name: 1.0})
    with pytest.raises(DianjinError, match=r"'max_response_tokens'\] is None.*max_tokens"):
        compute_score("cflue_mcq", RIGHT, "A", {"response_tokens": 5}, weights={name: 1.0})


@pytest.mark.parametrize("tokens", [-1, 2.5, "many", math.nan, math.inf, [1]])
def test_a_length_that_is_none(tokens):
    with pytest.raises(DianjinError, match="whole number of tokens"):
        value("length", tokens)


def test_a_buffer_longer_than_the_limit():
    with pytest.raises(DianjinError, match="buffer_tokens is 2000, more than the 1000 tokens"):
        value("overlong", 5, buffer_tokens=2000)
    with pytest.raises(DianjinError, match="buffer_tokens <= max_tokens"):
        value("overlong", 5, buffer_tokens=2000, max_tokens=1000)


@pytest.mark.parametrize(
    "settings",
    [
        {"correct_short": 0.4},
        {"wrong_short": -0.4},
        {"correct_long": -0.6},
        {"exceeded": 0.0},
        {"max_tokens": 0},
    ],
)
def test_settings_are_checked(settings):
    with pytest.raises(DianjinError, match="length"):
        value("length", 5, **settings)
