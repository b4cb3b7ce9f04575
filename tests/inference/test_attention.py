"""Attention of single tokens, against what transformers computes without it."""

import copy

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from dianjin_ext.inference import attention  # noqa: E402
from dianjin_ext.inference.sampling import Request, generate  # noqa: E402

SIZES = {
    "vocab_size": 64,
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "head_dim": 8,
    "initializer_range": 0.5,  # peaked distributions, so that a wrong position would show
}
MODELS = {
    "grouped": lambda: transformers.Qwen2Config(**SIZES, num_key_value_heads=2),
    "one a head": lambda: transformers.LlamaConfig(**SIZES, num_key_value_heads=4),
    "a window": lambda: transformers.Qwen2Config(
        **SIZES,
        num_key_value_heads=1,
        use_sliding_window=True,
        sliding_window=6,
        max_window_layers=1,
    ),
    "a scale of its own": lambda: transformers.GraniteConfig(
        **{name: size for name, size in SIZES.items() if name != "head_dim"},
        num_key_value_heads=2,
        attention_multiplier=0.2,
    ),
}
PROMPTS = [(5, 6, 7, 8), (9, 10), (11, 12, 13, 14, 15, 16, 17)]


@pytest.mark.parametrize("kind", MODELS)
def test_what_is_sampled_is_what_transformers_samples(kind):
    torch.manual_seed(0)
    plain = transformers.AutoModelForCausalLM.from_config(MODELS[kind]()).eval()
    ours = copy.deepcopy(plain)
    attention.use(ours)
    assert ours.config._attn_implementation != plain.config._attn_implementation == "sdpa"
    asked = [Request(p, max_tokens=24, seed=str(copy)) for p in PROMPTS for copy in range(4)]
    for a, b in zip(
        generate(ours, asked, eos_ids=[1]), generate(plain, asked, eos_ids=[1]), strict=True
    ):
        assert a.tokens == b.tokens
        assert a.log_probs == pytest.approx(b.log_probs, abs=1e-4)


def test_one_row_without_a_mask():
    torch.manual_seed(0)
    module = torch.nn.Module()
    module.num_key_value_groups = 2
    query, key, value = (torch.randn(1, heads, n, 8) for heads, n in ((4, 1), (2, 5), (2, 5)))
    with torch.no_grad():
        ours, _ = attention.attend(module, query, key, value, None, scaling=0.3)
        theirs, _ = attention.sdpa_attention_forward(module, query, key, value, None, scaling=0.3)
    torch.testing.assert_close(ours, theirs)


def test_a_model_with_attention_of_its_own_keeps_it():
    config = MODELS["grouped"]()
    model = transformers.AutoModelForCausalLM.from_config(config, attn_implementation="eager")
    attention.use(model)
    assert model.config._attn_implementation == "eager"
