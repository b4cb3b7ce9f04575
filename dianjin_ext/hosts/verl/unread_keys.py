"""More keys that verl 0.9.1 takes in vain: of checkpoints, sampling, engines and the data."""

from typing import Any, Final

from dianjin_ext.hosts.verl.dead_key import DeadKey, Get, unread

__all__ = ["UNREAD_KEYS"]

_ACTOR: Final = "actor_rollout_ref.actor"
_ROLLOUT: Final = "actor_rollout_ref.rollout"
_CONTENTS: Final = ("model", "optimizer", "extra", "hf_model")


def _fsdp(get: Get, role: str = _ACTOR) -> bool:
    return get(f"{role}.strategy") in ("fsdp", "fsdp2")


def _contents(name: str) -> DeadKey:
    key = f"{_ACTOR}.checkpoint.{name}"
    return DeadKey(
        key,
        "a name in it is not one of its four",
        "never read: what it names is neither saved nor loaded",
        ", ".join(_CONTENTS),
        lambda get: not set(get(key) or ()) <= set(_CONTENTS),
    )


def _strategy(engine: str, role: str) -> DeadKey:
    key, other = f"{engine}.strategy", f"{role}.strategy"
    return DeadKey(
        key,
        f"not that of `{other}`, nor verl's own fsdp",
        f"overwritten by {other}",
        other,
        lambda get: get(key) not in (None, "fsdp", get(other)),
    )


def _per_gpu(node: str, name: str) -> DeadKey:
    key = f"{node}.{name}"
    return DeadKey(
        key,
        f"without `{key}_per_gpu`",
        "never read: the engines ask for the other one, and fail once they are started",
        f"{key}_per_gpu",
        lambda get: get(key) is not None and get(f"{key}_per_gpu") is None,
    )


def _corrected(get: Get) -> bool:
    given: Any = get("algorithm.rollout_correction") or {}
    return bool(given.get("rollout_is") or given.get("rollout_rs") or given.get("bypass_mode"))


UNREAD_KEYS: Final[tuple[DeadKey, ...]] = (
    DeadKey(
        "trainer.val_only",
        "true, with `trainer.val_before_train=false`",
        "read only where there is a validation before training: the run trains",
        "trainer.val_before_train=true beside it",
        lambda get: bool(get("trainer.val_only")) and get("trainer.val_before_train") is False,
    ),
    DeadKey(
        "trainer.resume_from_path",
        "without `trainer.resume_mode=resume_path`",
        "never read: the run goes on from the last checkpoint of its own folder, or begins anew",
        "trainer.resume_mode=resume_path beside it",
        lambda get: (
            get("trainer.resume_from_path") is not None
            and get("trainer.resume_mode") != "resume_path"
        ),
    ),
    DeadKey(
        "trainer.default_hdfs_dir",
        "ever, with FSDP",
        "never read: nothing is copied there",
        "a trainer.default_local_dir that is mounted, or `dianjin merge CHECKPOINT hdfs://…`",
        lambda get: get("trainer.default_hdfs_dir") is not None and _fsdp(get),
    ),
    DeadKey(
        f"{_ACTOR}.checkpoint.async_save",
        "true, with FSDP",
        "saves as before, but never notes the newest checkpoint: a run that is killed begins anew",
        "false",
        lambda get: bool(get(f"{_ACTOR}.checkpoint.async_save")) and _fsdp(get),
    ),
    _contents("save_contents"),
    _contents("load_contents"),
    unread(
        f"{_ROLLOUT}.do_sample",
        True,
        f"{_ROLLOUT}.temperature",
        "never read: responses are drawn",
    ),
    DeadKey(
        f"{_ROLLOUT}.val_kwargs.do_sample",
        "true, with a temperature of 0 there",
        "never read: with that temperature validation is greedy",
        f"{_ROLLOUT}.val_kwargs.temperature above 0",
        lambda get: (
            get(f"{_ROLLOUT}.val_kwargs.do_sample") is True
            and get(f"{_ROLLOUT}.val_kwargs.temperature") == 0
        ),
    ),
    unread(f"{_ROLLOUT}.repetition_penalty", 1.0, "leave it out", "never read: it is always 1.0"),
    DeadKey(
        f"{_ROLLOUT}.calculate_log_probs",
        "false, with a correction or `bypass_mode`",
        "nothing is corrected, and with bypass_mode the first step fails",
        f"{_ROLLOUT}.calculate_log_probs=true",
        lambda get: get(f"{_ROLLOUT}.calculate_log_probs") is False and _corrected(get),
    ),
    DeadKey(
        f"{_ROLLOUT}.log_prob_use_dynamic_bsz",
        f"not that of `{_ACTOR}.use_dynamic_bsz`",
        "fails when the model is loaded: both passes have batches of one kind",
        f"{_ACTOR}.use_dynamic_bsz for both",
        lambda get: (
            bool(get(f"{_ROLLOUT}.log_prob_use_dynamic_bsz"))
            != bool(get(f"{_ACTOR}.use_dynamic_bsz"))
        ),
    ),
    _per_gpu(_ACTOR, "ppo_micro_batch_size"),
    _per_gpu(_ROLLOUT, "log_prob_micro_batch_size"),
    _per_gpu("actor_rollout_ref.ref", "log_prob_micro_batch_size"),
    DeadKey(
        f"{_ACTOR}.use_torch_compile",
        f"false, where `{_ACTOR}.fsdp_config.use_torch_compile` is true",
        "never read",
        f"{_ACTOR}.fsdp_config.use_torch_compile",
        lambda get: (
            get(f"{_ACTOR}.use_torch_compile") is False
            and get(f"{_ACTOR}.fsdp_config.use_torch_compile") is True
        ),
    ),
    _strategy(f"{_ACTOR}.fsdp_config", _ACTOR),
    _strategy("critic.fsdp", "critic"),
    DeadKey(
        "critic.ulysses_sequence_parallel_size",
        "not 1, with a critic and FSDP",
        "never read",
        "critic.fsdp.ulysses_sequence_parallel_size",
        lambda get: (
            bool(get("critic.on"))
            and _fsdp(get, "critic")
            and get("critic.ulysses_sequence_parallel_size") not in (None, 1)
        ),
    ),
    unread(
        f"{_ACTOR}.optim.total_training_steps",
        -1,
        "trainer.total_training_steps",
        "overwritten with the steps of the run",
    ),
    unread(
        "actor_rollout_ref.nccl_timeout",
        600,
        "leave it out",
        "never read: the time is always PyTorch's own",
    ),
    unread(
        "algorithm.use_pf_ppo",
        False,
        "leave it out",
        "gives responses the advantages of others (gae), or does nothing",
    ),
    unread(
        "data.reward_fn_key",
        "data_source",
        "a column of that name",
        "never read: it is always data_source",
    ),
    unread("data.tokenizer", None, "actor_rollout_ref.model.tokenizer_path"),
    DeadKey(
        "reward.reward_model.enable_resource_pool",
        "true, without a reward model",
        "its GPUs are set apart for nothing, and without a number of them the run ends",
        "reward.reward_model.enable=true beside it",
        lambda get: (
            bool(get("reward.reward_model.enable_resource_pool"))
            and not get("reward.reward_model.enable")
        ),
    ),
)
"""In the order of a run's life: when it starts, what it saves, how it samples and computes."""
