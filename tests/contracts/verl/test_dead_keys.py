"""Keys that verl 0.9.1 takes in vain: ours says so, and the host alone takes them."""

import importlib.util
import re
from pathlib import Path

import pytest

pytest.importorskip("verl")
from verl.trainer.ppo.utils import need_critic, need_reference_policy
from verl.utils.config import validate_config

from dianjin_ext.errors import DianjinError
from dianjin_ext.hosts.verl.config_check import check_config
from dianjin_ext.hosts.verl.dead_keys import DEAD_KEYS, dead_key_problems

ROOT = Path(__file__).resolve().parents[3]
VERL = Path(importlib.util.find_spec("verl").origin).parent
ACTOR = "actor_rollout_ref.actor"
MODEL = "actor_rollout_ref.model"
ROLLOUT = "actor_rollout_ref.rollout"
CRITIC = ("recipe=fino1", "size=8b")
BYPASS = ("algorithm.rollout_correction.bypass_mode=true",)
COLOCATED = ("reward.reward_model.enable=true", "reward.reward_model.enable_resource_pool=false")

# key: (what sets it in vain, what beside it makes it in vain)
SET = {
    "critic.use_dynamic_bsz": ("false", (*CRITIC, f"{ACTOR}.use_dynamic_bsz=true")),
    "critic.ppo_max_token_len_per_gpu": ("8192", CRITIC),
    "critic.forward_max_token_len_per_gpu": ("8192", CRITIC),
    "critic.forward_micro_batch_size": ("8", CRITIC),
    "critic.forward_micro_batch_size_per_gpu": ("16", CRITIC),
    f"{ACTOR}.grad_clip": ("0.5", ()),
    "critic.grad_clip": ("0.5", CRITIC),
    f"{ACTOR}.clip_ratio": ("0.3", ()),
    "algorithm.rollout_correction.loss_type": ("reinforce", BYPASS),
    "algorithm.rollout_correction.rollout_is": ("token", BYPASS),
    "algorithm.rollout_correction.rollout_rs": ("geometric", ()),
    "trainer.esi_redundant_time": ("60", ()),
    "trainer.balance_batch": ("false", ()),
    "data.truncation": ("middle", ()),
    "actor_rollout_ref.rollout.over_sample_rate": ("0.1", ()),
    f"{ACTOR}.use_prefix_grouper": ("true", ()),
    f"{ACTOR}.freeze_vision_tower": ("true", ()),
    f"{ACTOR}.optim.lr_scheduler_type": ("linear", ()),
    "actor_rollout_ref.rollout.stop": ("[x]", ()),
    "reward.reward_model.enable_resource_pool": ("false", COLOCATED[:1]),
    "trainer.max_actor_ckpt_to_keep": ("1", ()),
    "trainer.max_critic_ckpt_to_keep": ("1", ()),
    "trainer.remove_previous_ckpt_in_save": ("true", ()),
    f"{MODEL}.lora_rank": ("32", ("platform=megatron",)),
    f"{MODEL}.lora.rank": ("32", ()),
    f"{MODEL}.lora_adapter_path": ("adapter", ()),
    "actor_rollout_ref.rollout.n": ("1", ("method=[dapo]",)),
    f"{ACTOR}.checkpoint.save_contents": ("[model,hf_model]", ("method=[lora]",)),
    f"{ACTOR}.checkpoint.load_contents": ("[models]", ()),
    "trainer.val_only": ("true", ("trainer.val_before_train=false",)),
    "trainer.resume_from_path": ("runs/global_step_5", ()),
    "trainer.default_hdfs_dir": ("hdfs://a/b", ()),
    f"{ACTOR}.checkpoint.async_save": ("true", ()),
    f"{ROLLOUT}.do_sample": ("false", ()),
    f"{ROLLOUT}.val_kwargs.do_sample": ("true", ()),
    f"{ROLLOUT}.repetition_penalty": ("1.1", ()),
    f"{ROLLOUT}.calculate_log_probs": ("false", BYPASS),
    f"{ROLLOUT}.log_prob_use_dynamic_bsz": ("true", ()),
    f"{ACTOR}.ppo_micro_batch_size": ("8", (f"{ACTOR}.ppo_micro_batch_size_per_gpu=null",)),
    f"{ROLLOUT}.log_prob_micro_batch_size": (
        *("8", (f"{ROLLOUT}.log_prob_micro_batch_size_per_gpu=null",)),
    ),
    "actor_rollout_ref.ref.log_prob_micro_batch_size": (
        *("8", ("actor_rollout_ref.ref.log_prob_micro_batch_size_per_gpu=null",)),
    ),
    f"{ACTOR}.use_torch_compile": ("false", ()),
    f"{ACTOR}.fsdp_config.strategy": ("fsdp2", ()),
    "critic.fsdp.strategy": ("fsdp2", CRITIC),
    "critic.ulysses_sequence_parallel_size": ("2", CRITIC),
    f"{ACTOR}.optim.total_training_steps": ("100", ()),
    "actor_rollout_ref.nccl_timeout": ("7200", ()),
    "algorithm.use_pf_ppo": ("true", ()),
    "data.reward_fn_key": ("ability", ()),
    "data.tokenizer": ("models/other", ()),
}
NOT_KNOWN = (
    "rollout.stop",
    "remove_previous_ckpt_in_save",
    "repetition_penalty",
)  # hydra wants a +


