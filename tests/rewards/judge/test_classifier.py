"""A sequence-classification verifier behind verl's router, in the protocol of vLLM."""

import asyncio
import json

import pytest

from dianjin_ext.errors import DianjinError
from dianjin_ext.rewards.judged import compute_score_with_judge

OPEN = "在销售环节征收的那一种流转税"


def probability(*probs):
    return "json " + json.dumps({"data": [{"index": 0, "label": "x", "probs": probs}]})


@pytest.mark.parametrize(
    ("probs", "own", "reason"),
    [
        ((0.59, 0.41), {}, "correct"),
        ((0.6, 0.4), {}, "wrong"),
        ((0.41,), {}, "correct"),
        ((0.59, 0.41), {"threshold": 0.5}, "wrong"),
    ],
)
def test_right_above_the_threshold(server, ask, probs, own, reason):
    server.default = probability(*probs)
    row = ask(OPEN, kind="classifier", **own)
    assert (row["reason"], row["judged"]) == (reason, 1.0)


def test_the_request_is_that_of_verls_reward_loop(server, ask):
    server.default = probability(0.1, 0.9)
    ask(OPEN, kind="classifier", template="<m>{answer}</m><r>{gold}</r>")
    (body,) = server.bodies
    assert body == {
        "model": "judge",
        "input": f"<m>{OPEN}</m><r>增值税</r>",
        "use_activation": True,
    }


@pytest.mark.parametrize(
    "reply",
    ["status 500", "html", "json {}", 'json {"data": []}', probability("high"), probability(True)],
)
def test_a_reply_that_cannot_be_read_is_an_outage(server, ask, short_pauses, reply):
    server.default = reply
    assert ask(OPEN, kind="classifier", max_attempts=2)["reason"] == "skipped"
    assert len(server.bodies) == 2


def test_logits_are_no_probabilities(server, ask):
    server.default = probability(-1.5, 2.5)
    with pytest.raises(DianjinError, match="does not normalise"):
        ask(OPEN, kind="classifier")


def test_the_threshold_is_part_of_what_is_kept(server, ask):
    server.default = probability(0.59, 0.41)
    assert ask(OPEN, kind="classifier")["reason"] == "correct"
    assert ask(OPEN, kind="classifier", threshold=0.5)["reason"] == "wrong"


@pytest.mark.parametrize("kind", ["chat", "classifier"])
def test_the_router_needs_neither_endpoint_nor_key(server, judge_settings, monkeypatch, kind):
    monkeypatch.delenv("OPENAI_API_KEY")
    server.default = probability(0.1, 0.9) if kind == "classifier" else "correct"
    row = asyncio.run(
        compute_score_with_judge(
            "cflue_oe",
            f"<think>x</think><answer>{OPEN}</answer>",
            "增值税",
            {"question": "?"},
            judge=judge_settings(kind=kind, base_url=None),
            reward_router_address=server.address,
            reward_model_tokenizer=None,
        )
    )
    assert row["reason"] == "correct"
    assert server.headers[0]["Authorization"] == "Bearer EMPTY"
