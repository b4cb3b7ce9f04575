"""No text of a model makes `compute_score` raise, or return anything but the same finite keys.

The tests run a few thousand mutations of the audit's corpus. More of them:

    python tests/rewards/test_fuzz.py 1000000 [SEED]
"""

import math
import os
import random
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dianjin_ext import compute_score
from dianjin_ext.audit import KINDS, load_cases
from dianjin_ext.rewards import PRESETS, REASONS, STRICTNESSES, reward_names

COUNT = int(os.environ.get("DIANJIN_FUZZ", "4000"))
CASES = [case for kind in KINDS for case in load_cases(kind)]
KEYS = ["score", "acc", "format", "pred", "reason"]
PIECES = [
    *("<think>", "</think>", "<answer>", "</answer>", "\\boxed{", "\\boxed", "\\boxed{}", "{", "}"),
    *("\\{", "\\}", "\\", "\\text{", "\\frac{", "\\left(", "\\,", "~", "~~", "$", "$$", "**", "`"),
    *("\n", "\t", " ", "　", "\x00", "\u200b", "\u202e", "\ufeff", "\ufe0f", "\ud800", "é", "🙂"),
    *(
        "、",
        "，",
        "；",
        "。",
        "：",
        "（",
        "）",
        ",",
        ".",
        ";",
        ":",
        "(",
        ")",
        "[",
        "]",
        "/",
        "|",
        "-",
    ),
    *(
        "−",
        "–",
        "+",
        "±",
        "%",
        "\\%",
        "‰",
        "bps",
        "万",
        "亿",
        "百",
        "千",
        "million",
        "bn",
        "k",
        "m",
    ),
    *("0", "7", "９", "²", "½", "①", "٣", "e", "E9", "1e999", "×10^{", "1/0", "inf", "nan", "∞"),
    *("约", "至", "到", "或", "or", "和", "and", "不", "not ", "非", "是", "否", "对", "错", "的"),
    *(
        "A",
        "B",
        "a",
        "Ａ",
        "А",
        "A. ",
        "答案是",
        "故选",
        "Answer: ",
        "合规",
        "利好",
        "bullish",
        "买入",
    ),
    *("一", "十", "零", "〇", "两", "负", "分之", "元", "美元", "USD", "¥", "€", "天", "share"),
]
POLICIES = [
    *({"strictness": strictness} for strictness in STRICTNESSES),
    *({"strictness": "lenient", "think": think} for think in ("true", "false")),
    *({"numbers": {"percent": percent}} for percent in ("gold_hint", "either")),
    *({"numbers": {"unit": unit}, "strictness": "lenient"} for unit in ("gold_hint", "ignore")),
    {"numbers": {"rel_tol": 0.01, "abs_tol": 1.0}},
    {"numbers": {"round_to_gold": True, "decimals": None}},
    *({"numbers": {"parity": parity}} for parity in ("docmath", "finqa", "tatqa")),
]


def mutated(rng, text):
    """Return `text` with one to six parts taken out, doubled, moved, replaced or added."""
    for _ in range(rng.randint(1, 6)):
        start = rng.randint(0, len(text))
        end = min(len(text), start + rng.choice((0, 1, 1, 2, 5, 20)))
        part, piece = text[start:end], rng.choice(PIECES)
        kind = rng.randrange(7)
        if kind == 0:
            part = ""
        elif kind == 1:
            part *= rng.choice((2, 3, 50))
        elif kind == 2:
            part = part[::-1]
        elif kind == 3:
            part += piece
        elif kind == 4:
            part = piece * rng.choice((1, 2, 3, 40))
        elif kind == 5:
            part = chr(rng.choice((rng.randrange(0x250), rng.randrange(0x3000, 0xFFFF))))
        else:
            other = rng.choice(CASES).response
            begin = rng.randint(0, len(other))
            part = other[begin : begin + rng.randint(0, 40)]
        text = text[:start] + part + text[end:]
    return text