@pytest.fixture
def set_in_vain(composed):
    def compose(key):
        value, beside = SET[key]
        return composed(*beside, f"{'+' if key.endswith(NOT_KNOWN) else ''}{key}={value}")

    return compose


def accepted(config, tiny_model):
    """verl's own check, without ours."""
    if need_critic(config):
        config.critic.model.path = config.critic.model.tokenizer_path = str(tiny_model)
    config.actor_rollout_ref.rollout.name = "transformers_cpu"  # needs no vLLM
    validate_config.__wrapped__(config, need_reference_policy(config), need_critic(config))


def loaded(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_key_is_tried():
    assert set(SET) == {dead.key for dead in DEAD_KEYS}


def test_of_every_key_it_is_shown_what_the_host_does():
    shown = set()
    for name in ("test_unread_keys", "test_harmful_keys"):
        for item in vars(loaded(Path(__file__).with_name(f"{name}.py"))).values():
            marks = getattr(item, "pytestmark", [])
            shown.update(*(mark.args for mark in marks if mark.name == "shows"))
    assert shown == {dead.key for dead in DEAD_KEYS}


@pytest.mark.parametrize("key", SET)
def test_ours_says_so_first(set_in_vain, key):
    config = set_in_vain(key)
    (line,) = [line for line in dead_key_problems(config) if line.startswith(f"{key}=")]
    assert "; use " in line and "\n" not in line
    with pytest.raises(DianjinError, match=re.escape(f"{key}=")):
        check_config(config)
    config.trainer.use_v1 = False  # the old trainer reads some of them
    assert not list(dead_key_problems(config))


@pytest.mark.parametrize(
    "key",
    [key for key in SET if not key.endswith(("lr_scheduler_type", "rollout.stop"))],
)
def test_the_host_takes_it_without_a_word(set_in_vain, key, tiny_model):
    accepted(set_in_vain(key), tiny_model)


@pytest.mark.parametrize(
    "overrides",
    [
        (),
        CRITIC,
        (*CRITIC, f"{ACTOR}.use_dynamic_bsz=true"),
        (*CRITIC, "critic.use_dynamic_bsz=true"),  # which is how it is
        (*CRITIC, "critic.ppo_micro_batch_size_per_gpu=16"),
        ("critic.ppo_max_token_len_per_gpu=8192",),  # no critic, so no harm
        (f"{ACTOR}.optim.clip_grad=0.5", f"{ACTOR}.clip_ratio_low=0.1"),
        ("method=[tis]",),
        ("algorithm.rollout_correction.rollout_rs='token_k1,seq_mean_k3'",),
        (*BYPASS, f"{ACTOR}.policy_loss.loss_mode=bypass_mode",
         "algorithm.rollout_correction.loss_type=reinforce"),
        ("trainer.max_actor_ckpt_to_keep=2",),
        ("method=[lora]",),
        ("method=[dapo]",),
        ("platform=megatron", f"{MODEL}.lora.rank=32"),
        ("method=[lora]", f"{MODEL}.lora_adapter_path=adapter"),
        ("reward.reward_model.enable=true", "reward.reward_model.enable_resource_pool=true"),
        (*COLOCATED, "reward.custom_reward_function.path=null"),
        (f"{ACTOR}.optim.lr_scheduler_type=cosine",),
        ("data.truncation=left",),  # which is how long prompts are cut
        ("trainer.val_only=true",),
        ("trainer.resume_mode=resume_path", "trainer.resume_from_path=runs/global_step_5"),
        (f"{ROLLOUT}.val_kwargs.do_sample=true", f"{ROLLOUT}.val_kwargs.temperature=0.6"),
        (f"{ROLLOUT}.val_kwargs.temperature=0.6", f"{ROLLOUT}.val_kwargs.n=4"),  # samples
        (f"{ROLLOUT}.calculate_log_probs=false",),
        (f"{ACTOR}.strategy=fsdp2",),
        (f"{ACTOR}.checkpoint.save_contents=[hf_model]",),
        (f"{ACTOR}.use_torch_compile=false", f"{ACTOR}.fsdp_config.use_torch_compile=false"),
        ("platform=megatron", f"{ACTOR}.checkpoint.async_save=true",
         "trainer.default_hdfs_dir=hdfs://a/b"),
        ("platform=cpu", "size=tiny"),
        (f"{ACTOR}.ppo_micro_batch_size_per_gpu=4",),
        ("critic.ulysses_sequence_parallel_size=2",),  # no critic, so no harm
    ],
)  # fmt: skip
def test_what_works_passes(composed, overrides):
    assert list(dead_key_problems(composed(*overrides))) == []


def test_the_page_has_the_table():
    script = loaded(ROOT / "scripts/verl_keys.py")
    page = script.PAGE.read_text(encoding="utf-8")
    assert page == script.filled(page)
    assert page.count("\n| `") == len(DEAD_KEYS)
    assert page.replace("grad_clip", "clip") != script.filled(page.replace("grad_clip", "clip"))
