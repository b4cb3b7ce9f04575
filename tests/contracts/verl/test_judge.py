"""The judge under verl: its reward loop, its router, its trainers, and Ray on two nodes."""

import asyncio
import json
import os
import tempfile
import threading
import time

import pytest

pytest.importorskip("verl")
import ray
import torch
import transfer_queue
import uvicorn
from omegaconf import OmegaConf
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy
from transformers import AutoTokenizer
from verl.experimental.reward_loop.router.naive_router import NaiveRouter
from verl.trainer.ppo.reward import load_reward_manager
from verl.trainer.ppo.v1 import PPOTrainerSync
from verl.utils.tensordict_utils import get_tensordict

from dianjin_ext.errors import DianjinError
from dianjin_ext.hosts.verl.judge_check import check_judge
from dianjin_ext.hosts.verl.skipped import replace_skipped
from dianjin_ext.hosts.verl.trainer import SyncTrainer

OPEN = "在销售环节征收的那一种流转税"
PROBABLE = 'json {"data": [{"index": 0, "label": "x", "probs": [0.55, 0.45], "num_classes": 2}]}'


@pytest.fixture
def settings(server, tmp_path):
    return {
        "model": "judge",
        "base_url": server.base_url,
        "cache_dir": str(tmp_path / "judge"),
        "max_attempts": 1,
    }


# --- verl's reward loop


@pytest.fixture
def score(tiny_model):
    """Score answers with verl's reward manager `name`, as its reward loop would."""
    import numpy as np
    from verl import DataProto

    tokenizer = AutoTokenizer.from_pretrained(tiny_model)

    def rollout(answer):
        prompt = tokenizer.encode("题")
        response = tokenizer.encode(f"<think>x</think><answer>{answer}</answer>")
        response.append(tokenizer.eos_token_id)
        ids = {"prompts": prompt, "responses": response}
        tensors = {name: torch.tensor([values]) for name, values in ids.items()}
        tensors["attention_mask"] = torch.ones(1, len(prompt) + len(response), dtype=torch.long)
        row = {
            "data_source": "cflue_oe",
            "reward_model": {"ground_truth": "增值税"},
            "extra_info": {"question": "是什么税？"},
        }
        return DataProto.from_dict(
            tensors, {k: np.array([v], dtype=object) for k, v in row.items()}
        )

    def run(*answers, judge, name="dianjin", router=None):
        config = OmegaConf.create(
            {
                "actor_rollout_ref": {"rollout": {"response_length": 256}},
                "reward": {
                    "custom_reward_function": {
                        "path": "pkg://dianjin_ext.rewards.judged",
                        "name": "compute_score_with_judge",
                        "reward_kwargs": {"strictness": "strict", "judge": judge},
                    },
                    "reward_manager": {"source": "register", "name": name},
                },
            }
        )

        async def all_at_once():
            manager = load_reward_manager(
                config, tokenizer, reward_router_address=router, reward_model_tokenizer=tokenizer
            )
            return await asyncio.gather(*(manager.run_single(rollout(a)) for a in answers))

        return asyncio.run(all_at_once())

    return run


@pytest.mark.parametrize("name", ["dianjin", "naive"])
def test_verls_managers_await_it(server, settings, score, name):
    server.script.append("correct")
    judged, exact = score(OPEN, "增值税", judge=settings, name=name)
    assert judged["reward_score"] == exact["reward_score"] == 1.0
    assert judged["reward_extra_info"].keys() == exact["reward_extra_info"].keys()
    assert judged["reward_extra_info"]["judged"] == 1.0
    assert exact["reward_extra_info"]["judged"] == 0.0


def test_an_outage_is_a_reason_and_a_wrong_setup_an_error(server, settings, score):
    server.default = "status 503"
    (row,) = score(OPEN, judge=settings)
    assert row["reward_extra_info"]["reason"] == "skipped"
    server.default = "status 401"
    (row,) = score(OPEN, judge=settings)
    assert row["reward_extra_info"]["reason"] == "error"


