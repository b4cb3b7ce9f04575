import re
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dianjin_ext.answers import read_number

VALUES = {
    "digits": [
        ("5", "5"),
        ("5.", "5"),
        (".5", "0.5"),
        ("0.30", "0.3"),
        ("1,234,567.89", "1234567.89"),
        ("１，２３４．５", "1234.5"),
        ("1{,}234", "1234"),
        (r"1,\!234", "1234"),
        (r"1\,234", "1234"),
        ("1\u202f234", "1234"),
        (
            "0.1234567890123456789012345678901234567890",
            "0.1234567890123456789012345678901234567890",
        ),
        ("1.2e-3", "0.0012"),
        ("1.2E+3", "1200"),
        (r"1.2\times10^{3}", "1200"),
        (r"1.2 \times 10^{-3}", "0.0012"),
        ("1.2×10³", "1200"),
        ("1.2 x 10^3", "1200"),
    ],
    "signs": [
        ("-5", "-5"),
        ("−5", "-5"),
        ("–5", "-5"),
        ("－5", "-5"),
        ("+5", "5"),
        ("负5", "-5"),
        ("minus 5", "-5"),
        ("-$5", "-5"),
        ("$-5", "-5"),
        ("(5)", "-5"),
        ("（5）", "-5"),
        ("($5)", "-5"),
        ("$(5)", "-5"),
        ("(5%)", "-0.05"),
        ("(5)%", "-0.05"),
        ("($5 million)", "-5000000"),
        ("$(5) million", "-5000000"),
    ],
    "fractions": [
        ("3/4", "3/4"),
        ("200 / 248", "200/248"),
        (r"\frac{3}{4}", "3/4"),
        (r"-\dfrac{3}{4}", "-3/4"),
        (r"\frac{-3}{4}", "-3/4"),
        (r"\frac34", "3/4"),
        (r"3\frac{1}{2}", "7/2"),
        ("1 1/2", "3/2"),
        ("½", "1/2"),
        ("2½", "5/2"),
        ("四分之三", "3/4"),
        (r"\frac{1}{2}\%", "1/200"),
    ],
    "percent": [
        ("12.5%", "0.125"),
        (r"12.5\%", "0.125"),
        (r"12.5\,\%", "0.125"),
        ("12.5 ％", "0.125"),
        ("12.5 percent", "0.125"),
        ("百分之五", "0.05"),
        ("百分之十二点五", "0.125"),
        ("负百分之3.5", "-0.035"),
        ("5个百分点", "0.05"),
        ("5‰", "0.005"),
        ("千分之五", "0.005"),
        ("25bps", "0.0025"),
        ("25 basis points", "0.0025"),
        ("25个基点", "0.0025"),
    ],
    "scales": [
        ("5万", "50000"),
        ("5.2亿", "520000000"),
        ("5千", "5000"),
        ("5百万", "5000000"),
        ("5十亿", "5000000000"),
        ("5万亿", "5000000000000"),
        ("5 thousand", "5000"),
        ("5 hundred thousand", "500000"),
        (r"5\text{ million}", "5000000"),
        ("5.2 Billion", "5200000000"),
        ("5 trillion", "5000000000000"),
        ("5k", "5000"),
        ("5m", "5000000"),
        ("5 mn", "5000000"),
        ("5MM", "5000000"),
        ("5bn", "5000000000"),
        ("5B", "5000000000"),
        ("5tn", "5000000000000"),
    ],
    "numerals": [
        ("三", "3"),
        ("十二", "12"),
        ("负三点五", "-3.5"),
        ("一百零五", "105"),
        ("三千二百万", "32000000"),
        ("两亿", "200000000"),
        ("一亿零五万", "100050000"),
        ("三万亿", "3000000000000"),
        ("1亿2000万", "120000000"),
        ("3万5000", "35000"),
        ("三点一四亿", "314000000"),
        ("壹佰贰拾万元整", "1200000"),
        ("二〇二四", "2024"),
    ],
    "wrapping": [
        ("答案是5", "5"),
        ("Answer: 5", "5"),
        ("The answer is 5.", "5"),
        ("5。", "5"),
        (r"\text{5}", "5"),
        (r"\mathrm{5}", "5"),
        ("**5**", "5"),
        ("*5*", "5"),
        ("`5`", "5"),
        ("$5$", "5"),
        ("$$5$$", "5"),
        (r"\(5\)", "5"),
        (r"$\$5$", "5"),
        (r"$5\%$", "0.05"),
        (r"$5$\%", "0.05"),
        ("约5", "5"),
        ("≈5", "5"),
        (r"\approx 5", "5"),
        ("~5", "5"),
        ("about 5", "5"),
        ("5左右", "5"),
        ("5 (rounded to two decimal places)", "5"),
    ],
    "twice": [
        ("0.2 or 20%", "0.2"),
        ("12.5%（即0.125）", "0.125"),
        ("$5 million ($5,000,000)", "5000000"),
        ("11.8181 or approximately $11.82", "11.8181"),
        ("1/3 or 33.33%", "1/3"),
    ],
}


