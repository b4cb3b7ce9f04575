import socket

import pytest

from dianjin_ext import register_reward
from dianjin_ext.errors import DianjinError
from dianjin_ext.hosts.trl import reward
from dianjin_ext.rewards import compute_score

GOOD = "<think>因为。</think>\n<answer>\\boxed{B}</answer>"
BAD = "<think>因为。</think>\n<answer>\\boxed{C}</answer>"


@pytest.fixture
def names():
    """Registered rewards that a test adds are taken away again."""
    from dianjin_ext.rewards import registry

    before = dict(registry._REWARDS)
    yield
    registry._REWARDS.clear()
    registry._REWARDS.update(before)


def columns(n=2, **more):
    return {"data_source": ["cflue_mcq"] * n, "ground_truth": ["B"] * n, **more}


def test_plain_and_conversational_completions():
    function = reward()
    plain = function(["问题"] * 2, [GOOD, BAD], **columns(), trainer_state=None)
    said = [[{"role": "assistant", "content": text}] for text in (GOOD, BAD)]
    chat = function([[{"role": "user", "content": "问题"}]] * 2, said, **columns())
    assert plain == chat == [1.0, 0.0]


def test_settings_and_extra_info_reach_the_reward():
    weights = {"acc": 1.0, "format": 0.5}
    assert reward(weights=weights)([""], [GOOD], **columns(1)) == [1.5]
    extra = [{"choices": {"A": "股票", "B": "债券"}}]
    text = GOOD.replace("{B}", "{债券}")
    assert reward()([""], [text], **columns(1, extra_info=extra)) == [1.0]
    assert reward()([""], [text], **columns(1)) == [0.0]
    with pytest.raises(DianjinError, match="wieghts"):
        reward(wieghts={})


def test_columns_of_other_names_and_verl_rows():
    function = reward(data_source="cflue_mcq", columns={"ground_truth": "answer"})
    assert function([""], [GOOD], answer=["B"]) == [1.0]
    rows = {"data_source": ["cflue_mcq"], "reward_model": [{"ground_truth": "B"}]}
    assert reward()([""], [GOOD], **rows) == [1.0]
    with pytest.raises(DianjinError, match=r"no column 'data_source'; it has answer"):
        reward()([""], [GOOD], answer=["B"])
    with pytest.raises(DianjinError, match="'gold' is not one of data_source, ground_truth"):
        reward(columns={"gold": "answer"})


def test_lengths_are_told_in_tokens(names):
    seen = []

    @register_reward("test/length")
    def length(response, ground_truth, *, extra_info, **_):
        seen.append(dict(extra_info))
        return 1.0

    function = reward(data_source="test/length", max_response_tokens=16)
    function([""], ["x"], completion_ids=[[1, 2, 3]], ground_truth=["B"], extra_info=[{"a": 1}])
    assert seen == [{"a": 1, "response_tokens": 3, "max_response_tokens": 16}]


def test_a_reward_that_raises_is_none_and_logged(names, caplog):
    @register_reward("test/raises")
    def raises(response, ground_truth, **_):
        return 1 / len(response)

    function = reward(data_source="test/raises", name="mine")
    assert function.__name__ == "mine"
    assert function([""] * 3, ["", "x", ""], ground_truth=[""] * 3) == [None, 1.0, None]
    assert [r.levelname for r in caplog.records] == ["ERROR", "ERROR"]
    assert "test/raises" in caplog.text
    assert "ZeroDivisionError" in caplog.text
    with pytest.raises(DianjinError, match="'cfleu' has no reward"):
        reward(data_source="cfleu")([""], [GOOD], ground_truth=["B"])


def test_an_unreachable_judge_is_none(tmp_path, monkeypatch):
    pytest.importorskip("openai")
    pytest.importorskip("dianjin_ext.rewards.judged")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]  # nothing listens here any more
    monkeypatch.setenv("OPENAI_API_KEY", "EMPTY")
    judge = {
        "model": "m",
        "base_url": f"http://127.0.0.1:{port}/v1",
        "cache_dir": str(tmp_path),
        "max_attempts": 1,
    }
    answers = ["利润增长", "收入增长了，利润因此上升"]
    gold = "利润增长"
    texts = [f"<think>想。</think><answer>{answer}</answer>" for answer in answers]
    assert compute_score("cflue_oe", texts[0], gold)["reason"] == "correct"
    assert compute_score("cflue_oe", texts[1], gold)["reason"] == "undecided"
    function = reward(data_source="cflue_oe", judge=judge)
    extra = [{"question": "为什么？"}] * 2
    assert function([""] * 2, texts, ground_truth=[gold] * 2, extra_info=extra) == [1.0, None]


OWN = """
from dianjin_ext import register_reward


@register_reward("desk/notes")
def notes(response, ground_truth, **row):
    return float(ground_truth in response)
"""


def test_rewards_in_a_file(names, tmp_path):
    (tmp_path / "my_rewards.py").write_text(OWN, encoding="utf-8")
    function = reward(rewards=str(tmp_path / "my_rewards.py"), preset="fin_r1")
    given = {"data_source": ["desk/notes"] * 2, "ground_truth": ["B"] * 2}
    assert function([""] * 2, [GOOD, "B"], **given) == [2.0, 1.0]  # no format without the layout
    with pytest.raises(DianjinError, match=r"missing\.py: no such file"):
        reward(rewards="missing.py")
