"""Group filtering where the data has no group of use, few of them, and enough."""

import itertools
import re

import pytest

pytest.importorskip("verl")

import ray
import transfer_queue
from omegaconf import OmegaConf
from verl.trainer.ppo.v1.replay_buffer import ReplayBuffer, ReplayBufferAsync
from verl.utils.tensordict_utils import get_tensordict

from dianjin_ext.errors import DianjinError
from dianjin_ext.hosts.verl.evictions import IN_A_ROW, bound_evictions

pytestmark = pytest.mark.slow

BATCH = 100


@pytest.fixture(scope="module")
def queue():
    ray.init(num_cpus=4, include_dashboard=False, log_to_driver=False)  # slots, not cores
    transfer_queue.init()
    yield
    transfer_queue.close()
    ray.shutdown()


@pytest.fixture
def made_buffer(queue):
    """Make a bounded buffer of verl over groups of two responses, and count what it asks for.

    `outcomes` yields for each prompt what its responses got, or None where they failed.
    """

    def make(outcomes, *, kind=ReplayBuffer, most_batches=0, batch=BATCH):
        asked = []
        numbers = itertools.count()

        def refill(count):
            assert sum(asked) < 5 * IN_A_ROW, "prompts are asked for without end"
            uids = [f"p{next(numbers)}" for _ in range(count)]
            found = dict(zip(uids, itertools.islice(outcomes, count), strict=True))
            rows = [(uid, i) for uid, values in found.items() if values for i in range(2)]
            if rows:
                extra = [{"reward_extra_info": {"acc": found[uid][i]}} for uid, i in rows]
                transfer_queue.kv_batch_put(
                    keys=[f"{uid}_{i}_0" for uid, i in rows],
                    partition_id="train",
                    fields=get_tensordict({"extra_fields": extra}),
                    tags=[{"status": "success"} for _ in rows],
                )
            transfer_queue.kv_batch_put(
                keys=uids,
                partition_id="train",
                tags=[
                    {
                        "is_prompt": True,
                        "status": "finished" if found[uid] else "failure",
                        "global_steps": 1,
                    }
                    for uid in uids
                ],
            )
            asked.append(count)

        buffer = kind(
            trainer_mode="sync" if kind is ReplayBuffer else "colocate_async",
            trainer_config=OmegaConf.create({}),
            max_off_policy_threshold=None,
            max_off_policy_strategy="drop",
            sampler_kwargs=OmegaConf.create({}),
            poll_interval=0.01,
            refill_fn=refill,
            filter_groups_metric="acc",
            train_batch_size=batch,
            gen_batch_size=1,
        )
        config = {"data": {"train_batch_size": batch}, "actor_rollout_ref": {"rollout": {"n": 2}}}
        bound_evictions(buffer, OmegaConf.create(config), most_batches)
        refill(batch)
        return buffer, asked

    yield make
    keys = list(transfer_queue.kv_list("train").get("train", {}))
    if keys:
        transfer_queue.kv_clear(partition_id="train", keys=keys)


@pytest.mark.parametrize("kind", [ReplayBuffer, ReplayBufferAsync])
def test_no_group_of_use_ends_the_run(made_buffer, kind):
    outcomes = itertools.cycle([(0.0, 0.0), (0.0, 0.0), (1.0, 1.0)])
    buffer, asked = made_buffer(outcomes, kind=kind)
    with pytest.raises(DianjinError) as caught:
        buffer.sample(global_steps=1, partition_id="train", batch_size=BATCH)
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith(f"{IN_A_ROW} groups of responses in a row were evicted. In 1000 of")
    assert "all 2 responses had the same acc (0 in 667, 1 in 333)" in message
    assert "both right and wrong" in message and "dianjin select" in message
    assert sum(asked) == IN_A_ROW


