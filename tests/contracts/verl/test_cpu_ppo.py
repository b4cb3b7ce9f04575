"""PPO on the CPU: a critic, a reference and KL in the reward; resume; the critic as a model."""

import pytest

pytest.importorskip("verl")
pytestmark = [pytest.mark.slow, pytest.mark.long]

LR = 1e-2
PPO = (
    "algorithm.adv_estimator=gae",
    "algorithm.lam=0.95",
    "algorithm.use_kl_in_reward=true",
    "algorithm.kl_ctrl.kl_coef=0.03",
    "actor_rollout_ref.actor.ppo_epochs=2",
    "actor_rollout_ref.rollout.n=1",
    "actor_rollout_ref.actor.ppo_micro_batch_size_per_gpu=4",
    "actor_rollout_ref.rollout.log_prob_micro_batch_size_per_gpu=4",
    "actor_rollout_ref.ref.log_prob_micro_batch_size_per_gpu=4",
    "critic.use_dynamic_bsz=true",
    f"critic.optim.lr={LR}",
    "critic.optim.weight_decay=0.0",
    "trainer.n_gpus_per_node=2",
    "trainer.save_freq=1",
    "trainer.val_before_train=false",
    "trainer.test_freq=-1",
)


def merged(checkpoint, out):
    """Merge a checkpoint; return its weights and the class that its config names."""
    from safetensors.torch import load_file
    from transformers import AutoConfig

    from dianjin_ext.merge import MergeSettings, merge_checkpoint

    merge_checkpoint(checkpoint, out, MergeSettings())
    weights = {}
    for file in out.glob("*.safetensors"):
        weights |= load_file(file)
    return weights, AutoConfig.from_pretrained(out).architectures[0]


def most_moved(after, before):
    return max(float((after[name] - before[name]).abs().max()) for name in before if name in after)


def test_ppo_with_a_critic_trains_saves_and_resumes(
    run_verl, assert_learned_on_policy, tiny_model, tmp_path
):
    from safetensors.torch import load_file
    from transformers import AutoModelForTokenClassification

    options = (*PPO, f"critic.model.path={tiny_model}")
    first = run_verl(tmp_path, *options, "trainer.total_training_steps=2")
    assert sorted(first) == [1, 2]
    for step in first.values():
        assert_learned_on_policy(step)
        assert step["critic/vf_loss"] > 0 and step["critic/grad_norm"] > 0
    # the reference is the start: no KL until the first update
    assert (
        abs(first[1]["actor/reward_kl_penalty"]) < 1e-6 < abs(first[2]["actor/reward_kl_penalty"])
    )
    second = run_verl(tmp_path, *options, "trainer.total_training_steps=3")
    assert sorted(second) == [3]
    assert_learned_on_policy(second[3])

    checkpoints = tmp_path / "checkpoints"
    start = load_file(tiny_model / "model.safetensors")
    for role, kind in (("actor", "Qwen2ForCausalLM"), ("critic", "Qwen2ForTokenClassification")):
        before, _ = merged(checkpoints / f"global_step_2/{role}", tmp_path / f"{role}_2")
        after, architecture = merged(checkpoints / f"global_step_3/{role}", tmp_path / f"{role}_3")
        assert architecture == kind
        # Adam moves a weight by about the learning rate an update: two updates from where the
        # first run ended, and further from the start than they reach
        assert 0 < most_moved(after, before) < most_moved(after, start)
    critic = AutoModelForTokenClassification.from_pretrained(tmp_path / "critic_3")
    assert critic.config.num_labels == 1
    assert {name: tuple(weight.shape) for name, weight in critic.state_dict().items()} == {
        name: tuple(weight.shape) for name, weight in after.items()
    }
    assert most_moved(after, start) > 2.5 * LR
