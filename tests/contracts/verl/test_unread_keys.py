"""Keys that verl 0.9.1 alone never reads, or reads in another case or by another name."""

import asyncio
import importlib.util
import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("verl")
import torch
from tensordict import TensorDict
from verl import DataProto
from verl.trainer.ppo.v1 import trainer_base
from verl.trainer.ppo.v1.trainer_base import PPOTrainer
from verl.utils.config import omega_conf_to_dataclass

VERL = Path(importlib.util.find_spec("verl").origin).parent
ACTOR = "actor_rollout_ref.actor"
MODEL = "actor_rollout_ref.model"
REF = "actor_rollout_ref.ref"
ROLLOUT = "actor_rollout_ref.rollout"
CRITIC = ("recipe=fino1", "size=8b")
shows = pytest.mark.shows


def source(path):
    return (VERL / path).read_text(encoding="utf-8")


# --- what nothing reads


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


UNREAD = {
    "critic.forward_max_token_len_per_gpu": set(),
    "critic.forward_micro_batch_size": set(),
    "critic.forward_micro_batch_size_per_gpu": set(),
    "critic.grad_clip": set(),
    f"{ACTOR}.grad_clip": set(),
    "trainer.esi_redundant_time": set(),
    f"{ROLLOUT}.over_sample_rate": set(),
    f"{ACTOR}.freeze_vision_tower": set(),
    f"{ACTOR}.use_prefix_grouper": {"models/transformers/monkey_patch.py"},  # an argument
    "trainer.balance_batch": {"trainer/sft_trainer_ray.py"},  # of SFT
    "actor_rollout_ref.nccl_timeout": set(),
}


@shows(*UNREAD)
@pytest.mark.parametrize("key", UNREAD)
def test_no_code_of_the_default_trainer_reads_it(key):
    assert readers(key) == UNREAD[key]


@shows("data.tokenizer")
def test_the_tokenizer_is_the_models():
    name = re.compile(r"""(?<!model_)(?:config|data)(?:\.|\.get\(|\[)["']?tokenizer\b""")
    assert [path for path in VERL.rglob("*.py") if name.search(path.read_text("utf-8"))] == []


@shows("data.truncation")
def test_truncation_is_kept_and_not_used():
    assert len(re.findall(r"self\.truncation\b", source("utils/dataset/rl_dataset.py"))) == 1


@shows(
    "algorithm.rollout_correction.loss_type",
    "algorithm.rollout_correction.rollout_is",
    "algorithm.rollout_correction.rollout_rs",
)
def test_bypassed_correction_is_wired_in_the_old_trainer_only():
    assert readers("x.apply_bypass_mode") == {"trainer/ppo/rollout_corr_helper.py"}


@shows("data.reward_fn_key")
def test_a_reward_is_told_the_column_data_source(composed, tmp_path):
    from verl.trainer.ppo.reward import load_reward_manager

    function = tmp_path / "told.py"
    function.write_text(
        "def compute_score(data_source, **_):\n    return {'score': 1, 'it': data_source}\n"
    )
    config = composed("data.reward_fn_key=ability")
    config.reward.reward_manager.name = "naive"
    config.reward.custom_reward_function.update(path=str(function), name="compute_score")

    async def scored():
        manager = load_reward_manager(config, SimpleNamespace(decode=lambda *_, **__: "said"))
        return await manager.run_single(response(ability="maths", data_source="cflue"))

    found = asyncio.run(scored())
    assert found["reward_extra_info"]["it"] == "cflue"


def response(**columns):
    """A response, as a reward manager gets it."""
    ones = torch.ones(1, 4, dtype=torch.long)
    rows = {"reward_model": {"ground_truth": "A"}, "extra_info": {}, **columns}
    return DataProto.from_dict(
        {"responses": ones, "attention_mask": ones},
        non_tensors={name: np.array([value], dtype=object) for name, value in rows.items()},
    )


# --- what is read in another case, or by another name


@shows("trainer.val_only", "trainer.resume_from_path", "trainer.default_hdfs_dir")
def test_what_is_read_in_another_case_only():
    trainer = source("trainer/ppo/v1/trainer_base.py")
    before = trainer.index('self.config.trainer.get("val_before_train", True)')
    only, after = trainer.index('get("val_only", False)'), trainer.index("current_epoch = ")
    assert before < only < after and trainer.count("val_only") == 1
    assert readers("trainer.val_only") == {"trainer/ppo/v1/trainer_base.py"}
    path = trainer.index('elif self.config.trainer.resume_mode == "resume_path"')
    assert path < trainer.index("resume_from_path")
    fsdp = source("utils/checkpoint/fsdp_checkpoint_manager.py")
    assert not re.search(r"hdfs_path\b(?!: (?:str|Unused))", fsdp)


@shows(
    "critic.use_dynamic_bsz",
    "critic.ppo_max_token_len_per_gpu",
)
def test_a_critic_has_its_batches_by_one_key_only(composed):
    text = source("trainer/ppo/v1/trainer_base.py")
    (first,) = re.findall(r"critic_cfg\.engine\.max_token_len_per_gpu = critic_cfg\.(\w+)", text)
    assert first == "ppo_infer_max_token_len_per_gpu"
    assert not re.search(r"critic_cfg\.(ppo_max_token_len_per_gpu|use_dynamic_bsz)", text)
    config = composed(*CRITIC, "critic.ppo_max_token_len_per_gpu=8192")
    assert "ppo_infer_max_token_len_per_gpu" not in config.critic  # so the + before it
    config = composed("+critic.ppo_infer_max_token_len_per_gpu=8192", *CRITIC)
    assert config.critic.ppo_infer_max_token_len_per_gpu == 8192