@pytest.mark.parametrize(
    ("text", "value"), [pair for pairs in VALUES.values() for pair in pairs], ids=repr
)
def test_value(text, value):
    number = read_number(text).value
    assert number is not None
    assert number.value == Fraction(value)
    assert number.high is None


@pytest.mark.parametrize(
    ("text", "currency", "unit", "per"),
    [
        ("$5", "$", "", ""),
        (r"\$5", "$", "", ""),
        ("US$ 5m", "USD", "", ""),
        ("USD 5", "USD", "", ""),
        ("$5 USD", "USD", "", ""),
        ("5 dollars", "$", "", ""),
        ("5美元", "USD", "", ""),
        ("C$60,000", "CAD", "", ""),
        ("40,000 C$", "CAD", "", ""),
        ("€1,000", "EUR", "", ""),
        ("CHF2,000", "CHF", "", ""),
        ("¥ 5", "¥", "", ""),
        ("￥5", "¥", "", ""),
        ("¥5元", "CNY", "", ""),
        ("5万元", "CNY", "", ""),
        ("人民币5元", "CNY", "", ""),
        ("RMB5", "CNY", "", ""),
        ("5元/股", "CNY", "", "share"),
        ("$5 per share", "$", "", "share"),
        ("0.9474 CAD/USD", "CAD", "", "USD"),
        ("5 million shares", "", "share", ""),
        ("100万股", "", "share", ""),
        ("25,000 units", "", "unit", ""),
        ("-0.01 days", "", "day", ""),
        ("30天", "", "day", ""),
        ("3.5x", "", "times", ""),
        ("3.5倍", "", "times", ""),
        ("5", "", "", ""),
    ],
)
def test_units(text, currency, unit, per):
    number = read_number(text).value
    assert (number.currency, number.unit, number.per) == (currency, unit, per)


@pytest.mark.parametrize(
    ("text", "written", "scale", "rate", "step"),
    [
        ("12.5%", "12.5", 1, 100, "0.001"),
        ("25bp", "25", 1, 10_000, "0.0001"),
        ("5.20万元", "5.2", 10_000, 1, "100"),
        ("$5.2 billion", "5.2", 10**9, 1, "100000000"),
        ("三千二百万", "3200", 10_000, 1, "10000"),
        ("1.20e3", "1200", 1, 1, "10"),
        ("1,200", "1200", 1, 1, "1"),
        ("3/4", "0.75", 1, 1, "0"),
    ],
)
def test_what_was_written(text, written, scale, rate, step):
    number = read_number(text).value
    assert number.written == Fraction(written)
    assert (number.scale, number.rate, number.step) == (scale, rate, Fraction(step))


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("5-7", "5", "7"),
        ("5–7%", "0.05", "0.07"),
        ("5%-7%", "0.05", "0.07"),
        ("5~7", "5", "7"),
        ("5到7万元", "50000", "70000"),
        ("5万至7万元", "50000", "70000"),
        ("$5-$7 million", "5000000", "7000000"),
        ("$5-$7", "5", "7"),
        ("-5 to -3", "-5", "-3"),
        ("from 5 to 7 days", "5", "7"),
        ("between 5 and 7", "5", "7"),
        ("在5到7之间", "5", "7"),
    ],
)
def test_ranges(text, low, high):
    number = read_number(text).value
    assert (number.value, number.high) == (Fraction(low), Fraction(high))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("x=5", "5"),
        (r"\text{NPV} = \$5", "5"),
        ("P_0 ≈ 50.2", "50.2"),
        ("d1 = 0.5", "0.5"),
        (r"\beta = 1.2", "1.2"),
        ("答案=5", "5"),
        ("若x=5", None),
        ("unless x = 5", None),
        ("V_{bond} = 5", "5"),
        ("净利润=-5亿元", "-500000000"),
        ("ROE (2023) = 5%", None),
        ("5 (million)", "5000000"),
        ("3.2（亿元）", "320000000"),
        ("3.2亿（元）", "320000000"),
        ("5~\\text{million}", "5000000"),
        ("12.5% per annum", "0.125"),
        ("12.5% p.a.", "0.125"),
        ("每股5美元", "5"),
        ("7.2元/美元", "7.2"),
        ("一千零五十", "1050"),
    ],
)
def test_names_and_units_around_a_number(text, value):
    number = read_number(text).value
    assert (number and number.value) == (value and Fraction(value))


def test_two_forms_are_one_number():
    number = read_number("0.2273 or 22.73%").value
    assert (number.value, number.rate, number.written) == (
        Fraction("0.2273"),
        100,
        Fraction("22.73"),
    )
    number = read_number("5,000,000 ($5 million)").value
    assert (number.value, number.scale, number.currency) == (5_000_000, 10**6, "$")


