import math

import pytest

from dianjin_ext import gated, weighted
from dianjin_ext.errors import DianjinError
from dianjin_ext.rewards import PRESETS, components, compute_score, register_component

RIGHT = r"<think>为什么</think><answer>\boxed{A}</answer>"
WRONG = r"<think>为什么</think><answer>\boxed{B}</answer>"
BARE = r"答案是 \boxed{A}"
NOTHING = "不知道"
KEYS = {"score", "acc", "format", "pred", "reason"}


@pytest.fixture(autouse=True)
def own_component(monkeypatch):
    monkeypatch.setattr(components, "_COMPONENTS", dict(components._COMPONENTS))
    register_component("thought")(lambda sample, _: len(sample.parts.think or "") / 10)


@pytest.mark.parametrize(
    ("preset", "right", "wrong", "bare", "nothing"),
    [
        ("dianjin_r1", 1.0, 0.0, 0.0, 0.0),
        ("fin_r1", 2.0, 1.0, 1.0, 0.0),
        ("fino1", 1.0, 0.1, 0.0, 0.0),
        ("deepseek_r1_zero", 2.0, 1.0, 1.0, 0.0),
    ],
)
def test_presets_follow_the_published_formula(preset, right, wrong, bare, nothing):
    scores = [
        compute_score("cflue_mcq", text, "A", preset=preset)["score"]
        for text in (RIGHT, WRONG, BARE, NOTHING)
    ]
    assert scores == [right, wrong, bare, nothing]


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_gives_the_same_keys_on_every_row(preset):
    extra_info = {"question": "选哪一个？", "response_tokens": 5, "max_response_tokens": 100}
    keys = {
        frozenset(compute_score("cflue_mcq", text, "A", extra_info, preset=preset))
        for text in (RIGHT, WRONG, BARE, NOTHING, "", "<think>")
    }
    assert len(keys) == 1
    assert keys.pop() >= KEYS


def test_weighted_adds_and_names_its_components():
    reward = weighted({"acc": 1.0, "format": 0.5, "thought": 0.1})
    row = reward("cflue_mcq", RIGHT, "A")
    assert row == {
        "score": pytest.approx(1.0 + 0.5 + 0.1 * 0.3),
        "acc": 1.0,
        "format": 1.0,
        "pred": "A",
        "reason": "correct",
        "thought": pytest.approx(0.3),
    }
    assert reward("cflue_mcq", WRONG, "A")["score"] == pytest.approx(0.53)
    assert reward("cflue_mcq", NOTHING, "A")["thought"] == 0.0


def test_weight_zero_is_a_metric_only():
    row = weighted({"acc": 1.0, "thought": 0.0})("cflue_mcq", RIGHT, "A")
    assert row["score"] == 1.0
    assert row["thought"] == pytest.approx(0.3)


def test_gated_withholds_accuracy_where_the_format_is_wrong():
    weights = {"acc": 1.0}
    settings = {"strictness": "lenient", "layout": "strict"}
    free = weighted(weights, **settings)("cflue_mcq", BARE, "A")
    assert (free["score"], free["acc"], free["format"], free["reason"]) == (1, 1, 0, "correct")
    held = gated(weights, **settings)("cflue_mcq", BARE, "A")
    assert (held["score"], held["acc"], held["format"], held["reason"]) == (0, 0, 0, "no_think")
    assert gated(weights, **settings)("cflue_mcq", RIGHT, "A")["score"] == 1.0


def test_gated_withholds_the_value_of_a_reason_too():
    settings = {"strictness": "lenient", "layout": "strict", "values": {"wrong": 0.1}}
    row = gated({"acc": 1.0}, **settings)("cflue_mcq", BARE, "B")
    assert (row["score"], row["reason"]) == (0.0, "no_think")


def test_values_stand_for_accuracy_by_reason():
    reward = gated({"acc": 2.0}, values={"wrong": 0.1, "no_think": -1.0})
    assert reward("cflue_mcq", RIGHT, "A")["score"] == 2.0
    assert reward("cflue_mcq", WRONG, "A")["score"] == pytest.approx(0.2)
    assert reward("cflue_mcq", NOTHING, "A")["score"] == -2.0
    assert reward("cflue_mcq", WRONG, "A")["acc"] == 0.0


def test_data_sources_may_differ():
    reward = weighted(
        {"acc": 1.0}, sources={"my/rates": {"reward": "finqa", "numbers": {"percent": "either"}}}
    )
    answer = r"<think>为什么</think><answer>\boxed{12.5}</answer>"
    assert reward("finqa", answer, "12.5%")["score"] == 0.0
    assert reward("my/rates", answer, "12.5%")["score"] == 1.0


def test_all_data_sources_have_the_same_keys():
    reward = weighted({"acc": 1.0}, sources={"tfns": {"weights": {"acc": 1.0, "thought": 1.0}}})
    letters, label = reward("cflue_mcq", RIGHT, "A"), reward("tfns", RIGHT, "bullish")
    assert letters.keys() == label.keys()
    assert (letters["thought"], label["thought"]) == (0.0, pytest.approx(0.3))


def test_a_component_that_is_not_finite_is_named():
    register_component("broken")(lambda sample, _: math.nan)
    with pytest.raises(DianjinError, match="'broken' returned nan"):
        weighted({"acc": 1.0, "broken": 1.0})("cflue_mcq", RIGHT, "A")


def test_taken_component_names_are_refused():
    for name in ("acc", "reason", "thought"):
        with pytest.raises(DianjinError, match=f"'{name}' is taken"):
            register_component(name)(lambda sample, _: 0.0)
