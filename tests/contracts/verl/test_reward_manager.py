import asyncio
import logging
import math
import subprocess
import sys
import threading
from pathlib import Path

import pytest

pytest.importorskip("verl")
import numpy as np
import torch
from omegaconf import OmegaConf
from transformers import AutoTokenizer
from verl import DataProto
from verl.trainer.ppo.metric_utils import process_validation_metrics
from verl.trainer.ppo.reward import load_reward_manager, resolve_reward_manager_cls

from dianjin_ext.errors import DianjinError
from dianjin_ext.hosts.verl import guard
from dianjin_ext.hosts.verl.reward_manager import DianjinRewardManager

FUNCTIONS = Path(__file__).with_name("misbehaving.py")
RIGHT = "<think>股本是权益。</think>\n<answer>\\boxed{C}</answer>"


@pytest.fixture(scope="module")
def tokenizer(tiny_model):
    return AutoTokenizer.from_pretrained(tiny_model)


@pytest.fixture
def make_manager(tokenizer):
    def make(name, path=str(FUNCTIONS), response_length=64, **settings):
        config = OmegaConf.create(
            {
                "actor_rollout_ref": {"rollout": {"response_length": response_length}},
                "reward": {
                    "custom_reward_function": {"path": path, "name": name},
                    "reward_manager": {"source": "register", "name": "dianjin"},
                    "reward_kwargs": settings,
                },
            }
        )
        return load_reward_manager(config, tokenizer)

    return make


@pytest.fixture
def rollout(tokenizer):
    def make(*responses, end=True, gold="C", **fields):
        """One trajectory in the layout of verl's agent loop, of one or more sequences."""
        prompts = [torch.tensor(tokenizer.encode("题" * (2 + i))) for i in range(len(responses))]
        answers = [tokenizer.encode(r) + [tokenizer.eos_token_id] * end for r in responses]
        answers = [torch.tensor(ids) for ids in answers]
        whole = [torch.cat(pair) for pair in zip(prompts, answers, strict=True)]
        pad = torch.nn.utils.rnn.pad_sequence
        tensors = {
            "prompts": pad(prompts, batch_first=True),
            "responses": pad(answers, batch_first=True),
            "attention_mask": pad([torch.ones_like(ids) for ids in whole], batch_first=True),
        }
        given = {"data_source": "cflue_mcq", "reward_model": {"ground_truth": gold}, **fields}
        columns = {key: np.array([value] * len(responses)) for key, value in given.items()}
        return DataProto.from_dict(
            tensors,
            columns
            | {
                "prompt_len": np.array([len(ids) for ids in prompts]),
                "response_len": np.array([len(ids) for ids in answers]),
            },
        )

    return make


def score(manager, data):
    return asyncio.run(manager.run_single(data))


