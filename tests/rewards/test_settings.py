import pytest

from dianjin_ext.errors import DianjinError
from dianjin_ext.rewards import components, compute_score, register_component
from dianjin_ext.rewards.policy import Model
from dianjin_ext.rewards.settings import read_settings

RIGHT = r"<think>为什么</think><answer>\boxed{A}</answer>"


@pytest.fixture(autouse=True)
def forget_components(monkeypatch):
    monkeypatch.setattr(components, "_COMPONENTS", dict(components._COMPONENTS))


class Limits(Model):
    most: int = 10


def short(sample, settings):
    return float(len(sample.text) <= settings.most)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"strictnes": "strict"}, ["reward_kwargs.strictnes", "strictness, think, tags, numbers"]),
        ({"strictness": "loose"}, ["reward_kwargs.strictness", "'loose'", "'lenient'"]),
        ({"think": 1}, ["reward_kwargs.think", "1", "'auto'"]),
        ({"numbers": {"percent": "maybe"}}, ["reward_kwargs.numbers.percent", "'gold_hint'"]),
        ({"numbers": {"rel_tol": -1}}, ["reward_kwargs.numbers.rel_tol", "-1"]),
        ({"numbers": {"percnt": 1}}, ["reward_kwargs.numbers.percnt", "known: percent, unit"]),
        ({"numbers": 3}, ["reward_kwargs.numbers", "3"]),
        ({"weights": {"accuracy": 1}}, ["reward_kwargs.weights", "'accuracy'", "acc, format"]),
        ({"weights": {}}, ["reward_kwargs.weights"]),
        ({"weights": {"acc": float("nan")}}, ["reward_kwargs.weights.acc", "nan"]),
        ({"gate": True}, ["reward_kwargs", "gate needs weights"]),
        ({"values": {"wrong": 0.1}}, ["values needs weights"]),
        ({"weights": {"acc": 1}, "values": {"bad": 1}}, ["values", "'bad'", "no_think"]),
        ({"preset": "dianjin"}, ["reward_kwargs.preset", "'dianjin'", "dianjin_r1, fin_r1"]),
        ({"default": "nothing"}, ["reward_kwargs.default", "'nothing'", "finqa"]),
        ({"reward": "nothing"}, ["reward_kwargs.reward", "'nothing'", "finqa"]),
        ({"components": {"nope": {}}}, ["reward_kwargs.components.nope", "no effect"]),
        ({"components": {"short": {}}, "weights": {"acc": 1}}, ["components.short", "no effect"]),
        ({"components": {"short": 3}}, ["reward_kwargs.components", "3"]),
        (
            {"weights": {"short": 1}, "components": {"short": {"least": 3}}},
            ["components.short.least", "known: most"],
        ),
        ({"sources": {"finqa": {"think": "no"}}}, ["reward_kwargs.sources.finqa.think", "'no'"]),
        ({"sources": {"finqa": {"default": "tfns"}}}, ["sources.finqa", "default"]),
        ({"sources": {"finqa": 1}}, ["reward_kwargs.sources.finqa", "1"]),
        ({"sources": 1}, ["reward_kwargs.sources", "1"]),
    ],
)
def test_what_is_wrong_is_named_by_its_path(settings, words):
    register_component("short", Limits)(short)
    with pytest.raises(DianjinError) as error:
        read_settings(settings)
    message = str(error.value)
    assert all(word in message for word in words), message
    assert "\n" not in message


def test_settings_may_come_from_omegaconf():
    omegaconf = pytest.importorskip("omegaconf")
    given = {
        "preset": "fin_r1",
        "numbers": {"percent": "exact"},
        "sources": {"my/loans": {"reward": "finqa", "weights": {"acc": 2.0}}},
    }
    config = omegaconf.OmegaConf.create(given)
    assert read_settings(dict(config)) == read_settings(given)
    kwargs = dict(config)  # what verl passes on: nested nodes stay nodes
    text = r"<think>x</think><answer>\boxed{5}</answer>"
    assert compute_score("my/loans", text, "5", **kwargs)["score"] == 2.0
    assert compute_score("finqa", text, "5", **kwargs)["score"] == 2.0
    assert compute_score("finqa", "5", "5", **kwargs)["score"] == 1.0


def test_a_preset_gives_way_to_what_stands_beside_it():
    assert read_settings({"preset": "deepseek_r1_zero", "strictness": "strict"}) == read_settings(
        {"strictness": "strict", "layout": "strict", "weights": {"acc": 1.0, "format": 1.0}}
    )


def test_null_is_as_if_it_were_not_there():
    given = {"preset": "fin_r1", "strictness": None, "weights": None, "default": None}
    assert read_settings(given) == read_settings({"preset": "fin_r1"})
    assert read_settings({"preset": None}) == read_settings({})


def test_sources_inherit_and_differ():
    settings = read_settings(
        {"weights": {"acc": 1.0}, "sources": {"a": {"reward": "finqa", "gate": True}}}
    )
    assert settings.sources["a"].weights == {"acc": 1.0}
    assert settings.sources["a"].gate
    assert not settings.gate


def test_a_preset_of_a_source_drops_the_common_one():
    given = {"preset": "fino1", "think": "true", "sources": {"finqa": {"preset": "fin_r1"}}}
    own = read_settings(given).sources["finqa"]
    assert own == read_settings({"preset": "fin_r1", "think": "true"})
    assert own.values == {} and not own.gate


def test_default_is_for_unknown_sources_only():
    with pytest.raises(DianjinError, match=r"'my/quiz' has no reward; known: .*cflue_mcq"):
        compute_score("my/quiz", RIGHT, "A")
    assert compute_score("my/quiz", RIGHT, "A", default="cflue_mcq")["score"] == 1.0
    row = compute_score("tfns", RIGHT, "bullish", default="cflue_mcq")
    assert row["reason"] == "no_answer"


def test_settings_of_equal_value_share_a_grader():
    from dianjin_ext.rewards.score import grader_for

    first = grader_for({"weights": {"acc": 1.0}, "gate": True})
    assert grader_for({"weights": {"acc": 1.0}, "gate": True}) is first
    assert grader_for({"weights": {"acc": 1.0}, "gate": False}) is not first
    assert grader_for({"weights": {"acc": 2.0}, "gate": True}) is not first
