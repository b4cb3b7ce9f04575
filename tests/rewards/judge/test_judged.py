"""The reward function with a judge: what a verdict becomes, and when nobody is asked."""

import asyncio
import subprocess
import sys

import pytest

from dianjin_ext import compute_score
from dianjin_ext.errors import DianjinError
from dianjin_ext.rewards import judged
from dianjin_ext.rewards.judged import compute_score_with_judge

KEYS = {"score", "acc", "format", "pred", "reason"}
OPEN = "在销售环节征收的那一种流转税"


@pytest.mark.parametrize(
    ("said", "score", "judged"),
    [("correct", 1.0, 1.0), ("wrong", 0.0, 1.0), ("undecided", 0.0, 0.0)],
)
def test_a_verdict_becomes_a_score(server, ask, said, score, judged):
    server.default = said
    row = ask(OPEN)
    assert row == {
        "score": score,
        "acc": score,
        "format": 1.0,
        "pred": OPEN,
        "reason": said,
        "judged": judged,
    }


def test_rules_come_first(server, ask):
    server.default = "wrong"
    right, unread = ask("增值税。", "。。")
    assert (right["reason"], right["score"], right["judged"]) == ("correct", 1.0, 0.0)
    assert unread["reason"] == "no_answer"
    assert not server.bodies
    row = ask("A", source="cflue_mcq", gold="B", settings={"strictness": "lenient"})
    assert (row["reason"], row["judged"]) == ("wrong", 0.0)
    assert row.keys() == KEYS | {"judged"}
    assert not server.bodies


def test_only_the_extracted_answer_is_sent(server, ask):
    ask(rf"答案如下：\boxed{{{OPEN}}}")
    (body,) = server.bodies
    sent = "".join(message["content"] for message in body["messages"])
    assert f"\n{OPEN}\n" in sent
    assert "想一想" not in sent
    assert "答案如下" not in sent
    assert (body["model"], body["temperature"], body["max_tokens"]) == ("judge", 0.0, 512)


@pytest.mark.parametrize(
    "answer",
    [":", "：", "。", "…", "---", "Thought process:", "解", "Let's think step by step.", "答案："],
)
def test_empty_answers_are_refused_before_the_call(server, ask, answer):
    row = ask(answer)
    assert (row["reason"], row["score"]) == ("no_answer", 0.0)
    assert not server.bodies


def test_a_short_gold_answer_is_not_refused(server, ask):
    server.default = "wrong"
    assert ask("解", gold="解")["reason"] == "correct"
    assert ask("5%", gold="0.05")["reason"] == "wrong"
    assert len(server.bodies) == 1


def test_a_long_answer_is_not_sent(server, ask):
    row = ask("税" * 101, max_answer_chars=100)
    assert (row["reason"], row["score"]) == ("undecided", 0.0)
    assert not server.bodies
    assert ask("税" * 100, max_answer_chars=100)["reason"] == "correct"


def test_the_verdict_is_composed_like_any_other_score(server, ask):
    settings = {"weights": {"acc": 2.0, "format": 0.5}, "values": {"wrong": -1.0}}
    right = ask(OPEN, settings=settings)
    server.default = "wrong"
    wrong = ask(OPEN + "吧", settings=settings)
    assert (right["score"], wrong["score"]) == (2.5, -1.5)


def test_the_gate_holds_for_the_judge(server, ask):
    settings = {
        "weights": {"acc": 1.0},
        "gate": True,
        "layout": "dianjin",
        "strictness": "lenient",
    }
    row = ask(OPEN, settings=settings)
    assert (row["acc"], row["score"], row["reason"]) == (0.0, 0.0, "not_boxed")
    assert not server.bodies
    row = ask(rf"\boxed{{{OPEN}}}", settings=settings)
    assert (row["reason"], row["judged"]) == ("correct", 1.0)


def test_a_row_without_a_question_is_a_fault_of_the_data(server, ask):
    with pytest.raises(DianjinError, match="extra_info has no 'question'"):
        ask(OPEN, question=None)


