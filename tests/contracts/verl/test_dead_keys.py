"""Keys that verl 0.9.1 takes in vain: ours says so, and the host alone does nothing with them."""

import copy
import importlib.util
import re
from functools import cache
from pathlib import Path

import pytest

pytest.importorskip("verl")
import torch
from hydra import compose, initialize_config_dir
from hydra.errors import ConfigCompositionException
from verl.trainer.ppo.utils import need_critic, need_reference_policy
from verl.utils.config import omega_conf_to_dataclass, validate_config

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


def composed(*overrides):
    return copy.deepcopy(_composed(*overrides))  # to be changed by a test


@cache
def _composed(*overrides):
    with initialize_config_dir(str(ROOT / "configs"), version_base=None):
        return compose("rl", overrides=list(overrides))


def set_in_vain(key):
    value, beside = SET[key]
    return composed(*beside, f"{'+' if key.endswith(NOT_KNOWN) else ''}{key}={value}")


def accepted(config, tiny_model):
    """verl's own check, without ours."""
    if need_critic(config):
        config.critic.model.path = config.critic.model.tokenizer_path = str(tiny_model)
    config.actor_rollout_ref.rollout.name = "transformers_cpu"  # needs no vLLM
    validate_config.__wrapped__(config, need_reference_policy(config), need_critic(config))


def test_every_key_is_tried():
    assert set(SET) == {dead.key for dead in DEAD_KEYS}


@pytest.mark.parametrize("key", SET)
def test_ours_says_so_first(key):
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
def test_the_host_takes_it_without_a_word(key, tiny_model):
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
def test_what_works_passes(overrides):
    assert list(dead_key_problems(composed(*overrides))) == []


def readers(key):
    """Files of verl that name a key's last part: without configurations and the old trainers."""
    name = re.compile(rf"(?<![\w/]){key.rpartition('.')[2]}\b")
    found = set()
    for path in VERL.rglob("*.py"):
        inside = path.relative_to(VERL).as_posix()
        old = ("trainer/config", "workers/config", "experimental", "trainer/ppo/ray_trainer.py")
        if not inside.startswith(old) and name.search(path.read_text(encoding="utf-8")):
            found.add(inside)
    return found


@pytest.mark.parametrize(
    ("key", "but"),
    [
        ("critic.forward_max_token_len_per_gpu", set()),
        ("critic.forward_micro_batch_size", set()),
        ("critic.forward_micro_batch_size_per_gpu", set()),
        (f"{ACTOR}.grad_clip", set()),
        ("trainer.esi_redundant_time", set()),
        ("actor_rollout_ref.rollout.over_sample_rate", set()),
        (f"{ACTOR}.freeze_vision_tower", set()),
        (f"{ACTOR}.use_prefix_grouper", {"models/transformers/monkey_patch.py"}),  # an argument
        ("trainer.balance_batch", {"trainer/sft_trainer_ray.py"}),  # of SFT
        ("actor_rollout_ref.nccl_timeout", set()),
        ("trainer.val_only", {"trainer/ppo/v1/trainer_base.py"}),  # see below
    ],
)
def test_no_code_of_the_default_trainer_reads_it(key, but):
    assert readers(key) == but


def test_a_critic_has_its_batches_by_one_key_only():
    text = (VERL / "trainer/ppo/v1/trainer_base.py").read_text(encoding="utf-8")
    (first,) = re.findall(r"critic_cfg\.engine\.max_token_len_per_gpu = critic_cfg\.(\w+)", text)
    assert first == "ppo_infer_max_token_len_per_gpu"
    assert not re.search(r"critic_cfg\.(ppo_max_token_len_per_gpu|use_dynamic_bsz)", text)
    config = composed(*CRITIC, "critic.ppo_max_token_len_per_gpu=8192")
    assert "ppo_infer_max_token_len_per_gpu" not in config.critic  # so the + before it
    lora = composed("+critic.ppo_infer_max_token_len_per_gpu=8192", *CRITIC)
    assert lora.critic.ppo_infer_max_token_len_per_gpu == 8192


def test_an_adapter_has_a_key_for_each_engine_and_the_reference_asks_for_one_by_both():
    fsdp = (VERL / "workers/engine/fsdp/transformer_impl.py").read_text(encoding="utf-8")
    assert set(re.findall(r"_is_lora = (.*)", fsdp)) == {"self.model_config.lora_rank > 0"}
    assert re.findall(r"model_config\.lora\.get\((.*?)\)", fsdp) == ['"merge", False']
    # for the reference the adapter is switched off, which a model without one can't
    assert "return self.module.disable_adapter()" in fsdp
    for path in (VERL / "workers/engine/megatron").glob("*.py"):
        assert "lora_rank" not in path.read_text(encoding="utf-8")
    trainer = (VERL / "trainer/ppo/v1/trainer_base.py").read_text(encoding="utf-8")
    assert 'model.get("lora", {}).get("rank", 0)' in trainer
    assert 'model.get("lora_rank", 0)' in trainer


def test_truncation_is_kept_and_not_used():
    text = (VERL / "utils/dataset/rl_dataset.py").read_text(encoding="utf-8")
    assert len(re.findall(r"self\.truncation\b", text)) == 1


