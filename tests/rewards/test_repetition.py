import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dianjin_ext import compute_score
from dianjin_ext.errors import DianjinError
from dianjin_ext.rewards.repetition import MAX_READ

CHINESE = "净利润同比增长百分之十二，主要由于销售费用下降；毛利率则与上年持平。"
ENGLISH = "Net profit rose by twelve percent because selling expenses fell during the whole year. "


def penalty(text, **settings):
    row = compute_score(
        "cflue_mcq",
        text,
        "A",
        weights={"repetition": 1.0},
        components={"repetition": settings},
    )
    assert row["score"] == row["repetition"]
    return row["repetition"]


def share_of_repeated(items, n):
    grams = [tuple(items[i : i + n]) for i in range(len(items) - n + 1)]
    return len(set(grams)) / len(grams) - 1 if grams else 0.0


@given(st.text(alphabet="净利润同比增长，。", max_size=200), st.integers(1, 7))
def test_characters_follow_the_formula(text, n):
    assert penalty(text, characters=n) == pytest.approx(share_of_repeated(text, n))


@given(st.lists(st.sampled_from(["net", "profit", "rose", "a"]), max_size=100), st.integers(1, 7))
def test_words_follow_the_formula(words, n):
    assert penalty(" ".join(words), words=n) == pytest.approx(share_of_repeated(words, n))


def test_characters_beyond_the_basic_plane_and_lone_surrogates():
    assert penalty("\U00020000\U00020001\U00020002\U00020003\ud800净利润") == 0.0
    assert penalty("\U00020000" * 1000) < -0.99


@pytest.mark.parametrize(
    "text", ["", "净利润", "Net profit rose", CHINESE, ENGLISH, CHINESE + ENGLISH]
)
def test_text_that_does_not_repeat_itself(text):
    assert penalty(text) == 0.0


@pytest.mark.parametrize(
    "text",
    [
        CHINESE * 50,
        ENGLISH * 50,
        (CHINESE + ENGLISH) * 50,
        "正确" * 500,
        "正确，正确。正确！正确、正确；" * 100,
        "\n".join("核对无误" * 200),
        " ".join("核对无误" * 200),
        "　".join("核对无误" * 200),
        "\u200b".join("核对无误" * 200),
        "".join(f"第{i}次核对无误，" for i in range(500)),
        "".join(f"Check number {i}, all is well. " for i in range(500)),
        "".join(f"check{i} " for i in range(500)),
        "The answer is A, the answer is a! THE ANSWER: IS A. " * 50,
        "re-check.re-check,re-check;" * 100,
        "0.3" + "3" * 4000,
        "a" * 4000,
        "3+4=7; " * 500,
        "!" * 4000,
        "。" * 4000,
        "\n" * 4000,
        "\u200b" * 4000,
        "🚀" * 4000,
        "ошибка " * 500,
    ],
    ids=lambda text: ascii(text[:12]),
)
def test_loops(text):
    assert penalty(text) < -0.95
    assert penalty(f"<think>{CHINESE}{ENGLISH}{text}</think><answer>A</answer>") < -0.8


def test_punctuation_and_blanks_drawn_at_random_do_not_hide_a_loop():
    draw = random.Random(0)
    assert (
        penalty("".join("核对无误" + draw.choice("，。！；、 \n\u200b") for _ in range(1000)))
        < -0.95
    )
    assert penalty("".join("all is well" + draw.choice(",.!;: \n\t") for _ in range(1000))) < -0.9


def test_a_loop_costs_its_share_of_the_response():
    """Half new, half loop."""
    draw = random.Random(0)
    new = "".join(chr(draw.randrange(0x4E00, 0x9FA6)) for _ in range(1000))
    assert penalty(new + "正确" * 500) == pytest.approx(-0.5, abs=0.01)
    assert penalty("正确" * 500 + new) == pytest.approx(-0.5, abs=0.01)


def test_of_very_long_text_the_end_counts():
    assert penalty(CHINESE + ENGLISH + "正确" * MAX_READ) == pytest.approx(-1.0, abs=1e-3)
    draw = random.Random(0)
    new = "".join(chr(draw.randrange(0x4E00, 0x9FA6)) for _ in range(MAX_READ))
    assert penalty("正确" * MAX_READ + new) > -0.01


def test_what_makes_no_difference():
    assert penalty("净利\u200b润同\u3000净利润同\n") == penalty("净利润同净利润同") < 0.0
    assert penalty("don't 1,234.5 won't 23.45", words=1) == 0.0
    assert penalty("Net PROFIT net profit", words=1) == penalty(
        "net, profit; net, profit!", words=1
    )
    new = random.Random(0).sample(range(0x4E00, 0x9FA6), 1000)
    assert penalty(", ".join(map(chr, new[:4]))) == penalty(",".join(map(chr, new))) == 0.0


def test_the_answer_counts_too():
    assert penalty(f"<think>{CHINESE}</think><answer>{'正确' * 500}</answer>") < -0.9


def test_layout_is_not_a_loop():
    table = "| 2019 | 120.5 |\n| 2020 | 1,300 |\n|------|-------|\n\n\n    indented = code(x)\n"
    assert penalty(ENGLISH + table) > -0.1


@pytest.mark.parametrize(
    "settings", [{"characters": 0}, {"words": 0}, {"words": 2.5}, {"ngram": 3}]
)
def test_settings_are_checked(settings):
    with pytest.raises(DianjinError, match="repetition"):
        penalty(CHINESE, **settings)


@given(st.text())
def test_any_text_has_a_penalty(text):
    assert -1.0 <= penalty(text) <= 0.0
