"""A classifier in a local server: vLLM's `/classify`, over HTTP."""

import asyncio
import json
import urllib.error
import urllib.request

import pytest

pytest.importorskip("aiohttp")
pytest.importorskip("torch")
pytest.importorskip("transformers")

import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from dianjin_ext.inference.classifier import Classified, Classifier, classify, is_classifier
from dianjin_ext.inference.server import serving

TEXTS = ["增值税\n增值税", "企业所得税\n增值税", "x"]


@pytest.fixture(scope="module")
def url(tiny_verifier, tmp_path_factory):
    with serving(tiny_verifier, log=tmp_path_factory.mktemp("log") / "log", engine="local") as url:
        yield url.removesuffix("/v1")


def post(url, path="/classify", **body):
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(url + path, json.dumps(body).encode(), headers)
    try:
        with urllib.request.urlopen(request, timeout=300) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


@pytest.fixture(scope="module")
def expected(tiny_verifier):
    """The logits of each text, by transformers alone."""
    model = AutoModelForSequenceClassification.from_pretrained(tiny_verifier)
    tokenizer = AutoTokenizer.from_pretrained(tiny_verifier)
    with torch.no_grad():
        return [model(**tokenizer(text, return_tensors="pt")).logits[0] for text in TEXTS]


def test_the_reply_is_vllms(url, expected):
    status, reply = post(url, model="verifier", input=TEXTS)
    assert status == 200
    assert reply.keys() == {"id", "object", "created", "model", "data", "usage"}
    assert (reply["object"], reply["model"]) == ("list", "verifier")
    assert reply["id"].startswith("classify-")
    assert [row["index"] for row in reply["data"]] == [0, 1, 2]
    for row, logits in zip(reply["data"], expected, strict=True):
        assert row["probs"] == pytest.approx(logits.softmax(-1).tolist(), abs=1e-5)
        assert row["num_classes"] == 2
        assert row["label"] == ["wrong", "right"][int(logits.argmax())]
    assert [row["label"] for row in reply["data"][:2]] == ["right", "wrong"]
    usage = reply["usage"]
    assert usage["prompt_tokens"] == usage["total_tokens"] > 0 == usage["completion_tokens"]


def test_one_text_logits_and_tokens(url, expected):
    _, one = post(url, input=TEXTS[0], use_activation=False)
    assert one["data"][0]["probs"] == pytest.approx(expected[0].tolist(), abs=1e-4)
    _, tokens = post(url, "/tokenize", prompt=TEXTS[0])
    for given in (tokens["tokens"], [tokens["tokens"]]):
        _, same = post(url, input=given, use_activation=False)
        assert same["data"][0]["probs"] == one["data"][0]["probs"]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "input"),
        ({"input": ""}, "0 tokens"),
        ({"input": []}, "expected a text"),
        ({"input": ["x", ""]}, "0 tokens"),
        ({"input": "税" * 9000}, "expected 1 to 512"),
        ({"input": [[1, 99999]]}, "expected tokens from 0 to"),
        ({"input": "x", "truncate_prompt_tokens": 3}, "truncate_prompt_tokens"),
        ({"input": {"text": "x"}}, "input"),
    ],
)
def test_what_it_refuses(url, body, message):
    status, reply = post(url, **body)
    assert status == 400
    assert message in reply["error"]["message"]


def test_it_is_no_chat_model(url):
    status, reply = post(url, "/v1/chat/completions", messages=[{"role": "user", "content": "x"}])
    assert status == 404
    assert reply["error"]["message"] == "verifier is a classifier; ask it at /classify"


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        ({"problem_type": "single_label_classification"}, lambda logits: logits.softmax(-1)),
        ({"problem_type": "multi_label_classification"}, lambda logits: logits.sigmoid()),
        ({"problem_type": "regression"}, lambda logits: logits),
    ],
)
def test_probabilities_follow_the_problem_type(tiny_verifier, tmp_path, own, expected):
    model = AutoModelForSequenceClassification.from_pretrained(tiny_verifier, **own)
    model.save_pretrained(tmp_path)
    tokenizer = AutoTokenizer.from_pretrained(tiny_verifier)
    tokenizer.save_pretrained(tmp_path)
    assert is_classifier(tmp_path)
    reply = asyncio.run(classify(Classified(input=TEXTS[0]), Classifier(tmp_path), "m"))
    logits = model(**tokenizer(TEXTS[0], return_tensors="pt")).logits[0]
    assert reply["data"][0]["probs"] == pytest.approx(expected(logits).tolist(), abs=1e-5)


def test_the_last_token_decides_also_where_it_is_the_one_that_fills(tiny_verifier):
    classifier = Classifier(tiny_verifier)
    tokens = classifier.tokenizer(TEXTS[0])["input_ids"]
    filled = [*tokens, classifier.tokenizer.pad_token_id]
    model = AutoModelForSequenceClassification.from_pretrained(tiny_verifier)
    hidden = model.model(torch.tensor([filled])).last_hidden_state[0, -1]
    (found,) = asyncio.run(classifier.scores([filled], activate=False))
    assert found == pytest.approx(model.score(hidden).tolist(), abs=1e-4)
    assert found != pytest.approx(model(torch.tensor([filled])).logits[0].tolist(), abs=1e-4)


def test_what_is_a_classifier(tiny_verifier, tmp_path):
    assert is_classifier(tiny_verifier)
    for config in ("{}", '{"architectures": ["Qwen2ForCausalLM"]}', '{"architectures": null}'):
        (tmp_path / "config.json").write_text(config, encoding="utf-8")
        assert not is_classifier(tmp_path)
