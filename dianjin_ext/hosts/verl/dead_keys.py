"""Keys that verl 0.9.1 takes and never reads, or that let a run fail late: each with what works.

Of the default trainer (`trainer.use_v1`); the old one reads some of them. `docs/verl_keys.md` has
the table, written by `scripts/verl_keys.py`.
"""

from collections.abc import Iterator
from typing import Any, Final

from dianjin_ext.hosts.verl.batch_check import has_critic
from dianjin_ext.hosts.verl.dead_key import DeadKey, Get, unread
from dianjin_ext.hosts.verl.unread_keys import UNREAD_KEYS

__all__ = ["DEAD_KEYS", "dead_key_problems"]

_ACTOR: Final = "actor_rollout_ref.actor"
_MODEL: Final = "actor_rollout_ref.model"
_ROLLOUT: Final = "actor_rollout_ref.rollout"
_CORRECTION: Final = "algorithm.rollout_correction"
_TOKENS: Final = "never read: a critic's batches always have 32,768 tokens"
_CRITIC_TOKENS: Final = (
    "+critic.ppo_infer_max_token_len_per_gpu=N bounds its batches, of training too"
)
_NO_ADAPTER: Final = (
    "no adapter is made: the whole model is trained, or, with a reference, the first step fails"
)
_LEAVE: Final = "leave it out"
_RS: Final = (
    *("token_k1", "token_k2", "token_k3", "seq_sum_k1", "seq_sum_k2", "seq_sum_k3"),
    *("seq_mean_k1", "seq_mean_k2", "seq_mean_k3", "seq_max_k2", "seq_max_k3"),
)


def _of_critic(name: str, other: str | int) -> DeadKey:
    key = f"critic.{name}"

    def is_set(get: Get) -> bool:
        expected = get(other) if isinstance(other, str) else other
        return bool(get("critic.on")) and get(key) not in (None, expected)

    return DeadKey(
        key,
        f"with a critic, not {f'that of `{other}`' if isinstance(other, str) else other}",
        _TOKENS,
        _CRITIC_TOKENS,
        is_set,
    )


def _adapter(get: Get) -> bool:
    return bool(get(f"{_MODEL}.lora_rank") or get(f"{_MODEL}.lora_adapter_path"))


def _megatron(get: Get) -> bool:
    return bool(get(f"{_ACTOR}.strategy") == "megatron")


def _colocated(get: Get) -> bool:
    model = "reward.reward_model"
    return bool(get(f"{model}.enable")) and not get(f"{model}.enable_resource_pool")


def _bypassed(key: str, default: Any) -> DeadKey:
    def is_set(get: Get) -> bool:
        bypass = get(f"{_CORRECTION}.bypass_mode")
        wired = get(f"{_ACTOR}.policy_loss.loss_mode") == "bypass_mode"
        return bool(bypass) and not wired and get(key) not in (None, default)

    return DeadKey(
        key,
        "with `bypass_mode=true`" + (f", not {default}" if default else ""),
        "never read: the loss stays the plain one",
        f"{_CORRECTION}.bypass_mode=false, or {_ACTOR}.policy_loss.loss_mode=bypass_mode with "
        f"+{_ACTOR}.policy_loss.rollout_correction.*",
        is_set,
    )


def _one_checkpoint(key: str, value: int | bool) -> DeadKey:
    return DeadKey(
        key,
        f"{str(value).lower()}",
        "the last checkpoint is deleted before the next one is whole: a run that is killed in "
        "between can't go on",
        "2 and more of trainer.max_actor_ckpt_to_keep and trainer.max_critic_ckpt_to_keep",
        lambda get: type(get(key)) is type(value) and get(key) == value,
    )


def _unknown_rs(get: Get) -> bool:
    given = get(f"{_CORRECTION}.rollout_rs")
    names = [name.strip() for name in str(given).split(",")]
    return given is not None and not set(names) <= set(_RS)


