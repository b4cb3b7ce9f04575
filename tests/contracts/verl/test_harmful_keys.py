"""Keys with which a run of verl 0.9.1 alone fails late, or is harmed."""

import asyncio
import inspect
import os
from collections import Counter, defaultdict
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("verl")
import torch
from hydra.errors import ConfigCompositionException
from omegaconf import OmegaConf
from verl import DataProto
from verl.trainer.ppo.v1 import agent_loop_tq, trainer_base
from verl.trainer.ppo.v1.trainer_base import PPOTrainer
from verl.utils.config import omega_conf_to_dataclass

from dianjin_ext.hosts.verl.algorithm_check import FAILING
from dianjin_ext.hosts.verl.dead_keys import DEAD_KEYS

ACTOR = "actor_rollout_ref.actor"
ROLLOUT = "actor_rollout_ref.rollout"
CRITIC = ("recipe=fino1", "size=8b")
shows = pytest.mark.shows


@shows("algorithm.rollout_correction.rollout_rs")
def test_an_unknown_rejection_fails_only_when_it_is_computed():
    from verl.trainer.ppo.rollout_corr_helper import (
        SUPPORTED_ROLLOUT_RS_OPTIONS,
        compute_rollout_rejection_mask,
    )

    zeros, mask = torch.zeros(2, 4), torch.ones(2, 4)
    with pytest.raises(ValueError, match="Invalid rollout_rs option"):
        compute_rollout_rejection_mask(zeros, mask, "geometric", 2.0)
    named = next(d for d in DEAD_KEYS if d.key.endswith("rollout_rs") and "token_k1" in d.instead)
    assert set(named.instead.split(", ")) == SUPPORTED_ROLLOUT_RS_OPTIONS


@pytest.mark.parametrize("name", ["grpo", "rloo", *FAILING])
def test_an_estimator_that_the_default_trainer_gives_too_little(composed, name):
    from verl.trainer.ppo.v1.utils import compute_advantage_for_multi_trajectories

    ones = torch.ones(4, 3)
    fields = ("response_mask", "old_log_probs", "token_level_scores", "token_level_rewards")
    uid = np.array(["a", "a", "b", "b"], dtype=object)
    data = DataProto.from_dict(dict.fromkeys(fields, ones), non_tensors={"uid": uid})

    def compute():
        keys = [f"{uid}_{i % 2}_0" for i, uid in enumerate("aabb")]
        algorithm = composed().algorithm
        return compute_advantage_for_multi_trajectories(data, keys, name, config=algorithm)

    if name in FAILING:
        with pytest.raises((AssertionError, KeyError, TypeError)):
            compute()
    else:
        assert compute().batch["advantages"].shape == ones.shape


@shows(f"{ROLLOUT}.stop")
def test_a_stop_string_is_no_key(composed):
    with pytest.raises(ConfigCompositionException):
        composed(f"{ROLLOUT}.stop=[x]")
    with pytest.raises(Exception, match="stop"):
        omega_conf_to_dataclass(composed(f"+{ROLLOUT}.stop=[x]").actor_rollout_ref.rollout)


@shows(f"{ACTOR}.optim.lr_scheduler_type")
def test_linear_is_refused_by_verl_too(composed):
    config = composed(f"{ACTOR}.optim.lr_scheduler_type=linear")
    with pytest.raises(Exception, match=r"AssertionError\(\)"):
        omega_conf_to_dataclass(config.actor_rollout_ref.actor)


@shows("algorithm.use_pf_ppo")
def test_pf_ppo_gives_a_response_the_advantage_of_another():
    from verl.trainer.ppo.core_algos import compute_pf_ppo_reweight_data

    torch.manual_seed(0)
    scores = torch.eye(8)[:, :4]  # half of the rows have no reward
    data = DataProto.from_dict({"token_level_scores": scores, "advantages": torch.arange(8.0)})
    drawn = compute_pf_ppo_reweight_data(data).batch["advantages"]
    # the default trainer writes these to the rows in order
    assert len(drawn) == 8 and drawn.tolist() != list(range(8))


