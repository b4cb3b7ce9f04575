import pytest

from dianjin_ext import compute_score, register_reward
from dianjin_ext.errors import DianjinError
from dianjin_ext.rewards import Policy, registry, reward_names, zero

BUILT_IN = {
    "cflue_mcq",
    "cflue_oe",
    "choice",
    "label",
    "numeric",
    "exact",
    "finqa",
    "convfinqa",
    "spans",
    "tatqa",
    "docmath",
    "xbrl_math",
    "math",
    "math_500",
    "aime_2024",
    "tfns",
    "ccc",
    "fineva",
    "financeiq",
    "fineval",
    "finance_instruct",
}


@pytest.fixture(autouse=True)
def forget_names(monkeypatch):
    monkeypatch.setattr(registry, "_REWARDS", dict(registry._REWARDS))


def test_built_in_names():
    assert set(reward_names()) == BUILT_IN


def test_own_reward_is_called_with_the_row():
    seen = {}

    @register_reward("my/desk_notes", "my/other_notes")
    def desk_notes(response, ground_truth, **row):
        seen.update(row)
        return ground_truth in response

    row = compute_score(
        "my/desk_notes", "buy gold", "gold", {"question": "?"}, strictness="lenient"
    )
    assert row == {"score": 1.0, "acc": 1.0, "format": 1.0, "pred": "", "reason": "correct"}
    policy = seen.pop("policy")
    assert isinstance(policy, Policy)
    assert policy.strictness == "lenient"
    assert seen == {"data_source": "my/desk_notes", "extra_info": {"question": "?"}}
    assert compute_score("my/other_notes", "buy gold", "silver")["score"] == 0.0


def test_own_reward_may_return_a_score():
    register_reward("my/refusals")(lambda response, ground_truth, **row: zero("truncated"))
    assert compute_score("my/refusals", "x", "y")["reason"] == "truncated"


def test_taken_name_is_refused_and_nothing_is_registered():
    with pytest.raises(DianjinError, match=r"'finqa'.*cflue_mcq"):
        register_reward("my/new", "finqa")(lambda *_, **__: 1.0)
    assert "my/new" not in reward_names()
    assert compute_score("finqa", "", "5")["score"] == 0.0


@pytest.mark.parametrize("names", [(), ("",), (None,)])
def test_a_name_is_needed(names):
    with pytest.raises(DianjinError, match="my/desk_notes"):
        register_reward(*names)


def test_forgotten_parentheses_are_explained():
    with pytest.raises(DianjinError, match="my/desk_notes"):

        @register_reward
        def desk_notes(response, ground_truth, **row):
            return 1.0


@pytest.mark.parametrize("name", ["cflue", "", None, 3, ["finqa"]])
def test_unknown_data_source_lists_the_known(name):
    with pytest.raises(DianjinError) as error:
        compute_score(name, "x", "A")
    assert repr(name) in str(error.value)
    assert all(known in str(error.value) for known in BUILT_IN)
