"""LoRA on the CPU: the rollout samples from the actor's weights, adapter included."""

import pytest

pytest.importorskip("verl")
pytest.importorskip("peft")

import torch
from peft import LoraConfig, get_peft_model, get_peft_model_state_dict
from transformers import AutoModelForCausalLM

from dianjin_ext.hosts.verl.cpu.adapter import weights_with_adapter


@pytest.mark.parametrize(
    "kind",
    [
        {},
        {"use_rslora": True, "rank_pattern": {"q_proj": 2}, "alpha_pattern": {"q_proj": 3}},
        {"use_dora": True, "target_modules": ["q_proj", "down_proj"]},
        {"target_modules": ["embed_tokens", "v_proj"], "modules_to_save": ["lm_head"]},
        {"init_lora_weights": "pissa"},
    ],
    ids=["plain", "scaled", "dora", "embedding", "pissa"],
)
def test_the_weights_are_those_of_the_model_with_its_adapter(tiny_model, kind):
    model = AutoModelForCausalLM.from_pretrained(tiny_model)
    start = {name: weight.clone() for name, weight in model.state_dict().items()}
    given = {"r": 4, "lora_alpha": 16, "target_modules": "all-linear", "task_type": "CAUSAL_LM"}
    trained = get_peft_model(model, LoraConfig(**{**given, **kind}))
    torch.manual_seed(1)
    with torch.no_grad():
        for name, weight in trained.named_parameters():
            if "lora_" in name or "modules_to_save" in name:
                weight.add_(torch.rand_like(weight) / 10)
    expected = trained.eval()(torch.arange(40)[None]).logits
    base = AutoModelForCausalLM.from_pretrained(tiny_model)
    if kind.get("init_lora_weights"):  # it moves a part of the weights into the adapter
        layers = trained.state_dict().items()
        base.load_state_dict(
            {
                name.removeprefix("base_model.model.").replace(".base_layer.", "."): weight
                for name, weight in layers
                if ".lora_" not in name
            }
        )
        start = {name: weight.clone() for name, weight in base.state_dict().items()}
    weights = weights_with_adapter(
        base,
        trained.peft_config["default"].to_dict(),
        get_peft_model_state_dict(trained),
    )
    assert all(torch.equal(weight, start[name]) for name, weight in base.state_dict().items())
    alone = base.eval()(torch.arange(40)[None]).logits
    base.load_state_dict(weights)
    merged = base(torch.arange(40)[None]).logits
    assert (alone - expected).abs().max() > 0.1
    assert (merged - expected).abs().max() < 1e-4


def test_an_adapter_of_another_model_is_refused(tiny_model):
    model = AutoModelForCausalLM.from_pretrained(tiny_model)
    config = LoraConfig(r=4, target_modules=["q_proj"], task_type="CAUSAL_LM")
    trained = get_peft_model(model, config)
    adapter = get_peft_model_state_dict(trained)
    name, weight = adapter.popitem()
    base = AutoModelForCausalLM.from_pretrained(tiny_model)
    with pytest.raises(RuntimeError, match=r"missing \['base_model.*lora_B"):
        weights_with_adapter(base, config.to_dict(), adapter)
    wrong = {**adapter, name: weight, name.replace("q_proj", "o_proj"): weight}
    with pytest.raises(RuntimeError, match=r"unexpected \['base_model.*o_proj"):
        weights_with_adapter(base, config.to_dict(), wrong)


LORA = (
    "actor_rollout_ref.model.lora_rank=8",
    "actor_rollout_ref.model.lora_alpha=16",
    "actor_rollout_ref.actor.optim.lr=1e-2",
    "actor_rollout_ref.actor.use_kl_loss=true",  # the reference is the actor without adapter
    "trainer.n_gpus_per_node=2",
    "trainer.total_training_steps=2",
    "trainer.val_before_train=false",
    "trainer.test_freq=-1",
)


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.parametrize(
    "how",
    [
        (),
        (
            "actor_rollout_ref.rollout.load_format=safetensors",
            "actor_rollout_ref.rollout.layered_summon=true",
        ),
    ],
    ids=["all-sent", "adapter-alone"],
)
def test_the_rollout_samples_from_the_adapted_model(
    run_verl, assert_learned_on_policy, tmp_path, how
):
    steps = run_verl(tmp_path, *LORA, *how)
    for step in steps.values():
        assert_learned_on_policy(step)
    # far enough from the reference that sampling from it would show
    assert steps[1]["actor/kl_loss"] < 1e-6 and steps[2]["actor/kl_loss"] > 1e-2


@pytest.mark.slow
@pytest.mark.long
def test_merged_weights_are_sent_rounded(run_verl, tmp_path):
    steps = run_verl(tmp_path, *LORA, "actor_rollout_ref.model.lora.merge=true")
    assert steps[2]["actor/kl_loss"] > 1e-2
    assert 1e-6 < steps[2]["training/rollout_probs_diff_max"] < 0.05  # bf16