@shows(f"{ROLLOUT}.calculate_log_probs")
def test_without_the_rollouts_probabilities_nothing_is_corrected(composed, monkeypatch):
    assert "logprobs=config.calculate_log_probs" in inspect.getsource(agent_loop_tq)
    assert '"rollout_log_probs" in data.batch' in inspect.getsource(PPOTrainer._compute_advantage)

    def stored(keys, partition_id, select_fields):  # what a rollout without them has written
        missing = set(select_fields) - {"responses", "prompts"}
        raise KeyError(*missing) if missing else AssertionError

    monkeypatch.setattr(trainer_base.tq, "kv_batch_get", stored)
    config = composed("algorithm.rollout_correction.bypass_mode=true")
    trainer = SimpleNamespace(config=config)
    with pytest.raises(KeyError, match="rollout_log_probs"):
        PPOTrainer._compute_old_log_prob(trainer, SimpleNamespace(keys=[], partition_id="x"), {})


@shows(f"{ROLLOUT}.n")
def test_a_group_of_one_is_never_filtered(monkeypatch):
    from verl.trainer.ppo.v1 import replay_buffer

    def filtered(n):
        keys = [f"p_{i}_0" for i in range(n)]
        info = [{"reward_extra_info": {"acc": 0.0}} for _ in keys]
        monkeypatch.setattr(replay_buffer.tq, "kv_batch_get", lambda **_: {"extra_fields": info})
        buffer = SimpleNamespace(
            filter_groups_metric="acc",
            finished_keys={"train": {"p"}},
            partitions={"train": keys},
            _dapo_classification_cache=defaultdict(dict),
        )
        return replay_buffer.ReplayBuffer._dapo_filtered_keys(buffer, "train")

    assert filtered(2) == ({"p"}, Counter({0.0: 1}))
    assert filtered(1) == (set(), Counter())


@shows("reward.reward_model.enable_resource_pool")
def test_beside_a_colocated_reward_model_a_function_has_no_row(composed):
    from verl.experimental.reward_loop.reward_manager.naive import NaiveRewardManager

    text = inspect.getsource(PPOTrainer._compute_reward_colocate)
    assert 'fields = ["prompts", "responses", "raw_prompt"]' in text
    assert 'non_tensor_batch={"raw_prompt": raw_prompt_arr}' in text
    ones = torch.ones(1, 4, dtype=torch.long)
    bare = DataProto.from_dict({"responses": ones, "attention_mask": ones})

    async def scored():
        manager = NaiveRewardManager(OmegaConf.create({}), None, lambda **_: 1.0)
        return await manager.run_single(bare)

    with pytest.raises(KeyError, match="data_source"):
        asyncio.run(scored())
    config = composed("method=[dapo]", "reward.reward_model.enable=true")
    config.reward.reward_model.enable_resource_pool = False
    with pytest.raises(AssertionError, match="colocated reward model computes rewards only"):
        PPOTrainer._resolve_filter_groups_metric(SimpleNamespace(config=config))


@shows("reward.reward_model.enable_resource_pool")
@pytest.mark.parametrize("gpus", [2, 0])
def test_gpus_are_set_apart_for_no_reward_model(composed, gpus):
    config = composed("reward.reward_model.enable_resource_pool=true")
    config.reward.reward_model.update(n_gpus_per_node=gpus, nnodes=1)
    trainer = SimpleNamespace(config=config)
    if not gpus:
        with pytest.raises(ValueError, match="n_gpus_per_node must be greater than 0"):
            PPOTrainer._init_resource_pool_mgr(trainer)
        return
    PPOTrainer._init_resource_pool_mgr(trainer)
    assert not config.reward.reward_model.enable
    assert trainer.resource_pool_manager.resource_pool_spec["reward_pool"] == [gpus]


# --- checkpoints


@shows(f"{ACTOR}.checkpoint.save_contents", f"{ACTOR}.checkpoint.load_contents")
def test_a_content_that_is_none_of_the_four_is_dropped(one_rank):
    from verl.utils.checkpoint.checkpoint_manager import BaseCheckpointManager

    contents = {"save_contents": ["models"], "load_contents": ["models"]}
    manager = BaseCheckpointManager(None, None, checkpoint_config=contents)
    kinds = ("model", "optimizer", "extra")
    assert not any(
        getattr(manager, f"should_{do}_{kind}") for do in ("save", "load") for kind in kinds
    )
    assert not manager.should_save_hf_model


