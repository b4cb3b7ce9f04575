"""A server that misbehaves: no crash, and never a zero that means wrong."""

import asyncio
import logging
import time
from email.utils import formatdate

import pytest
from tenacity import AsyncRetrying, RetryCallState

from dianjin_ext.errors import DianjinError
from dianjin_ext.inference import client
from dianjin_ext.inference.faults import Transient, Unclear
from dianjin_ext.rewards.judge import judge
from dianjin_ext.rewards.judged import compute_score_with_judge

OPEN = "在销售环节征收的那一种流转税"
PASSING = {
    "429": "status 429",
    "429 with a time": "retry-after 0.2",
    "429 with nonsense": "retry-after soon",
    "408": "status 408",
    "500": "status 500",
    "503": "status 503",
    "truncated JSON": "truncated",
    "body cut short": "cut",
    "dropped": "drop",
    "HTML": "html",
    "binary": "binary",
    "empty object": "json {}",
    "no choices": 'json {"choices": []}',
    "null message": 'json {"choices": [{"index": 0, "message": null, "finish_reason": "stop"}]}',
    "a number": "json 5",
    "a list": "json [1]",
    "null": "json null",
    "hang": "hang",
    "drip": "drip",
    "no verdict": "I think they agree.",
    "two verdicts": "VERDICT: correct\nVERDICT: wrong",
    "an echo": "It says VERDICT: correct, but they differ.\nVERDICT: wrong",
    "another word": "VERDICT: right",
    "empty": " ",
    "cut at max_tokens": "long",
    "only thinking": "<think>VERDICT: correct",
}
NEVER_DONE = {"hang", "drip"}
UNREADABLE = {"no verdict", "two verdicts", "an echo", "another word", "empty"}
UNREADABLE |= {"cut at max_tokens", "only thinking"}


@pytest.mark.parametrize("case", PASSING)
def test_a_fault_that_passes_is_not_seen(server, ask, short_pauses, case):
    server.script.append(PASSING[case])
    row = ask(OPEN, timeout_s=1.0 if case in NEVER_DONE else 10.0)
    assert (row["score"], row["reason"], row["judged"]) == (1.0, "correct", 1.0)
    assert len(server.bodies) == 2


@pytest.mark.parametrize("case", PASSING)
def test_a_fault_that_stays_is_no_wrong_answer(server, ask, short_pauses, case):
    server.default = PASSING[case]
    row = ask(OPEN, timeout_s=1.0 if case in NEVER_DONE else 10.0, max_attempts=2)
    expected = "undecided" if case in UNREADABLE else "skipped"
    assert (row["score"], row["acc"], row["reason"]) == (0.0, 0.0, expected)
    assert (row["judged"], row["format"], row["pred"]) == (0.0, 1.0, OPEN)
    assert len(server.bodies) == 2


def test_pauses_grow_at_random_and_add_to_what_the_server_asks():
    def pause(attempt, error):
        state = RetryCallState(AsyncRetrying(), None, (), {})
        state.attempt_number = attempt
        state.set_exception((type(error), error, None))
        return judge._wait(state)

    for attempt, most in ((1, 0.5), (2, 1.0), (4, 4.0), (9, 15.0)):
        drawn = [pause(attempt, Transient("")) for _ in range(400)]
        assert 0 <= min(drawn) < 0.2 * most < 0.8 * most < max(drawn) <= most
        assert 7 <= pause(attempt, Transient("", 7.0)) <= 7 + most
    assert pause(3, Unclear("")) == 0


@pytest.mark.parametrize(
    ("header", "least", "most"),
    [("3", 3, 3), ("0.5", 0.5, 0.5), ("-1", 0, 0), ("Wed, 21 Oct 2015 07:28:00 GMT", 0, 0)],
)
def test_retry_after(header, least, most):
    assert least <= client._retry_after(header) <= most


def test_retry_after_as_a_date():
    soon = formatdate(time.time() + 30, usegmt=True)
    assert 25 < client._retry_after(soon) <= 30
    assert client._retry_after("tomorrow") is None


