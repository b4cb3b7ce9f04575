"""Streaming, /tokenize, logit_bias and token ids of the local server, over HTTP."""

import json
import urllib.error
import urllib.request

import pytest

from dianjin_ext.inference.server import serving

pytest.importorskip("aiohttp")
openai = pytest.importorskip("openai")
pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

ASKED = [{"role": "user", "content": "Which tax is paid? 税"}]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    from dianjin_ext.quickstart.model import build_model, build_tokenizer

    folder = tmp_path_factory.mktemp("model") / "tiny"
    tokenizer = build_tokenizer(["Which tax is paid?", "税是什么？"] * 4, vocabulary=300)
    tokenizer.save_pretrained(folder)
    build_model(tokenizer, hidden=32, layers=2, seed=0).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def url(tiny, tmp_path_factory):
    with serving(tiny, log=tmp_path_factory.mktemp("log") / "log", engine="local") as url:
        yield url


@pytest.fixture(scope="module")
def client(url):
    with openai.OpenAI(base_url=url, api_key="EMPTY", max_retries=0) as client:
        yield client


def post(url, path, **body):
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(
        url.removesuffix("/v1") + path, json.dumps(body).encode(), headers
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_the_pieces_are_the_reply(client, temperature):
    given = {"model": "tiny", "messages": ASKED, "max_tokens": 40, "seed": 3, "n": 2}
    given |= {"temperature": temperature}
    whole = client.chat.completions.create(**given)
    events = list(
        client.chat.completions.create(**given, stream=True, stream_options={"include_usage": True})
    )
    assert len(events) > 20  # as they are drawn, not all at the end
    texts, reasons = ["", ""], [None, None]
    for event in events[:-1]:
        (choice,) = event.choices
        texts[choice.index] += choice.delta.content or ""
        reasons[choice.index] = choice.finish_reason or reasons[choice.index]
    assert texts == [choice.message.content for choice in whole.choices]
    assert reasons == [choice.finish_reason for choice in whole.choices]
    assert events[-1].choices == [] and events[-1].usage == whole.usage
    assert len({event.id for event in events}) == 1


def test_a_stop_text_is_never_shown_not_even_its_beginning(client):
    given = {"model": "tiny", "messages": ASKED, "max_tokens": 40, "temperature": 0}
    text = client.chat.completions.create(**given).choices[0].message.content
    stop = next(text[i : i + 3] for i in range(2, 30) if text.index(text[i : i + 3]) == i)
    events = list(client.chat.completions.create(**given, stop=[stop, "never"], stream=True))
    shown = "".join(event.choices[0].delta.content or "" for event in events)
    assert shown == text[: text.index(stop)]
    assert events[-1].choices[0].finish_reason == "stop"


def test_completions_are_streamed_too_and_who_leaves_disturbs_nobody(client):
    given = {"model": "tiny", "prompt": "税", "max_tokens": 60, "temperature": 0}
    whole = client.completions.create(**given).choices[0].text
    with client.completions.create(**given, stream=True) as events:
        next(iter(events))
    events = client.completions.create(**given, stream=True)
    assert "".join(event.choices[0].text for event in events) == whole


def test_what_it_cannot_stream_it_refuses(client):
    given = {"model": "tiny", "messages": ASKED, "stream": True}
    with pytest.raises(openai.BadRequestError, match="logprobs are not streamed"):
        client.chat.completions.create(**given, logprobs=True)


def test_tokens_of_messages_and_of_a_prompt(url, tiny):
    tokenizer = transformers.AutoTokenizer.from_pretrained(tiny)
    for prompted in (True, False):
        expected = tokenizer.apply_chat_template(
            ASKED, add_generation_prompt=prompted, return_dict=False
        )
        asked = {"messages": ASKED, "add_generation_prompt": prompted, "return_token_strs": True}
        status, found = post(url, "/tokenize", model="tiny", **asked)
        assert status == 200
        assert found == {
            "count": len(expected),
            "max_model_len": 2048,
            "tokens": expected,
            "token_strs": tokenizer.convert_ids_to_tokens(expected),
        }
    _, found = post(url, "/tokenize", prompt="税 x")
    assert found["tokens"] == tokenizer("税 x")["input_ids"]
    for body, words in (({}, "one of them"), ({"prompt": "x", "mesages": []}, "mesages")):
        status, found = post(url, "/tokenize", **body)
        assert status == 400 and words in found["error"]["message"]


def test_a_bias_on_a_token_decides_what_is_drawn(client, tiny):
    tokenizer = transformers.AutoTokenizer.from_pretrained(tiny)
    letter = tokenizer.convert_tokens_to_ids("A")
    given = {"model": "tiny", "messages": ASKED, "max_tokens": 4, "temperature": 0}
    given["extra_body"] = {"return_token_ids": True}
    reply = client.chat.completions.create(**given, logit_bias={str(letter): 100})
    assert reply.choices[0].token_ids == [letter] * 4
    assert reply.choices[0].message.content == "AAAA"
    reply = client.chat.completions.create(**given, logit_bias={str(tokenizer.eos_token_id): 100})
    assert reply.choices[0].finish_reason == "stop"
    assert reply.choices[0].token_ids == [tokenizer.eos_token_id]
    with pytest.raises(openai.BadRequestError, match="there is no token 99999"):
        client.chat.completions.create(**given, logit_bias={"99999": 1})