def test_registered_only_when_verl_loads_its_registry():
    code = (
        "import sys, verl\n"
        "registry = 'verl.experimental.reward_loop.reward_manager'\n"
        "assert registry not in sys.modules\n"
        "assert 'dianjin_ext.hosts.verl.reward_manager' not in sys.modules\n"
        "from verl.experimental.reward_loop.reward_manager import get_reward_manager_cls\n"
        "print(get_reward_manager_cls('dianjin').__name__)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip().endswith("DianjinRewardManager"), done.stderr


def test_verl_resolves_the_name():
    config = OmegaConf.create(
        {"reward": {"reward_manager": {"source": "register", "name": "dianjin"}}}
    )
    assert resolve_reward_manager_cls(config) is DianjinRewardManager


def test_scores_with_the_real_reward(make_manager, rollout):
    manager = make_manager("compute_score", path="pkg://dianjin_ext.rewards")
    right = score(manager, rollout(RIGHT))
    wrong = score(manager, rollout(RIGHT, gold="A"))
    assert right["reward_score"] == 1.0
    assert right["reward_extra_info"]["reason"] == "correct"
    assert wrong["reward_score"] == 0.0
    assert wrong["reward_extra_info"]["reason"] == "wrong"
    assert set(right["reward_extra_info"]) == {"score", "acc", "format", "pred", "reason"}


@pytest.mark.parametrize(("end", "truncated"), [(True, 0.0), (False, 1.0)])
def test_lengths_in_tokens_reach_the_reward(make_manager, rollout, tokenizer, end, truncated):
    length = len(tokenizer.encode("下列哪一项属于")) + end
    manager = make_manager("lengths", response_length=length)
    row = score(manager, rollout("下列哪一项属于", end=end))["reward_extra_info"]
    assert row["prompt_tokens"] == len(tokenizer.encode("题题"))
    assert row["response_tokens"] == row["max_response_tokens"] == length
    assert row["truncated"] == truncated


def test_last_of_several_sequences_is_measured_without_padding(make_manager, rollout, tokenizer):
    data = rollout("下列哪一项属于流动资产，流动负债，损益", "股本")
    row = score(make_manager("lengths"), data)["reward_extra_info"]
    assert row["response_tokens"] == len(tokenizer.encode("股本")) + 1
    assert row["prompt_tokens"] == len(tokenizer.encode("题题题"))


def test_lengths_from_the_mask_where_verl_gives_no_others(make_manager, rollout, tokenizer):
    data = rollout("股本")
    data.pop(non_tensor_batch_keys=["prompt_len", "response_len"])
    row = score(make_manager("lengths"), data)["reward_extra_info"]
    assert row["prompt_tokens"] == len(tokenizer.encode("题题"))
    assert row["response_tokens"] == len(tokenizer.encode("股本")) + 1


def test_the_row_itself_is_not_changed(make_manager, rollout):
    extra_info = {"split": "train"}
    score(make_manager("lengths"), rollout("股本", extra_info=extra_info))
    assert extra_info == {"split": "train"}


@pytest.mark.parametrize(
    "response", ["nan", "infinite", "raise", "exit", "stop", "none", "no score", "text"]
)
def test_no_failure_loses_a_rollout(make_manager, rollout, caplog, response):
    manager = make_manager("by_text", failure_score=-1.0)
    fine = score(manager, rollout("fine"))
    with caplog.at_level(logging.ERROR):
        failed = score(manager, rollout(response, index=7))
    assert failed["reward_score"] == failed["reward_extra_info"]["score"] == -1.0
    assert failed["reward_extra_info"]["reason"] == "error"
    assert failed["reward_extra_info"]["acc"] == 0.0
    assert failed["reward_extra_info"].keys() == fine["reward_extra_info"].keys()
    assert "'cflue_mcq'" in caplog.text and "index 7" in caplog.text


def test_a_row_without_gold_is_a_failure_too(make_manager, rollout):
    result = score(make_manager("by_text"), rollout("fine", reward_model={}))
    assert result["reward_extra_info"]["reason"] == "error"


def test_rows_of_failures_suit_verls_validation_metrics(make_manager, rollout):
    manager = make_manager("by_text")
    rows = [score(manager, rollout(r))["reward_extra_info"] for r in ("fine", "nan", "raise")]
    columns = {key: [row[key] for row in rows] for key in rows[0]}
    metrics = process_validation_metrics(["s"] * 3, ["u"] * 3, columns)
    assert metrics["s"]["acc"]["mean@3"] == pytest.approx(1 / 3)
    assert metrics["s"]["penalty"]["mean@3"] == pytest.approx(-0.5 / 3)


def test_log_is_limited(make_manager, rollout, caplog):
    manager = make_manager("by_text")
    with caplog.at_level(logging.ERROR):
        for _ in range(20):
            score(manager, rollout("raise"))
    assert len(caplog.records) == 5  # the 1st, 2nd, 4th, 8th and 16th
    assert caplog.records[0].exc_info is not None
    assert "broken" in caplog.records[-1].getMessage()


def test_a_second_cause_is_not_swallowed_by_the_first(make_manager, rollout, caplog):
    manager = make_manager("by_text")
    with caplog.at_level(logging.ERROR):
        for response in ["raise"] * 5 + ["stop"]:
            score(manager, rollout(response))
        score(manager, rollout("raise", data_source="other"))
    assert manager.failures.counts == {
        ("cflue_mcq", "ValueError"): 5,
        ("cflue_mcq", "StopIteration"): 1,
        ("other", "ValueError"): 1,
    }
    with_traceback = [record.getMessage() for record in caplog.records if record.exc_info]
    assert len(with_traceback) == 3


@pytest.mark.parametrize("response", ["sleep", "loop"])
def test_a_hang_becomes_a_timeout_and_the_next_response_is_scored(make_manager, rollout, response):
    manager = make_manager("by_text", timeout_s=0.2)
    before = set(threading.enumerate())
    hung = score(manager, rollout(response))
    assert hung["reward_extra_info"]["reason"] == "timeout"
    assert hung["reward_score"] == 0.0
    assert score(manager, rollout("fine"))["reward_score"] == 1.0
    _release(manager)
    left = [t for t in threading.enumerate() if t.name == "reward" and t not in before]
    for thread in left:  # the last one to answer may still be on its way out
        thread.join(timeout=30)
    assert not any(thread.is_alive() for thread in left)


def test_hung_calls_are_bounded(make_manager, rollout, monkeypatch):
    monkeypatch.setattr(guard, "MAX_HUNG_CALLS", 2)
    manager = make_manager("by_text", timeout_s=0.1)
    for _ in range(2):
        score(manager, rollout("sleep"))
    refused = score(manager, rollout("fine"))
    assert refused["reward_extra_info"]["reason"] == "timeout"
    _release(manager)
    assert score(manager, rollout("fine"))["reward_score"] == 1.0


def _release(manager):
    """Let functions that wait go on, and wait until their threads are gone."""
    release = manager.guard.function.args[0].__globals__["RELEASE"]
    release.set()
    for thread in list(manager.guard._hung):
        thread.join(timeout=30)
    release.clear()


def test_time_in_the_queue_does_not_count(make_manager, rollout):
    manager = make_manager("counts", timeout_s=5.0, max_concurrency=2)

    async def all_at_once():
        return await asyncio.gather(*(manager.run_single(rollout("x")) for _ in range(40)))

    results = asyncio.run(all_at_once())
    assert [r["reward_score"] for r in results] == [1.0] * 40
    assert max(manager.guard.function.args[0].__globals__["MOST_AT_ONCE"]) <= 2


@pytest.mark.parametrize("name", ["waits", "waits_in_call"])
def test_async_rewards_are_awaited_and_limited(make_manager, rollout, name):
    manager = make_manager(name, timeout_s=0.2)
    assert score(manager, rollout("fine"))["reward_score"] == 0.75
    assert score(manager, rollout("hang"))["reward_extra_info"]["reason"] == "timeout"


def test_a_number_is_score_and_accuracy(make_manager, rollout):
    result = score(make_manager("plain"), rollout("x"))
    assert result["reward_extra_info"] == {"score": 0.25, "acc": 0.25, "reason": ""}


def test_values_that_verl_cannot_log_are_dropped_or_mended(make_manager, rollout, caplog):
    row = score(make_manager("untidy"), rollout("x"))["reward_extra_info"]
    assert row == {
        "score": 0.5, "acc": 0.5, "reason": "", "passed": 1.0, "ratio": 0.0, "label": "x"
    }  # fmt: skip
    assert {type(value) for value in row.values()} == {float, str}
    assert all(repr(key) in caplog.text for key in ("ratio", "steps", "missing", "reward"))


def test_a_key_keeps_its_kind(make_manager, rollout):
    manager = make_manager("mixed")
    first = score(manager, rollout("number"))["reward_extra_info"]
    second = score(manager, rollout("words"))["reward_extra_info"]
    assert (first["extra"], second["extra"]) == (1.0, 0.0)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("timeout_s", 0),
        ("timeout_s", "60"),
        ("timeout_s", math.inf),
        ("failure_score", math.nan),
        ("max_concurrency", -1),
        ("max_concurrency", 1.5),
    ],
)
def test_settings_out_of_range_are_refused(make_manager, key, value):
    with pytest.raises(DianjinError, match=f"reward.reward_kwargs.{key}"):
        make_manager("plain", **{key: value})


def test_settings_of_another_manager_are_refused(make_manager):
    with pytest.raises(DianjinError, match="overlong_buffer_cfg is not known"):
        make_manager("plain", overlong_buffer_cfg={"enable": True})
