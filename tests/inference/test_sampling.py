"""Sampling for the CPU rollout, against the model it samples from."""

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from dianjin_ext.inference.sampling import Request, generate  # noqa: E402

VOCABULARY, EOS = 64, 1
PROMPTS = [(5, 6, 7, 8), (9, 10), (11, 12, 13, 14, 15, 16, 17)]


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return transformers.Qwen2ForCausalLM(
        transformers.Qwen2Config(
            vocab_size=VOCABULARY,
            hidden_size=32,
            intermediate_size=64,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            initializer_range=0.5,  # peaked distributions, so that a wrong position would show
        )
    ).eval()


@torch.no_grad()
def logits_of(model, prompt, response):
    """The model's logits at each token of the response: no padding, no cache, no batch."""
    ids = torch.tensor([[*prompt, *response]])
    return model(ids).logits[0, len(prompt) - 1 : -1].float()


def requests(copies=8, **options):
    options = {"max_tokens": 24, **options}
    return [
        Request(prompt, seed=f"{copy}", **options) for prompt in PROMPTS for copy in range(copies)
    ]


@pytest.mark.parametrize("temperature", [1.0, 0.6])
def test_log_probs_are_the_models_own(model, temperature):
    asked = requests(temperature=temperature)
    for request, response in zip(asked, generate(model, asked, eos_ids=[EOS]), strict=True):
        logits = logits_of(model, request.prompt, response.tokens) / temperature
        expected = logits.log_softmax(-1).gather(-1, torch.tensor(response.tokens)[:, None])[:, 0]
        torch.testing.assert_close(torch.tensor(response.log_probs), expected, atol=1e-4, rtol=1e-4)


def test_responses_end_at_eos_or_at_their_own_limit(model):
    asked = [
        Request(prompt, max_tokens=limit, seed=f"{copy}")
        for prompt in PROMPTS
        for limit in (1, 5, 40)
        for copy in range(8)
    ]
    responses = generate(model, asked, eos_ids=[EOS])
    for request, response in zip(asked, responses, strict=True):
        assert len(response.tokens) == len(response.log_probs) <= request.max_tokens
        assert EOS not in response.tokens[:-1]
        assert response.finished == (response.tokens[-1] == EOS)
        assert response.finished or len(response.tokens) == request.max_tokens
    assert {response.finished for response in responses} == {True, False}


def test_temperature_zero_is_greedy(model):
    for request, response in zip(
        requests(1, temperature=0.0),
        generate(model, requests(1, temperature=0.0), eos_ids=[EOS]),
        strict=True,
    ):
        ids = torch.tensor([request.prompt])
        greedy = model.generate(
            ids,
            attention_mask=torch.ones_like(ids),
            max_new_tokens=24,
            do_sample=False,
            eos_token_id=EOS,
            pad_token_id=0,
        )
        assert response.tokens == greedy[0, len(request.prompt) :].tolist()


@pytest.mark.parametrize("options", [{"top_k": 3}, {"top_p": 0.7}, {"top_k": 5, "top_p": 0.5}])
def test_truncation_matches_transformers(model, options):
    from transformers import LogitsProcessorList, TopKLogitsWarper, TopPLogitsWarper

    warpers = LogitsProcessorList()
    if "top_k" in options:
        warpers.append(TopKLogitsWarper(options["top_k"]))
    if "top_p" in options:
        warpers.append(TopPLogitsWarper(options["top_p"]))
    asked = requests(**options)
    for request, response in zip(asked, generate(model, asked, eos_ids=[EOS]), strict=True):
        logits = warpers(None, logits_of(model, request.prompt, response.tokens))
        expected = logits.log_softmax(-1).gather(-1, torch.tensor(response.tokens)[:, None])[:, 0]
        assert torch.isfinite(expected).all()  # nothing outside the truncation was drawn
        torch.testing.assert_close(torch.tensor(response.log_probs), expected, atol=1e-4, rtol=1e-4)


def test_draws_follow_the_distribution(model):
    draws = 4000
    asked = [Request(PROMPTS[0], max_tokens=1, seed=f"{i}") for i in range(draws)]
    drawn = torch.tensor([r.tokens[0] for r in generate(model, asked, eos_ids=[EOS])])
    expected = logits_of(model, PROMPTS[0], [0])[0].softmax(-1)
    frequency = drawn.bincount(minlength=VOCABULARY) / draws
    # 5 standard deviations of a binomial proportion
    tolerance = 5 * (expected * (1 - expected) / draws).sqrt() + 1 / draws
    assert ((frequency - expected).abs() <= tolerance).all()


def test_a_response_depends_on_its_seed_and_not_on_its_batch(model):
    together = generate(model, requests(), eos_ids=[EOS])
    shuffled = generate(model, requests()[::-1], eos_ids=[EOS])[::-1]
    alone = [generate(model, [request], eos_ids=[EOS])[0] for request in requests()]
    assert [r.tokens for r in together] == [r.tokens for r in shuffled]
    assert [r.tokens for r in together] == [r.tokens for r in alone]
    assert len({tuple(r.tokens) for r in together[:8]}) > 1  # copies of a prompt differ
