"""A teacher on a real socket, and how to ask it."""

import json
import urllib.error
import urllib.request

import pytest

pytest.importorskip("aiohttp")

RIGHT = dict.fromkeys(
    (
        *("wrong", "broken", "cut", "no_answer", "judge_errs", "criteria_err"),
        *("off_form", "rewrite_errs", "wrong_thought", "guess"),
    ),
    0.0,
)


def post(base_url, messages, **options):
    """Return status and body of one request."""
    body = {"model": "any", "messages": messages, **options}
    request = urllib.request.Request(
        f"{base_url}/chat/completions",
        json.dumps(body).encode(),
        {"Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


@pytest.fixture
def ask():
    """Return a function that asks, and returns (reasoning, content, finish reason)."""

    def one(base_url, messages, **options):
        status, body = post(base_url, messages, **options)
        assert status == 200, body
        choice = body["choices"][0]
        message = choice["message"]
        return message.get("reasoning_content"), message["content"], choice["finish_reason"]

    return one


@pytest.fixture
def asked():
    """Return a function that asks and returns status and body."""
    return post


@pytest.fixture
def rates():
    """Return a function that returns rates of zero, but for those given."""
    return lambda **given: RIGHT | given


@pytest.fixture(scope="module")
def perfect():
    """Return the address of a teacher that never errs."""
    from dianjin_ext.quickstart.teacher import serving_teacher

    with serving_teacher(**RIGHT) as base_url:
        yield base_url