@pytest.mark.parametrize("key", ["clip_ratio", "clip_ratio_low"])
def test_clip_ratio_changes_no_loss_and_what_we_name_does(key):
    from verl.trainer.ppo.core_algos import get_policy_loss_fn

    loss = get_policy_loss_fn("vanilla")
    old = torch.zeros(2, 4)
    new, mask = torch.full((2, 4), -1.0), torch.ones(2, 4)

    def with_value(value):
        config = composed(f"{ACTOR}.{key}={value}")
        actor = omega_conf_to_dataclass(config[ACTOR.split(".")[0]].actor)
        return loss(old, new, -mask, mask, "token-mean", actor)[0].item()

    assert (with_value(0.2) == with_value(0.3)) == (key == "clip_ratio")


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


def test_bypassed_correction_is_wired_in_the_old_trainer_only():
    assert readers("x.apply_bypass_mode") == {"trainer/ppo/rollout_corr_helper.py"}


def test_a_stop_string_is_no_key():
    with pytest.raises(ConfigCompositionException):
        composed("actor_rollout_ref.rollout.stop=[x]")
    with pytest.raises(Exception, match="stop"):
        omega_conf_to_dataclass(
            set_in_vain("actor_rollout_ref.rollout.stop").actor_rollout_ref.rollout
        )


def test_linear_is_refused_by_verl_too(tiny_model):
    with pytest.raises(Exception, match=r"AssertionError\(\)"):
        accepted(set_in_vain(f"{ACTOR}.optim.lr_scheduler_type"), tiny_model)


def test_what_is_read_in_another_case_only():
    trainer = (VERL / "trainer/ppo/v1/trainer_base.py").read_text(encoding="utf-8")
    before = trainer.index('self.config.trainer.get("val_before_train", True)')
    only, after = trainer.index('get("val_only", False)'), trainer.index("current_epoch = ")
    assert before < only < after and trainer.count("val_only") == 1
    path = trainer.index('elif self.config.trainer.resume_mode == "resume_path"')
    assert path < trainer.index("resume_from_path")
    tracker = trainer.index('get("async_save", False)')
    assert tracker < trainer.index('"latest_checkpointed_iteration.txt"', tracker)
    fsdp = (VERL / "utils/checkpoint/fsdp_checkpoint_manager.py").read_text(encoding="utf-8")
    assert "async_save" not in fsdp
    assert not re.search(r"hdfs_path\b(?!: (?:str|Unused))", fsdp)


def test_responses_are_drawn_whatever_do_sample_says():
    text = (VERL / "trainer/ppo/v1/agent_loop_tq.py").read_text(encoding="utf-8")
    assert set(re.findall(r"[\w.]*do_sample\w*", text)) == {"__do_sample__", "do_sample"}
    assert re.findall(r"do_sample = (.*)", text) == [
        'prompt.pop("__do_sample__", True)'
    ]  # of a row
    assert "repetition_penalty=1.0" in text


def test_engines_have_what_they_read_by_one_key():
    worker = (VERL / "workers/engine_workers.py").read_text(encoding="utf-8")
    assert "assert self.config.actor.use_dynamic_bsz == self.config.rollout." in worker
    for name in ("rollout.log_prob_micro_batch_size", "actor.ppo_micro_batch_size"):
        assert f"assert self.config.{name}_per_gpu is not None" in worker
    assert "initialize_global_process_group_ray(timeout_second=None)" in worker
    fsdp = (VERL / "workers/engine/fsdp/transformer_impl.py").read_text(encoding="utf-8")
    assert re.findall(r"[\w.]+use_torch_compile", fsdp) == ["self.engine_config.use_torch_compile"]
    config = composed(*CRITIC, "critic.ulysses_sequence_parallel_size=2", f"{ACTOR}.strategy=fsdp2",
                      "critic.model.path=null")  # fmt: skip
    actor = omega_conf_to_dataclass(config.actor_rollout_ref.actor)
    assert (
        actor.engine.strategy == "fsdp2"
        and config[ACTOR.split(".")[0]].actor.fsdp_config.strategy == "fsdp"
    )
    assert config.critic.fsdp.ulysses_sequence_parallel_size == 1


def test_pf_ppo_gives_a_response_the_advantage_of_another():
    from verl import DataProto
    from verl.trainer.ppo.core_algos import compute_pf_ppo_reweight_data

    torch.manual_seed(0)
    scores = torch.eye(8)[:, :4]  # half of the rows have no reward
    data = DataProto.from_dict({"token_level_scores": scores, "advantages": torch.arange(8.0)})
    drawn = compute_pf_ppo_reweight_data(data).batch["advantages"]
    assert len(drawn) == 8 and drawn.tolist() != list(
        range(8)
    )  # which v1 writes to the rows in order


def test_the_page_has_the_table():
    path = ROOT / "scripts/verl_keys.py"
    spec = importlib.util.spec_from_file_location("verl_keys", path)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    page = script.PAGE.read_text(encoding="utf-8")
    assert page == script.filled(page)
    assert page.count("\n| `") == len(DEAD_KEYS)
    assert page.replace("grad_clip", "clip") != script.filled(page.replace("grad_clip", "clip"))
