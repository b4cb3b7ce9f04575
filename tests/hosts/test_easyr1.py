import importlib.util
import json
import sys

import pytest

from dianjin_ext.errors import DianjinError
from dianjin_ext.hosts import easyr1

GOOD = "<think>因为。</think>\n<answer>\\boxed{B}</answer>"
BAD = "<think>因为。</think>\n<answer>\\boxed{C}</answer>"


@pytest.fixture
def module(monkeypatch):
    """The file loaded by its path, under another name, as EasyR1 loads a reward function."""
    spec = importlib.util.spec_from_file_location("custom_reward_fn", easyr1.__file__)
    loaded = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "custom_reward_fn", loaded)
    spec.loader.exec_module(loaded)
    return loaded


def inputs(*responses, gold="B"):
    return [{"response": r, "response_length": len(r), "ground_truth": gold} for r in responses]


def test_batch_of_one_data_source(module):
    assert module.REWARD_TYPE == "batch"
    scores = module.compute_score(inputs(GOOD, BAD, "B"), data_source="cflue_mcq")
    assert scores == [
        {"overall": 1.0, "accuracy": 1.0, "format": 1.0},
        {"overall": 0.0, "accuracy": 0.0, "format": 1.0},
        {"overall": 0.0, "accuracy": 0.0, "format": 0.0},
    ]


def test_settings(module):
    kwargs = {"data_source": "cflue_mcq", "weights": {"acc": 1.0, "format": 0.5}}
    assert [s["overall"] for s in module.compute_score(inputs(GOOD, BAD), **kwargs)] == [1.5, 0.5]
    with pytest.raises(DianjinError, match="wieghts"):
        module.compute_score(inputs(GOOD), data_source="cflue_mcq", wieghts={})


def test_rows_of_several_data_sources_bring_their_own(module):
    golds = [
        {"data_source": "cflue_mcq", "ground_truth": "B"},
        {
            "data_source": "fineva",
            "ground_truth": "B",
            "extra_info": {"choices": {"A": "股票", "B": "债券"}},
        },
    ]
    texts = [GOOD, GOOD.replace("{B}", "{债券}")]
    for form in (dict, lambda gold: json.dumps(gold, ensure_ascii=False)):
        rows = [inputs(t, gold=form(gold))[0] for t, gold in zip(texts, golds, strict=True)]
        assert [s["overall"] for s in module.compute_score(rows)] == [1.0, 1.0]
    for gold in ("B", '"B"', "[1]", {"data_source": "cflue_mcq"}):
        with pytest.raises(DianjinError, match="expected an object with data_source and ground_t"):
            module.compute_score(inputs(GOOD, gold=gold))


def test_rows_have_the_same_numbers_also_where_a_reward_raises(module):
    from dianjin_ext.rewards import register_reward, registry

    @register_reward("test/raises")
    def raises(response, ground_truth, **_):
        return 1 / len(response)

    try:
        kwargs = {"data_source": "test/raises", "weights": {"acc": 1.0, "format": 0.0}}
        scores = module.compute_score(inputs("", "x", ""), **kwargs)
    finally:
        del registry._REWARDS["test/raises"]
    assert [s["overall"] for s in scores] == [0.0, 1.0, 0.0]
    assert all(s.keys() == {"overall", "accuracy", "format"} for s in scores)


def test_a_host_that_cannot_skip_refuses_to(module):
    pytest.importorskip("dianjin_ext.rewards.judged")
    with pytest.raises(DianjinError, match=r"judge\.on_outage is 'skip'"):
        module.compute_score(inputs(GOOD), data_source="cflue_oe", judge={"model": "m"})


def test_rewards_in_a_file(module, tmp_path):
    from dianjin_ext.rewards import own, registry

    (tmp_path / "my_rewards.py").write_text(
        "from dianjin_ext import register_reward\n\n"
        "@register_reward('desk/easy')\n"
        "def notes(response, ground_truth, **row):\n    return float(ground_truth in response)\n",
        encoding="utf-8",
    )
    before, loaded = registry.snapshot(), set(own._loaded)
    try:
        kwargs = {"data_source": "desk/easy", "rewards": str(tmp_path / "my_rewards.py")}
        scores = module.compute_score(inputs(GOOD, "B", "C"), **kwargs)
    finally:
        registry.restore(before)
        own._loaded.clear()
        own._loaded.update(loaded)
    assert [(s["overall"], s["format"]) for s in scores] == [(1.0, 1.0), (1.0, 0.0), (0.0, 0.0)]
