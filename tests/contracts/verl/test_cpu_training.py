"""verl's own trainer on the CPU: two ranks, FSDP2 and FSDP1, validation and resume.

One rank trains in test_judge.py.
"""

import pytest

pytest.importorskip("verl")
pytestmark = [pytest.mark.slow, pytest.mark.long]

VALIDATION = "val-core/cflue_mcq/acc/mean@1"
FSDP1 = (
    "actor_rollout_ref.actor.strategy=fsdp",
    "actor_rollout_ref.actor.fsdp_config.strategy=fsdp",
    "actor_rollout_ref.ref.fsdp_config.strategy=fsdp",
)


def test_two_ranks_save_and_resume(run_verl, assert_learned_on_policy, tmp_path):
    options = (
        "trainer.n_gpus_per_node=2",
        "trainer.save_freq=2",
        "trainer.test_freq=2",
        "actor_rollout_ref.actor.use_kl_loss=true",  # starts a reference model
    )
    first = run_verl(
        tmp_path, *options, "trainer.total_training_steps=2", "trainer.val_before_train=true"
    )
    assert sorted(first) == [0, 1, 2]
    assert_learned_on_policy(first[1])
    assert_learned_on_policy(first[2])
    assert first[1]["actor/kl_loss"] < 1e-6 < first[2]["actor/kl_loss"]  # left the reference
    shards = tmp_path / "checkpoints/global_step_2/actor"
    assert len(list(shards.glob("model_world_size_2_rank_*.pt"))) == 2

    second = run_verl(
        tmp_path, *options, "trainer.total_training_steps=3", "trainer.val_before_train=true"
    )
    assert sorted(second) == [2, 3]
    assert second[2][VALIDATION] == first[2][VALIDATION] != first[0][VALIDATION]
    assert_learned_on_policy(second[3])


def test_two_ranks_fsdp1_and_verls_own_agent_loops(run_verl, assert_learned_on_policy, tmp_path):
    steps = run_verl(
        tmp_path,
        *FSDP1,
        "actor_rollout_ref.rollout.agent.agent_loop_manager_class=null",
        "trainer.n_gpus_per_node=2",
        "trainer.total_training_steps=2",
        "trainer.save_freq=2",
        "trainer.val_before_train=false",
        "actor_rollout_ref.actor.use_kl_loss=true",
    )
    assert_learned_on_policy(steps[1])
    assert_learned_on_policy(steps[2])
    assert steps[1]["actor/kl_loss"] < 1e-6 < steps[2]["actor/kl_loss"]
    shards = tmp_path / "checkpoints/global_step_2/actor"
    assert len(list(shards.glob("model_world_size_2_rank_*.pt"))) == 2