# --- verl's own router in front of the server


@pytest.fixture
def router(server):
    app = NaiveRouter(worker_urls=[f"http://{server.address}"], retry_delay=0.01).app
    serving = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="critical"))
    thread = threading.Thread(target=serving.run, daemon=True)
    thread.start()
    while not serving.started:
        assert thread.is_alive()
        time.sleep(0.01)
    yield f"127.0.0.1:{serving.servers[0].sockets[0].getsockname()[1]}"
    serving.should_exit = True
    thread.join(30)


@pytest.mark.parametrize("kind", ["chat", "classifier"])
def test_a_verifier_behind_verls_router(server, settings, score, router, kind):
    server.script.append("correct" if kind == "chat" else PROBABLE)
    judge = settings | {"kind": kind, "base_url": None}
    (row,) = score(OPEN, judge=judge, router=router)
    assert (row["reward_score"], row["reward_extra_info"]["judged"]) == (1.0, 1.0)
    server.default = "status 500"
    (row,) = score(OPEN + "吧", judge=judge, router=router)
    assert row["reward_extra_info"]["reason"] == "skipped"


# --- the check before training


def config(**changes):
    made = OmegaConf.create(
        {
            "reward": {
                "custom_reward_function": {"reward_kwargs": {"judge": {"model": "judge"}}},
                "reward_manager": {"name": "dianjin"},
                "reward_kwargs": {"timeout_s": 60.0},
                "reward_model": {"enable": False, "enable_resource_pool": False},
            },
            "trainer": {"v1": {"trainer_mode": "dianjin_sync"}},
        }
    )
    for key, value in changes.items():
        OmegaConf.update(made, key, value)
    return made


JUDGE = "reward.custom_reward_function.reward_kwargs.judge"


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {JUDGE: None, "trainer.v1.trainer_mode": "sync"},
        {"trainer.v1.trainer_mode": "sync", f"{JUDGE}.on_outage": "raise"},
        {"reward.reward_manager.name": "naive", "reward.reward_kwargs.timeout_s": 1.0},
        {"reward.reward_model.enable": True, "reward.reward_model.enable_resource_pool": True},
    ],
)
def test_a_run_that_can_work_passes(changes):
    check_judge(config(**changes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"trainer.v1.trainer_mode": "sync"}, "trainer_mode=dianjin_sync"),
        ({f"{JUDGE}.deadline_s": 60.0}, r"timeout_s=60 is not above judge\.deadline_s=60"),
        ({f"{JUDGE}.modle": "x"}, r"judge\.modle is not known"),
        ({"reward.reward_model.enable": True}, "enable_resource_pool=true"),
    ],
)
def test_a_run_that_cannot_work_is_refused(changes, message):
    with pytest.raises(DianjinError, match=message):
        check_judge(config(**changes))


def test_a_verifier_is_asked_with_the_text_that_it_was_trained_on(tmp_path):
    served = {
        "reward.reward_model.enable": True,
        "reward.reward_model.enable_resource_pool": True,
        "reward.reward_model.model_path": str(tmp_path),
    }
    asked = {f"{JUDGE}.kind": "classifier", f"{JUDGE}.base_url": None}
    check_judge(config(**served, **asked))  # one that says nothing of itself
    report = tmp_path / "verifier.json"
    for trained, own, message in (
        (None, {}, None),
        ("{gold}: {answer}", {f"{JUDGE}.template": "{gold}: {answer}"}, None),
        ("{gold}: {answer}", {}, r'judge\.template is not .*: "\{gold\}: \{answer\}"'),
        (None, {f"{JUDGE}.template": "{gold}: {answer}"}, r"verifier\.json: null"),
        (None, {f"{JUDGE}.kind": "chat"}, r"is a classifier: the judge needs judge\.kind="),
    ):
        report.write_text(json.dumps({"template": trained}), encoding="utf-8")
        given = config(**served, **(asked | own))
        if message is None:
            check_judge(given)
        else:
            with pytest.raises(DianjinError, match=message):
                check_judge(given)