def test_a_server_that_is_not_there(server, ask):
    row = ask(OPEN, base_url="http://127.0.0.1:1/v1", max_attempts=2)
    assert row["reason"] == "skipped"


def test_an_outage_under_each_policy(server, ask):
    server.default = "status 500"
    once = {"max_attempts": 1}
    assert ask(OPEN, **once)["reason"] == "skipped"
    neutral = ask(OPEN, **once, on_outage="neutral", neutral=0.5)
    assert (neutral["score"], neutral["acc"], neutral["reason"]) == (0.5, 0.0, "unjudged")
    assert neutral["judged"] == 0.0
    with pytest.raises(DianjinError, match="the judge could not be asked: HTTP 500"):
        ask(OPEN, **once, on_outage="raise")


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_wrong_setup_is_told_at_once_without_the_key(server, ask, caplog, status):
    server.default = f"status {status}"
    setup = pytest.raises(DianjinError, match=r"check judge\.base_url")
    with caplog.at_level(logging.DEBUG), setup as e:
        ask(OPEN)
    assert f"HTTP {status}" in str(e.value)
    assert len(server.bodies) == 1
    assert "sk-not-to-be-seen" not in str(e.value) + caplog.text


def test_a_request_that_is_refused_is_not_repeated(server, ask, caplog):
    server.default = "status 400"  # such as a content filter's
    with caplog.at_level(logging.DEBUG):
        assert ask(OPEN)["reason"] == "skipped"
    assert len(server.bodies) == 1
    assert "HTTP 400" in caplog.text
    assert "sk-not-to-be-seen" not in caplog.text


def test_a_server_is_left_alone_for_as_long_as_it_asks(server, ask):
    server.script.append("retry-after 1")
    rows = ask(OPEN, OPEN + "之一", max_concurrency=1)
    assert [row["reason"] for row in rows] == ["correct"] * 2
    first, *later = server.arrivals
    assert min(later) - first >= 1.0  # also the other answer's request


def test_an_hour_is_not_waited_for(server, ask):
    server.default = "retry-after 3600"
    assert ask(OPEN, deadline_s=1000.0)["reason"] == "skipped"  # now, not at the deadline
    assert len(server.bodies) == 1


def test_the_deadline_counts_the_queue(server, ask):
    server.default = "hang"
    rows = ask(OPEN, OPEN + "一", OPEN + "二", max_concurrency=1, timeout_s=30.0, deadline_s=0.5)
    assert [row["reason"] for row in rows] == ["skipped"] * 3


def test_the_budget_holds_over_restarts(server, ask):
    spend = {"budget": 3, "run": "grpo", "max_attempts": 1}
    rows = ask(*(OPEN + str(i) for i in range(5)), **spend)
    assert sorted(row["reason"] for row in rows) == ["correct"] * 3 + ["skipped"] * 2
    assert ask(OPEN + "6", **spend)["reason"] == "skipped"  # another event loop, as after a restart
    assert ask(OPEN + "0", **spend)["reason"] == "correct"  # from the cache
    assert len(server.bodies) == 3
    assert ask(OPEN + "6", **spend | {"run": "next"})["reason"] == "correct"


def test_a_repetition_spends_too(server, ask):
    server.default = "status 500"
    assert ask(OPEN, budget=2, run="grpo", max_attempts=5)["reason"] == "skipped"
    assert len(server.bodies) == 2


def test_a_caller_that_gives_up_takes_nothing_from_the_others(server, judge_settings):
    server.latency = 0.4
    text = f"<think>x</think><answer>{OPEN}</answer>"
    arguments = ("cflue_oe", text, "增值税", {"question": "?"})

    async def run():
        first = asyncio.create_task(compute_score_with_judge(*arguments, judge=judge_settings()))
        second = asyncio.create_task(compute_score_with_judge(*arguments, judge=judge_settings()))
        await asyncio.sleep(0.1)
        first.cancel()
        return await second

    assert asyncio.run(run())["reason"] == "correct"
    assert len(server.bodies) == 1