@shows(f"{ACTOR}.checkpoint.save_contents")
def test_a_model_saved_with_its_adapter_loads_as_another(one_rank, tiny_model, tmp_path):
    from peft import LoraConfig, get_peft_model
    from torch.distributed.device_mesh import init_device_mesh
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from verl.utils.checkpoint.fsdp_checkpoint_manager import FSDPCheckpointManager
    from verl.utils.fsdp_utils import apply_fsdp2

    model = AutoModelForCausalLM.from_pretrained(tiny_model)
    right = {name: weight.clone() for name, weight in model.state_dict().items()}
    adapter = LoraConfig(r=4, target_modules="all-linear", task_type="CAUSAL_LM")
    model = get_peft_model(model, adapter)
    mesh = init_device_mesh("cpu", (1,), mesh_dim_names=("fsdp",))
    apply_fsdp2(model, {"mesh": mesh, "reshard_after_forward": True}, {"wrap_policy": {}})
    contents = {"save_contents": ["model", "hf_model"], "load_contents": ["model"]}
    tokenizer = AutoTokenizer.from_pretrained(tiny_model)
    manager = FSDPCheckpointManager(
        model, None, processing_class=tokenizer, checkpoint_config=contents
    )
    manager.save_checkpoint(str(tmp_path / "actor"), global_step=1)
    loaded = AutoModelForCausalLM.from_pretrained(tmp_path / "actor/huggingface").state_dict()
    name = "model.layers.0.self_attn.q_proj.weight"
    assert not torch.allclose(loaded[name].float(), right[name], atol=1e-2)


@pytest.fixture
def one_rank():
    import torch.distributed as dist

    dist.init_process_group("gloo", store=dist.HashStore(), rank=0, world_size=1)
    yield
    dist.destroy_process_group()


class Killed(Exception):
    pass


@shows(
    "trainer.max_actor_ckpt_to_keep",
    "trainer.max_critic_ckpt_to_keep",
    "trainer.remove_previous_ckpt_in_save",
    f"{ACTOR}.checkpoint.async_save",
)
@pytest.mark.parametrize(
    ("override", "left"),
    [
        ("trainer.max_actor_ckpt_to_keep=1", {"critic"}),
        ("trainer.max_critic_ckpt_to_keep=1", {"actor"}),
        ("+trainer.remove_previous_ckpt_in_save=true", set()),
        ("trainer.max_actor_ckpt_to_keep=2", {"actor", "critic"}),
        (f"{ACTOR}.checkpoint.async_save=true", None),
    ],
)
def test_the_last_checkpoint_is_gone_before_the_next_is_whole(composed, tmp_path, override, left):
    """Killed between the workers' saves and the rest, a run goes on from what the tracker names."""
    config = composed(*CRITIC, override, f"trainer.default_local_dir={tmp_path}")

    def state_dict():
        if trainer.global_steps == 2:
            raise Killed
        return {}

    trainer = SimpleNamespace(
        config=config,
        global_steps=1,
        actor_rollout_wg=_workers(),
        use_critic=True,
        critic_wg=_workers(),
        train_dataloader=SimpleNamespace(state_dict=state_dict),
        trainer_mode="sync",
        checkpoint_callback=SimpleNamespace(on_save=lambda **_: None),
    )
    PPOTrainer._save_checkpoint(trainer)
    tracker = tmp_path / "latest_checkpointed_iteration.txt"
    assert tracker.is_file() == (left is not None)
    if left is None:
        return
    trainer.global_steps = 2
    with pytest.raises(Killed):
        PPOTrainer._save_checkpoint(trainer)
    assert tracker.read_text() == "1"
    assert {path.name for path in (tmp_path / "global_step_1").iterdir()} - {"data.pt"} == left


def _workers():
    """Workers that save nothing, and keep and remove as verl's do."""
    from verl.utils.checkpoint.checkpoint_manager import BaseCheckpointManager

    manager = BaseCheckpointManager.__new__(BaseCheckpointManager)
    manager.previous_saved_paths = []

    def save(path, _remote, _step, max_ckpt_to_keep):
        manager.ensure_checkpoint_capacity(max_ckpt_to_keep)
        os.makedirs(path)
        manager.register_checkpoint(path, max_ckpt_to_keep)

    return SimpleNamespace(save_checkpoint=save)