# --- Ray on two nodes


@pytest.fixture(scope="module")
def cluster():
    """Two nodes; no other process takes them for the machine's Ray cluster."""
    from ray.cluster_utils import Cluster

    with tempfile.TemporaryDirectory(prefix="ray") as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_TMPDIR", folder)  # pytest's own paths are too long for its sockets
        cluster = Cluster(
            initialize_head=True, head_node_args={"num_cpus": 2, "include_dashboard": False}
        )
        cluster.add_node(num_cpus=1)
        ray.init(address=cluster.address, log_to_driver=False)
        patch.undo()
        yield cluster
        ray.shutdown()
        cluster.shutdown()


@ray.remote(num_cpus=1, max_retries=0)
def judge_many(settings, first, number):
    os.environ["OPENAI_API_KEY"] = "EMPTY"
    from dianjin_ext.rewards.judge import read_judge
    from dianjin_ext.rewards.judge.judge import Judge

    async def main():
        judge = Judge(read_judge(settings))
        account = type(judge._limiter.account).__name__
        await asyncio.gather(
            *(judge.decide("?", "增值税", f"税种{first + i}") for i in range(number))
        )
        return account, ray.get_runtime_context().get_node_id()

    return asyncio.run(main())


@pytest.mark.slow
def test_the_limits_hold_on_all_nodes(cluster, server, settings, tmp_path):
    server.latency = 0.05
    nodes = [node["NodeID"] for node in ray.nodes()]
    work = [
        judge_many.options(
            scheduling_strategy=NodeAffinitySchedulingStrategy(node, soft=False)
        ).remote(settings | {"max_concurrency": 3, "cache_dir": str(tmp_path / node)}, 50 * i, 20)
        for i, node in enumerate(nodes)
    ]
    found = ray.get(work, timeout=120)
    assert {account for account, _ in found} == {"RayLedger"}
    assert {node for _, node in found} == set(nodes)
    assert len(server.bodies) == 40
    assert server.most_under_way == 3


# --- what a trainer does with a skipped response


ROWS = {  # key: the reward and the reason of the response
    "a_0_0": (1.0, "correct"),
    "a_1_0": (0.0, "wrong"),
    "a_2_0": (0.25, "skipped"),
    "a_3_0": (0.5, "correct"),
    "b_0_0": (0.25, "skipped"),
    "b_1_0": (0.0, "skipped"),
    "c_0_0": (0.0, "wrong"),
    "c_1_0": (1.0, "correct"),
    "c_1_1": (1.0, "correct"),  # the second sequence of the same response
    "c_2_0": (0.0, "skipped"),
    "c_2_1": (0.0, "skipped"),
}


def put(partition):
    lengths = [3 + i % 4 for i in range(len(ROWS))]
    scores = [torch.zeros(n) for n in lengths]
    for row, (reward, _) in zip(scores, ROWS.values(), strict=True):
        row[-1] = reward

    def nested(rows):
        return torch.nested.as_nested_tensor(rows, layout=torch.jagged)

    fields = get_tensordict(
        {
            "uid": [key.split("_")[0] for key in ROWS],
            "response_mask": nested([torch.ones(n, dtype=torch.long) for n in lengths]),
            "old_log_probs": nested([torch.zeros(n) for n in lengths]),
            "rm_scores": nested(scores),
            "extra_fields": [{"reward_extra_info": {"reason": why}} for _, why in ROWS.values()],
        }
    )
    tags = [{"status": "success"} for _ in ROWS]
    return transfer_queue.kv_batch_put(
        keys=list(ROWS), partition_id=partition, fields=fields, tags=tags
    )


@pytest.fixture(scope="module")
def queue(cluster):
    transfer_queue.init()
    yield
    transfer_queue.close()


def stored(batch, field):
    data = transfer_queue.kv_batch_get(
        keys=batch.keys, partition_id=batch.partition_id, select_fields=[field]
    )
    return dict(zip(batch.keys, (row.tolist() for row in data[field].unbind()), strict=True))


