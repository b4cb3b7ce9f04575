import pytest
from hypothesis import given
from hypothesis import strategies as st

from dianjin_ext.answers.chinese_numerals import read_numeral

DIGITS = "零一二三四五六七八九"


def section(number):
    """Write a number below 10,000."""
    text, gap = "", False
    for place, name in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit = number // place % 10
        if digit:
            text += ("零" if gap and text else "") + DIGITS[digit] + name
        gap = not digit
    return text


def write(number):
    """Write a number below a million million."""
    text = ""
    for scale, name in ((10**8, "亿"), (10**4, "万"), (1, "")):
        part = number // scale % 10**4
        if part:
            text += ("零" if text and part < 1000 else "") + section(part) + name
    return text


@given(st.integers(1, 10**12 - 1) | st.integers(1, 10**5))
def test_what_is_written_reads_back(number):
    assert read_numeral(write(number)).digits == number


@pytest.mark.parametrize(
    ("text", "value", "scale"),
    [
        ("零", 0, 1),
        ("十", 10, 1),
        ("十五", 15, 1),
        ("两千", 2000, 1),
        ("三千二百万", 32_000_000, 10**4),
        ("两万亿", 2 * 10**12, 10**8),
        ("1亿2000万", 120_000_000, 10**4),
        ("3千5百", 3500, 1),
        ("貳拾萬", 200_000, 10**4),
        ("二〇二四", 2024, 1),
    ],
)
def test_value_and_scale(text, value, scale):
    numeral = read_numeral(text)
    assert (numeral.digits, numeral.parts, numeral.scale) == (value, 1, scale)


def test_decimals():
    assert read_numeral("三点一四") == (314, 100, 1)
    assert read_numeral("十点零五") == (1005, 100, 1)


@pytest.mark.parametrize(
    "text",
    [
        "万",
        "百",
        "点",
        "三点",
        "点三",
        "一万五",
        "一百五",
        "3万5",
        "五十百",
        "百百",
        "三百零",
        "一零零万",
        "亿亿",
        "二十三十",
        "十二三",
        "一点二点三",
        "十十十十",
        "abc",
    ],
)
def test_everything_else_is_refused(text):
    assert read_numeral(text) is None


@given(st.text(alphabet="零〇一二两九十百千万亿点0123456789", max_size=30))
def test_never_raises(text):
    numeral = read_numeral(text)
    assert numeral is None or (numeral.digits >= 0 and numeral.parts >= 1)
