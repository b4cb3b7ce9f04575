"""The CPU's shorter update against verl's own, on the same micro-batch and the same weights."""

from functools import partial
from types import SimpleNamespace

import pytest

pytest.importorskip("verl")

import torch
from tensordict import TensorDict
from transformers import Qwen2Config, Qwen2ForCausalLM
from verl.utils import tensordict_utils as tu
from verl.workers.config import FSDPActorConfig, OptimizerConfig, PolicyLossConfig
from verl.workers.engine.fsdp import transformer_impl
from verl.workers.engine.fsdp.transformer_impl import FSDPEngineWithLMHead
from verl.workers.utils.losses import ppo_loss
from verl.workers.utils.padding import response_from_nested

from dianjin_ext.hosts.verl.cpu import responses
from dianjin_ext.hosts.verl.cpu.engine import CPUEngineWithLMHead

PROMPTS, RESPONSES = (5, 9, 2, 7), (4, 1, 8, 3)


def nested(rows):
    return torch.nested.as_nested_tensor(rows, layout=torch.jagged)


def micro_batch(*, advantages=(1.0, -0.5, 0.7, -1.2), temperature=1.0, **flags):
    """A micro-batch as verl's trainer makes it: nested, each row its prompt and its response."""
    torch.manual_seed(1)
    prompts = [torch.randint(0, 50, (n,)) for n in PROMPTS]
    answers = [torch.randint(0, 50, (n,)) for n in RESPONSES]
    batch = TensorDict(
        {
            "prompts": nested(prompts),
            "responses": nested(answers),
            "input_ids": nested([torch.cat(pair) for pair in zip(prompts, answers, strict=True)]),
            "position_ids": nested(
                [torch.arange(p + r) for p, r in zip(PROMPTS, RESPONSES, strict=True)]
            ),
            "response_mask": nested([torch.ones(n, dtype=torch.long) for n in RESPONSES]),
            "old_log_probs": nested([-4 + torch.rand(n) for n in RESPONSES]),
            "advantages": nested(
                [torch.full((n,), a) for n, a in zip(RESPONSES, advantages, strict=True)]
            ),
        },
        batch_size=[len(PROMPTS)],
    )
    batch["loss_mask"] = batch["response_mask"]
    given = {"use_remove_padding": False, "dp_size": 1, "batch_num_tokens": sum(RESPONSES)}
    tu.assign_non_tensor(
        batch, temperature=temperature, global_batch_size=len(PROMPTS), **given, **flags
    )
    return batch


def actor(**options):
    mode = options.pop("loss_mode", "vanilla")
    return FSDPActorConfig(
        rollout_n=1,
        ppo_mini_batch_size=4,
        ppo_micro_batch_size_per_gpu=4,
        optim=OptimizerConfig(lr=1e-3),
        policy_loss=PolicyLossConfig(loss_mode=mode),
        **options,
    )


@pytest.fixture(autouse=True)
def on_the_cpu(monkeypatch):
    """Let verl, which looked for a device when it was imported, work in main memory."""
    monkeypatch.setattr(transformer_impl, "get_device_name", lambda: "cpu")
    monkeypatch.setattr(transformer_impl, "get_device_id", lambda: "cpu")


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    config = Qwen2Config(
        vocab_size=50,
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        tie_word_embeddings=True,
    )
    return Qwen2ForCausalLM(config)


def step(kind, model, batch, loss=None):
    """Run an engine's step; returns the loss, verl's output and the gradients."""
    engine = object.__new__(kind)
    engine.module = model
    engine.use_ulysses_sp = engine.pad_to_length = False
    engine.engine_config = SimpleNamespace(entropy_checkpointing=False)
    engine._autocast_dtype = torch.float32
    engine.get_data_parallel_group = lambda: None
    model.zero_grad()
    with torch.set_grad_enabled(loss is not None):
        value, output = engine.forward_step(batch, loss, loss is None)
    if loss is not None:
        value.backward()
    return value, output, [weight.grad for weight in model.parameters()]


@pytest.mark.parametrize("temperature", [1.0, 0.6])
def test_log_probabilities_and_entropies_of_responses_are_verls(model, temperature):
    batch = micro_batch(temperature=temperature, calculate_entropy=True)
    theirs = step(FSDPEngineWithLMHead, model, batch)[1]["model_output"]
    ours = step(CPUEngineWithLMHead, model, batch)[1]["model_output"]
    assert set(ours) == set(theirs) == {"log_probs", "entropy"}
    for name in ours:
        a, b = (
            response_from_nested(output[name], batch["response_mask"]).values()
            for output in (ours, theirs)
        )
        assert len(a) == sum(RESPONSES)
        torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"loss_agg_mode": "seq-mean-token-mean"},
        {"loss_mode": "gspo", "loss_agg_mode": "seq-mean-token-mean"},
        {"loss_mode": "cispo"},
        {"entropy_coeff": 0.1},
        {"loss_agg_mode": "seq-mean-token-sum-norm"},
    ],
)
@pytest.mark.parametrize("advantages", [(1.0, -0.5, 0.7, -1.2), (0, 0.4, 0, -0.4), (0, 0, 0, 0)])
def test_the_gradient_is_verls(model, options, advantages):
    batch = micro_batch(
        advantages=tuple(map(float, advantages)), calculate_entropy="entropy_coeff" in options
    )
    loss = partial(ppo_loss, config=actor(**options))
    value, _, gradients = step(FSDPEngineWithLMHead, model, batch, loss)
    ours, _, found = step(CPUEngineWithLMHead, model, batch, loss)
    torch.testing.assert_close(ours, value, rtol=1e-5, atol=1e-6)
    for a, b in zip(found, gradients, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-6)


def test_rows_without_advantage_are_left_out_where_only_the_policy_counts():
    batch = micro_batch(advantages=(0.0, 0.4, 0.0, -0.4))

    def rows(batch, **options):
        return len(responses.with_gradient(batch, partial(ppo_loss, config=actor(**options))))

    assert rows(batch) == rows(batch, loss_mode="gspo") == 2
    assert rows(micro_batch(advantages=(0.0,) * 4)) == 1  # every rank has to take each step
    assert rows(batch, loss_mode="kl_cov") == 4
    assert rows(batch, use_kl_loss=True) == 4
    assert rows(batch, loss_agg_mode="seq-mean-token-sum-norm") == 4  # divides by the width
    assert rows(batch, loss_agg_mode="seq-mean-token-sum-norm", loss_scale_factor=8) == 2
    assert rows(micro_batch(advantages=(0.0,) * 4, calculate_entropy=True)) == 4


def test_the_head_sees_responses_only(model):
    seen = []
    hook = model.lm_head.register_forward_hook(lambda _, inputs, __: seen.append(inputs[0].shape))
    step(CPUEngineWithLMHead, model, micro_batch())
    hook.remove()
    assert seen == [(4, max(RESPONSES) + 1, 32)]


@pytest.mark.parametrize("case", ["no responses", "packed", "images", "fused"])
def test_other_batches_go_verls_way(model, case):
    batch = micro_batch()
    inputs = dict.fromkeys(("input_ids", "attention_mask", "position_ids"), torch.ones(4, 14))
    assert responses.can_align(model, inputs, batch)
    if case == "no responses":
        batch = batch.exclude("responses")
    elif case == "packed":
        inputs["attention_mask"] = None
    elif case == "images":
        inputs["pixel_values"] = torch.ones(1)
    else:
        tu.assign_non_tensor(batch, use_fused_kernels=True)
    assert not responses.can_align(model, inputs, batch)