@pytest.mark.parametrize("text", ["约5", "≈5", "about 5", "5左右", "~5", "大约5", "5 or so"])
def test_approximate(text):
    assert read_number(text).value.approximate
    assert not read_number("5").value.approximate


NOT_ONE_QUANTITY = """
not x = 5|错误答案=5|1/x=5|-x=5|x=y=5|x=1, y=5|x<y=5|每5元|每股5元/股|一百零五十
five|1,23|1,2345|123,45,67|1.2.3|1.234,56|20,5|1 234|5 6|5, 6|10³|5²|①|5_8|2^{3}|5\\,6|5㎡
= 5|3:4|1/2/3|5/0|1 3/2|-(5)|(-5)|(5|5)|((5))|--5|+-5|(1/2)|5%%|百分之五%|5 million million
nan|inf|1e9999|1e999999999|٣|1_000|0x10|5 apples|5 dozen|5th|第5|5kgs of|5t|5b
more than 5|at least 5|>5|≥5|5+|5-|5 ± 2|\\pm5|5余|5亿多元|五千多|近5|5以上|不是5|not 5|5!
7-5|2019-2020-2021|5%-7|5元美元|$5 EUR|一万五|一百五|二二百|万|百|90^\\circ|\\sqrt{5}|\\pi
a loss of|净亏损|5两|5零|两98|一6|十5|5点三|{1}{2}|5\\!6|2**3|5**|5*|*5|`5
½3|$5%|5%股|$5股|三万千|5 (8|5 -6|$|%|-|万元|yes
"""


@pytest.mark.parametrize(
    "text", ["", "9" * 100, "9" * 5000, *re.split(r"[|\n]", NOT_ONE_QUANTITY.strip())]
)
def test_everything_else_is_no_answer(text):
    assert read_number(text) == (None, "no_answer")


@pytest.mark.parametrize(
    "text",
    ["5 or 6", "5或6", "100%或50%", "5 (3)", "5.3 or 5", "5 (10)", "$5 (¥5.0)", "5 or 0 million"],
)
def test_two_quantities_are_ambiguous(text):
    assert read_number(text) == (None, "ambiguous")


amounts = st.decimals(
    allow_nan=False, allow_infinity=False, places=6, min_value=-(10**18), max_value=10**18
)


@given(amounts)
def test_every_decimal_reads_back_exactly(value):
    for text in (
        f"{value:f}",
        f"{value:,f}",
        f"{value:E}",
        f"$ {value:f}",
        rf"\text{{{value:,f}}}",
    ):
        assert read_number(text).value.value == value
    if value < 0:
        assert read_number(f"({-value:,f})").value.value == value


@given(amounts, st.sampled_from([("%", Fraction(1, 100)), ("bps", Fraction(1, 10_000))]))
def test_rates_divide_exactly(value, rate):
    assert read_number(f"{value:f}{rate[0]}").value.value == Fraction(value) * rate[1]


@given(
    amounts,
    st.sampled_from([("万", 10**4), ("亿元", 10**8), (" million", 10**6), ("bn USD", 10**9)]),
)
def test_scales_multiply_exactly(value, scale):
    number = read_number(f"{value:f}{scale[0]}").value
    assert number.value == Fraction(value) * scale[1]
    assert number.written == Fraction(value)


@given(st.integers(-(10**9), 10**9), st.integers(1, 10**9))
def test_fractions_are_exact(over, under):
    for text in (f"{over}/{under}", rf"\frac{{{over}}}{{{under}}}"):
        assert read_number(text).value.value == Fraction(over, under)


PIECES = [
    *"0123456789.,+-−–~()[]{}$¥€%‰/*^_=≈±×·|:：；、，。！ \n\\½³①",
    *"零一二三十百千万亿点分之约负元股倍个至到或即",
    *(
        r"\frac",
        r"\text{",
        r"\%",
        r"\$",
        r"\,",
        r"\times",
        "10^",
        "million",
        "bn",
        "percent",
        " or ",
    ),
    *(
        "between ",
        " and ",
        "from ",
        " to ",
        "USD",
        "US$",
        "per share",
        "e-3",
        "1e999",
        "answer is ",
    ),
]
texts = st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=12).map("".join)


@given(texts)
def test_any_text_is_read_or_refused(text):
    number, fault = read_number(text)
    assert (number is None) == bool(fault)
    if number is not None:
        assert isinstance(number.value, Fraction)
        assert number.scale >= 1 and number.rate >= 1 and number.step >= 0
        assert number.high is None or number.high > number.value
        assert read_number(f" {text} ").value == number


@given(texts, st.integers(0, 10**12))
def test_no_text_becomes_a_number_by_another_one_beside_it(text, number):
    """A number next to words is that number only if every word is known."""
    found = read_number(f"{number} zzz {text}")
    assert found.value is None


def test_the_value_is_exact():
    assert read_number("0.1").value.value == Fraction(1, 10)
    assert read_number("0.1").value.value == Decimal("0.1")