@pytest.mark.parametrize(
    ("own", "message"),
    [
        ({"modle": "x"}, r"judge\.modle is not known; known: model, kind"),
        ({"model": ""}, r"judge\.model: string should have at least 1"),
        ({"on_outage": "ignore"}, r"judge\.on_outage: input should be 'skip', 'neutral' or"),
        ({"on_outage": "neutral"}, "neutral is the value for"),
        ({"neutral": 0.5}, "neutral is the value for"),
        ({"budget": 5}, "budget and run go together"),
        ({"base_url": "127.0.0.1:8000"}, "http"),
        ({"base_url": "https://me:secret@host/v1"}, "http"),
        ({"template": "{gold} {answer}"}, "kind: classifier"),
        ({"timeout_s": 0}, r"judge\.timeout_s: input should be greater than 0"),
    ],
)
def test_settings_are_checked(ask, own, message):
    with pytest.raises(DianjinError, match=message) as raised:
        ask("增值税", **own)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("key", ["sk-abc123", "sk_abc123"])
def test_a_key_in_the_settings_is_refused_and_not_shown(ask, key):
    with pytest.raises(DianjinError, match="never as a key itself") as raised:
        ask("增值税", api_key_env=key)
    assert key not in str(raised.value)


def test_key_and_endpoint_are_looked_for_at_once(ask, monkeypatch):
    with pytest.raises(DianjinError, match="OPENAI_BASE_URL"):
        ask("增值税", base_url=None)
    monkeypatch.delenv("OPENAI_API_KEY")
    with pytest.raises(DianjinError, match="export OPENAI_API_KEY"):
        ask("增值税")
    monkeypatch.setenv("JUDGE_KEY", "EMPTY")
    assert ask(OPEN, api_key_env="JUDGE_KEY")["judged"] == 1.0


def test_a_server_that_takes_any_key_is_asked_without_one(server, ask, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY")
    assert ask(OPEN, keyless=True)["judged"] == 1.0
    monkeypatch.setenv("OPENAI_API_KEY", "sk-not-to-be-seen")
    assert ask(OPEN + "!", keyless=True)["judged"] == 1.0
    assert {each["Authorization"] for each in server.headers} == {"Bearer EMPTY"}


def test_the_endpoint_may_come_from_the_environment(server, ask, monkeypatch):
    monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
    assert ask(OPEN, base_url=None)["judged"] == 1.0
    assert server.headers[0]["Authorization"] == "Bearer sk-not-to-be-seen"


def test_judges_go_with_their_event_loops(ask):
    for number in range(5):
        ask(f"{OPEN}{number}")
    assert len(judged._judges) == 1


def test_settings_that_are_no_mapping(ask):
    with pytest.raises(DianjinError, match="judge is expected as a mapping"):
        asyncio.run(compute_score_with_judge("cflue_oe", "x", "y", judge="qwen-plus"))


def test_compute_score_names_the_function_for_a_judge():
    with pytest.raises(DianjinError, match="compute_score_with_judge"):
        compute_score("cflue_oe", "x", "y", judge={"model": "x"})


def test_imports_nothing_until_a_judge_is_made():
    code = (
        "import sys, dianjin_ext.rewards.judged\n"
        "heavy = {'aiohttp', 'tenacity', 'diskcache', 'ray', 'torch', 'verl', 'sqlite3'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr


@pytest.mark.parametrize("missing", ["aiohttp", "tenacity", "diskcache"])
def test_a_missing_extra_is_named(missing):
    code = (
        f"import asyncio, sys; sys.modules[{missing!r}] = None\n"
        "from dianjin_ext.errors import DianjinError\n"
        "from dianjin_ext.rewards.judged import compute_score_with_judge as score\n"
        "try:\n"
        "    asyncio.run(score('cflue_oe', 'x', 'y', judge={'model': 'x'}))\n"
        "except DianjinError as error:\n"
        "    print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    expected = f"the judge needs {missing}; pip install 'dianjin-ext[judge]'"
    assert done.stdout.strip() == expected, done.stderr