def test_a_group_of_use_now_and_then_is_enough(made_buffer):
    """More are evicted in all than may be in a row."""
    one_in = IN_A_ROW // 2
    outcomes = itertools.cycle([(0.0, 0.0)] * (one_in - 1) + [(1.0, 0.0)])
    buffer, asked = made_buffer(outcomes)
    batch, metrics = buffer.sample(global_steps=1, partition_id="train", batch_size=3)
    assert len(batch.keys) == 3 * 2
    assert sum(asked) > IN_A_ROW
    assert metrics["training/filter_groups/evicted_samples"] > IN_A_ROW


def test_a_step_that_takes_more_batches_than_allowed_ends_the_run(made_buffer):
    outcomes = itertools.cycle([(0.0, 0.0)] * 9 + [(1.0, 0.0)])
    buffer, asked = made_buffer(outcomes, most_batches=3)
    with pytest.raises(
        DianjinError, match=r"evicted in step 1, .*max_num_gen_batches=3 batches of"
    ):
        buffer.sample(global_steps=1, partition_id="train", batch_size=BATCH)
    assert 3 * BATCH <= sum(asked) <= 4 * BATCH
    buffer.sample(global_steps=2, partition_id="train", batch_size=5)  # a step counts for itself


def test_groups_that_all_fail_end_an_asynchronous_run(made_buffer):
    buffer, _ = made_buffer(itertools.repeat(None), kind=ReplayBufferAsync)
    with pytest.raises(DianjinError, match="1000 of them failed to be generated") as caught:
        buffer.sample(global_steps=1, partition_id="train", batch_size=BATCH)
    assert "both right and wrong" not in str(caught.value)


# --- in verl's trainer

FILTERED = (
    "trainer.n_gpus_per_node=1",
    "trainer.v1.trainer_mode=dianjin_sync",
    "trainer.total_training_steps=2",
    "trainer.val_before_train=false",
    "trainer.test_freq=-1",
    "data.max_response_length=8",
    "actor_rollout_ref.rollout.n=2",
    "actor_rollout_ref.actor.ppo_micro_batch_size_per_gpu=16",
    "algorithm.filter_groups.enable=true",
    "algorithm.filter_groups.metric=acc",
)


def reward(folder, body):
    path = folder / "reward.py"
    path.write_text(
        "def compute_score(data_source, solution_str, ground_truth, extra_info=None):\n"
        f"    return {body}\n",
        encoding="utf-8",
    )
    return f"reward.custom_reward_function.path={path}"


def test_training_on_data_without_mixed_groups_says_so(start_verl, tmp_path):
    done = start_verl(
        tmp_path / "run",
        *FILTERED,
        reward(tmp_path, "float(extra_info['index'] % 2)"),
        "algorithm.filter_groups.max_num_gen_batches=4",
    )
    console = done.stdout + done.stderr
    assert done.returncode == 1, console[-6000:]
    message = console.rpartition("DianjinError: ")[2].splitlines()[0]
    found = re.match(r"(\d+) groups of responses were evicted in step 1, ", message)
    assert 32 <= int(found[1]) < 48
    assert re.search(r"the same acc \([01] in \d+, [01] in \d+\)", message)
    assert "max_num_gen_batches=4 is ignored" not in console
    assert (tmp_path / "run" / "metrics.jsonl").read_text(encoding="utf-8") == ""  # no step ended


@pytest.mark.long
def test_training_on_data_with_some_mixed_groups_goes_on(
    run_verl, assert_learned_on_policy, tmp_path
):
    steps = run_verl(
        tmp_path / "run",
        *FILTERED,
        reward(tmp_path, "float(len(set(solution_str)) % 2 if extra_info['index'] % 2 else 1)"),
    )
    evicted = sum(step["training/filter_groups/evicted_samples"] for step in steps.values())
    assert evicted >= 8  # half of the prompts can't have both
    for step in steps.values():
        assert_learned_on_policy(step)
        assert step["critic/advantages/max"] > 0 > step["critic/advantages/min"]