DEAD_KEYS: Final[tuple[DeadKey, ...]] = (
    DeadKey(
        "critic.use_dynamic_bsz",
        f"false with a critic, where `{_ACTOR}.use_dynamic_bsz` is true",
        _TOKENS,
        _CRITIC_TOKENS,
        lambda get: (
            bool(get("critic.on") and get(f"{_ACTOR}.use_dynamic_bsz"))
            and get("critic.use_dynamic_bsz") is False
        ),
    ),
    _of_critic("ppo_max_token_len_per_gpu", 32768),
    _of_critic("forward_max_token_len_per_gpu", "critic.ppo_max_token_len_per_gpu"),
    _of_critic("forward_micro_batch_size", "critic.ppo_micro_batch_size"),
    _of_critic("forward_micro_batch_size_per_gpu", "critic.ppo_micro_batch_size_per_gpu"),
    unread(f"{_ACTOR}.grad_clip", 1.0, f"{_ACTOR}.optim.clip_grad"),
    unread("critic.grad_clip", 1.0, "critic.optim.clip_grad"),
    unread(
        f"{_ACTOR}.clip_ratio",
        0.2,
        f"{_ACTOR}.clip_ratio_low and .clip_ratio_high",
        "read only where those two are null; they are 0.2",
    ),
    _bypassed(f"{_CORRECTION}.loss_type", "ppo_clip"),
    _bypassed(f"{_CORRECTION}.rollout_is", None),
    _bypassed(f"{_CORRECTION}.rollout_rs", None),
    DeadKey(
        f"{_CORRECTION}.rollout_rs",
        "not one of its names",
        "fails at the first step",
        ", ".join(_RS),
        _unknown_rs,
    ),
    unread("trainer.esi_redundant_time", 0, "trainer.save_freq"),
    unread("trainer.balance_batch", True, _LEAVE, "never read: batches are balanced"),
    DeadKey(
        "data.truncation",
        "right or middle",
        "never read: long prompts lose their beginning, with a warning",
        "data.filter_overlong_prompts=true, or a larger data.max_prompt_length",
        lambda get: get("data.truncation") not in (None, "error", "left"),
    ),
    unread(f"{_ROLLOUT}.over_sample_rate", 0, _LEAVE),
    unread(f"{_ACTOR}.use_prefix_grouper", False, _LEAVE),
    unread(f"{_ACTOR}.freeze_vision_tower", False, _LEAVE),
    DeadKey(
        f"{_ACTOR}.optim.lr_scheduler_type",
        "not constant or cosine",
        "refused by verl too, without the names",
        "constant, cosine",
        lambda get: get(f"{_ACTOR}.optim.lr_scheduler_type") not in (None, "constant", "cosine"),
    ),
    DeadKey(
        f"{_ROLLOUT}.stop",
        "ever",
        "fails when the rollout starts: there is no such key",
        "eos_token_id in the generation_config.json of the model's folder",
        lambda get: get(f"{_ROLLOUT}.stop") is not None,
    ),
    DeadKey(
        "reward.reward_model.enable_resource_pool",
        "false, with a reward model and a reward function of one's own or filter_groups",
        "the function is called without data source and gold answer, and each row fails",
        "reward.reward_model.enable_resource_pool=true, or a judge at a URL (docs/judge.md)",
        lambda get: (
            _colocated(get)
            and bool(
                get("reward.custom_reward_function.path") or get("algorithm.filter_groups.enable")
            )
        ),
    ),
    _one_checkpoint("trainer.max_actor_ckpt_to_keep", 1),
    _one_checkpoint("trainer.max_critic_ckpt_to_keep", 1),
    _one_checkpoint("trainer.remove_previous_ckpt_in_save", True),
    DeadKey(
        f"{_MODEL}.lora_rank",
        "above 0, with Megatron",
        _NO_ADAPTER,
        f"{_MODEL}.lora.rank",
        lambda get: bool(get(f"{_MODEL}.lora_rank")) and _megatron(get),
    ),
    DeadKey(
        f"{_MODEL}.lora.rank",
        "above 0, with FSDP",
        _NO_ADAPTER,
        f"{_MODEL}.lora_rank",
        lambda get: bool(get(f"{_MODEL}.lora.rank")) and not _megatron(get),
    ),
    DeadKey(
        f"{_MODEL}.lora_adapter_path",
        "without a rank, with FSDP",
        _NO_ADAPTER,
        f"{_MODEL}.lora_rank beside it",
        lambda get: (
            get(f"{_MODEL}.lora_adapter_path") is not None
            and not get(f"{_MODEL}.lora_rank")
            and not _megatron(get)
        ),
    ),
    DeadKey(
        f"{_ROLLOUT}.n",
        "1, with filter_groups",
        "a group of one is never filtered: filter_groups does nothing",
        "2 and more, or no method dapo with PPO",
        lambda get: bool(get("algorithm.filter_groups.enable")) and get(f"{_ROLLOUT}.n") == 1,
    ),
    DeadKey(
        f"{_ACTOR}.checkpoint.save_contents",
        "hf_model in it, with LoRA",
        "what is saved has an adapter's names, and nothing loads it",
        "leave hf_model out and run `dianjin merge --merge-lora` (method/lora.yaml)",
        lambda get: (
            _adapter(get) and "hf_model" in (get(f"{_ACTOR}.checkpoint.save_contents") or ())
        ),
    ),
    *UNREAD_KEYS,
)


def dead_key_problems(config: Any) -> Iterator[str]:
    """Yield a line for each key of a composed configuration that is set in vain."""
    from omegaconf import OmegaConf

    def get(key: str) -> Any:
        return has_critic(config) if key == "critic.on" else OmegaConf.select(config, key)

    if not get("trainer.use_v1"):
        return
    for dead in DEAD_KEYS:
        if dead.is_set(get):
            yield f"{dead.key}={get(dead.key)}: {dead.effect}; use {dead.instead}"
