"""JSON says the same as the standard library's, whatever a model writes or a server sends."""

import json

import pytest

from dianjin_ext.inference.fast_json import dumps, loads


@pytest.mark.parametrize(
    "value",
    [
        {"text": '汉字 "quoted" \\boxed{7}\n\u2028\x00\x7f', "number": 0.1, "none": None},
        {"half": "a\ud83d"},
        {"whole": 2**70},
        {"bias": {50256: -100}},
        [1e308, -0.0, 5e-324, 2**63, True],
        ("a", ["b"]),
    ],
)
def test_what_is_written_is_read_alike(value):
    line = dumps(value)
    assert b"\n" not in line
    assert json.loads(line) == json.loads(json.dumps(value))


@pytest.mark.parametrize("text", ['"\\ud83d"', '{"a": 1, "a": 2}', "[NaN, -Infinity]", "1e400"])
def test_what_is_read_is_the_standard_librarys(text):
    assert repr(loads(text.encode())) == repr(json.loads(text))


@pytest.mark.parametrize("text", ["", "{", "[1,]", "\xff"])
def test_what_is_no_json_is_told(text):
    with pytest.raises(ValueError):
        loads(text.encode("latin-1"))


def test_deep_nesting_is_told():
    with pytest.raises(RecursionError):
        loads(b"[" * 100_000)