@shows(f"{MODEL}.lora_rank", f"{MODEL}.lora.rank", f"{MODEL}.lora_adapter_path")
def test_an_adapter_has_a_key_for_each_engine_and_the_reference_asks_for_one_by_both():
    fsdp = source("workers/engine/fsdp/transformer_impl.py")
    assert set(re.findall(r"_is_lora = (.*)", fsdp)) == {"self.model_config.lora_rank > 0"}
    assert re.findall(r"model_config\.lora\.get\((.*?)\)", fsdp) == ['"merge", False']
    # for the reference the adapter is switched off, which a model without one can't
    assert "return self.module.disable_adapter()" in fsdp
    for path in (VERL / "workers/engine/megatron").glob("*.py"):
        assert "lora_rank" not in path.read_text(encoding="utf-8")
    trainer = source("trainer/ppo/v1/trainer_base.py")
    assert 'model.get("lora", {}).get("rank", 0)' in trainer
    assert 'model.get("lora_rank", 0)' in trainer


@shows(f"{ACTOR}.clip_ratio")
@pytest.mark.parametrize("key", ["clip_ratio", "clip_ratio_low"])
def test_clip_ratio_changes_no_loss_and_what_we_name_does(composed, key):
    from verl.trainer.ppo.core_algos import get_policy_loss_fn

    loss = get_policy_loss_fn("vanilla")
    old = torch.zeros(2, 4)
    new, mask = torch.full((2, 4), -1.0), torch.ones(2, 4)

    def with_value(value):
        config = composed(f"{ACTOR}.{key}={value}")
        actor = omega_conf_to_dataclass(config.actor_rollout_ref.actor)
        return loss(old, new, -mask, mask, "token-mean", actor)[0].item()

    assert (with_value(0.2) == with_value(0.3)) == (key == "clip_ratio")


@shows(f"{ROLLOUT}.do_sample", f"{ROLLOUT}.val_kwargs.do_sample", f"{ROLLOUT}.repetition_penalty")
def test_responses_are_drawn_whatever_do_sample_says():
    text = source("trainer/ppo/v1/agent_loop_tq.py")
    assert set(re.findall(r"[\w.]*do_sample\w*", text)) == {"__do_sample__", "do_sample"}
    of_a_row = 'prompt.pop("__do_sample__", True)'
    assert re.findall(r"do_sample = (.*)", text) == [of_a_row]
    assert "repetition_penalty=1.0" in text


@shows(
    f"{ROLLOUT}.log_prob_use_dynamic_bsz",
    f"{ACTOR}.ppo_micro_batch_size",
    f"{ROLLOUT}.log_prob_micro_batch_size",
    f"{REF}.log_prob_micro_batch_size",
    f"{ACTOR}.use_torch_compile",
)
def test_engines_have_what_they_read_by_one_key():
    from verl.workers.engine.utils import prepare_micro_batches

    worker = source("workers/engine_workers.py")
    assert "assert self.config.actor.use_dynamic_bsz == self.config.rollout." in worker
    for name in ("rollout.log_prob_micro_batch_size", "actor.ppo_micro_batch_size"):
        assert f"assert self.config.{name}_per_gpu is not None" in worker
    assert re.search(
        r"infer_micro_batch_size_per_gpu = \(\s+self\.config\.ref\.ppo_\w+_per_gpu", worker
    )
    batch = TensorDict({"x": torch.zeros(2, 1)}, batch_size=2)
    batch.set_non_tensor("use_dynamic_bsz", False)
    batch.set_non_tensor("micro_batch_size_per_gpu", None)
    with pytest.raises(TypeError):
        prepare_micro_batches(batch)
    assert "initialize_global_process_group_ray(timeout_second=None)" in worker
    fsdp = source("workers/engine/fsdp/transformer_impl.py")
    assert re.findall(r"[\w.]+use_torch_compile", fsdp) == ["self.engine_config.use_torch_compile"]


@shows(
    f"{ACTOR}.fsdp_config.strategy",
    "critic.fsdp.strategy",
    "critic.ulysses_sequence_parallel_size",
)
def test_an_engine_is_of_its_roles_strategy(composed, tiny_model):
    config = composed(
        *CRITIC,
        "critic.ulysses_sequence_parallel_size=2",
        f"{ACTOR}.strategy=fsdp2",
        f"{ACTOR}.fsdp_config.strategy=fsdp",
        "critic.strategy=fsdp2",
        "critic.fsdp.strategy=fsdp",
        f"critic.model.path={tiny_model}",
        f"critic.model.tokenizer_path={tiny_model}",
    )
    assert omega_conf_to_dataclass(config.actor_rollout_ref.actor).engine.strategy == "fsdp2"
    critic = omega_conf_to_dataclass(config.critic)
    assert critic.engine.strategy == "fsdp2" and critic.engine.ulysses_sequence_parallel_size == 1


@shows(f"{ACTOR}.optim.total_training_steps")
def test_an_optimizer_has_the_steps_of_the_run(composed, monkeypatch):
    monkeypatch.setattr(trainer_base, "create_rl_dataset", lambda *_, **__: list(range(64)))
    config = composed(f"{ACTOR}.optim.total_training_steps=100", "trainer.total_epochs=2")
    config.data.update(train_batch_size=8, gen_batch_size=None, dataloader_num_workers=0)
    trainer = PPOTrainer.__new__(_Trainer)
    trainer.config, trainer.trainer_mode, trainer.parameter_sync_step = config, "sync", 1
    trainer.tokenizer = trainer.processor = None
    trainer._init_dataloader()
    assert config.actor_rollout_ref.actor.optim.total_training_steps == 2 * 64 // 8


class _Trainer(PPOTrainer):
    """verl's trainer, without what starts Ray."""


_Trainer.__abstractmethods__ = frozenset()