def calls(rng, count):
    """Yield the arguments of `count` calls."""
    names = sorted(set(reward_names()))
    for _ in range(count):
        case = rng.choice(CASES)
        response = mutated(rng, case.response)
        name = case.data_source if rng.random() < 0.7 else rng.choice(names)
        policy = dict(case.settings) if rng.random() < 0.5 else rng.choice(POLICIES)
        gold = mutated(rng, str(case.ground_truth)) if rng.random() < 0.1 else case.ground_truth
        yield (name, response, gold, case.extra_info), policy


def check(row):
    assert list(row) == KEYS
    numbers = (row["score"], row["acc"], row["format"])
    assert all(type(number) is float and math.isfinite(number) for number in numbers)
    assert type(row["pred"]) is str
    assert len(row["pred"]) <= 80
    assert row["reason"] in REASONS
    assert row["score"] == row["acc"] == (row["reason"] == "correct")


def fuzz(count, seed):
    """Check `count` calls, and that a second thread, running in between, gets the same rows."""
    rng = random.Random(seed)
    done = 0
    with ThreadPoolExecutor(1) as pool:
        while done < count:
            batch = list(calls(rng, min(500, count - done)))
            theirs = pool.submit(lambda batch=batch: [_grade(call) for call in batch])
            ours = [_grade(call) for call in batch]
            for call, row, other in zip(batch, ours, theirs.result(), strict=True):
                try:
                    assert not isinstance(row, Exception)
                    check(row)
                    assert row == other
                except AssertionError:
                    raise AssertionError(f"{call!r} gave {row!r}, in a thread {other!r}") from None
            done += len(batch)
    return done


def _grade(call):
    arguments, policy = call
    try:
        return compute_score(*arguments, **policy)
    except Exception as error:
        return error


@pytest.mark.parametrize("seed", range(4))
def test_mutations_of_the_corpus(seed):
    assert fuzz(COUNT // 4, seed) == COUNT // 4


def test_the_check_finds_what_it_looks_for():
    good = compute_score("finqa", "", "5")
    check(good)
    for key, value in (("score", math.nan), ("reason", "?"), ("pred", "x" * 81), ("acc", 1.0)):
        with pytest.raises(AssertionError):
            check({**good, key: value})


@settings(max_examples=400, deadline=None)
@given(
    st.sampled_from(sorted(reward_names())),
    st.one_of(
        st.text(),
        st.lists(st.sampled_from(PIECES), max_size=30).map("".join),
        st.builds(
            "<think>{}</think><answer>{}\\boxed{{{}}}{}</answer>".format,
            *[st.lists(st.sampled_from(PIECES), max_size=6).map("".join)] * 4,
        ),
    ),
    st.one_of(
        st.none(),
        st.text(),
        st.integers(),
        st.floats(),
        st.booleans(),
        st.lists(st.text()),
        st.sampled_from([case.ground_truth for case in CASES]),
    ),
    st.fixed_dictionaries(
        {},
        optional={
            "choices": st.dictionaries(st.text(max_size=1), st.one_of(st.none(), st.text())),
            "labels": st.one_of(
                st.none(),
                st.lists(st.one_of(st.none(), st.text(), st.integers())),
                st.dictionaries(st.text(), st.one_of(st.none(), st.text(), st.lists(st.text()))),
            ),
        },
    ),
    st.sampled_from(POLICIES),
)
def test_any_row(name, response, gold, extra_info, policy):
    check(compute_score(name, response, gold, extra_info, **policy))


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(sorted(PRESETS)),
    st.sampled_from(CASES),
    st.lists(st.sampled_from(PIECES), max_size=10).map("".join),
    st.floats(0, 1),
)
def test_every_row_of_a_preset_has_the_same_finite_keys(preset, case, more, place):
    cut = int(place * len(case.response))
    rows = [
        compute_score(case.data_source, text, case.ground_truth, case.extra_info, preset=preset)
        for text in (case.response, case.response[:cut] + more + case.response[cut:])
    ]
    assert list(rows[0]) == list(rows[1])
    for row in rows:
        assert all(isinstance(value, str) or math.isfinite(value) for value in row.values())


if __name__ == "__main__":
    print(fuzz(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0), "calls, no fault")