@pytest.mark.slow
def test_a_skipped_response_gets_the_mean_of_its_group(queue):
    batch = put("rewards")
    before = stored(batch, "rm_scores")
    assert replace_skipped(batch) == 4
    after = stored(batch, "rm_scores")
    expected = {"a_2_0": 0.5, "b_0_0": 0.0, "b_1_0": 0.0, "c_2_0": 0.5, "c_2_1": 0.5}
    for key, row in after.items():
        assert row == ([*before[key][:-1], expected[key]] if key in expected else before[key])


@pytest.mark.slow
def test_its_advantage_is_zero_in_verls_trainer(queue):
    advantages = {}
    for kind in (SyncTrainer, PPOTrainerSync):
        trainer = object.__new__(kind)
        trainer.config = OmegaConf.create(
            {
                "algorithm": {
                    "adv_estimator": "grpo",
                    "use_kl_in_reward": False,
                    "gamma": 1.0,
                    "lam": 1.0,
                    "norm_adv_by_std_in_grpo": False,
                },
                "actor_rollout_ref": {"rollout": {"n": 4}},
            }
        )
        batch = put(kind.__name__)
        rows = stored(trainer._compute_advantage(batch, {}), "advantages")
        advantages[kind] = {key: row[0] for key, row in rows.items()}
    for key, (reward, reason) in ROWS.items():
        mean = {"a": 0.5, "b": 0.0, "c": 0.5}[key[0]]
        expected = 0.0 if reason == "skipped" else reward - mean
        assert advantages[SyncTrainer][key] == pytest.approx(expected), key
    assert advantages[PPOTrainerSync]["a_2_0"] < 0  # verl alone trains on it as on a wrong answer


JUDGED = """
from dianjin_ext import register_reward
from dianjin_ext.rewards import zero
from dianjin_ext.rewards.judged import compute_score_with_judge

@register_reward("test/open")
def left_open(response, gold, **row):
    return zero("undecided", layout=1.0)

async def compute_score(data_source, solution_str, ground_truth, extra_info=None, **settings):
    text = f"<think>x</think><answer>a{solution_str.encode().hex()}</answer>"
    row = {"question": "?"}
    return await compute_score_with_judge("test/open", text, ground_truth, row, **settings)
"""


@pytest.mark.slow
@pytest.mark.long
def test_training_leaves_skipped_responses_out(
    run_verl, assert_learned_on_policy, server, settings, tmp_path
):
    """Step 1: half is right, the rest skipped, nothing to learn. Step 2: half is wrong."""
    requests = []
    metrics = tmp_path / "run" / "metrics.jsonl"  # there once step 1 is over

    def every_other(_):
        requests.append(1)
        other = "wrong" if metrics.exists() and metrics.stat().st_size else "status 500"
        return "correct" if len(requests) % 2 else other

    server.default = every_other
    (tmp_path / "judged.py").write_text(JUDGED)
    judge = ",".join(f"{key}: {value}" for key, value in settings.items())
    steps = run_verl(
        tmp_path / "run",
        "trainer.n_gpus_per_node=1",
        "trainer.total_training_steps=2",
        "trainer.val_before_train=false",
        "trainer.v1.trainer_mode=dianjin_sync",
        "actor_rollout_ref.rollout.temperature=0.7",
        "reward.reward_manager.name=dianjin",
        f"reward.custom_reward_function.path={tmp_path}/judged.py",
        f"+reward.custom_reward_function.reward_kwargs.judge={{{judge}}}",
    )
    assert steps[1]["reward_reason/correct"] + steps[1]["reward_reason/skipped"] == 1.0
    assert steps[1]["reward_reason/skipped"] > 0.2
    assert steps[1]["critic/score/mean"] > steps[1]["reward_reason/correct"]
    assert steps[1]["critic/advantages/max"] == steps[1]["critic/advantages/min"] == 0.0
    assert steps[1]["actor/grad_norm"] == 0.0
    assert steps[2]["reward_reason/wrong"] > 0.2
    assert_learned_on_policy(steps[2])
