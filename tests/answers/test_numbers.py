from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dianjin_ext.answers import read_number


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5", "5"),
        ("-5", "-5"),
        ("−5", "-5"),
        ("+5", "5"),
        ("5.", "5"),
        (".5", "0.5"),
        ("0.30", "0.3"),
        ("1,234", "1234"),
        ("1,234,567.89", "1234567.89"),
        ("１，２３４．５", "1234.5"),
        ("1{,}234", "1234"),
        (r"1\,234", "1234"),
        ("$5", "5"),
        (r"\$5", "5"),
        ("-$5", "-5"),
        ("$-5", "-5"),
        ("¥ 5", "5"),
        ("￥5", "5"),
        ("€1,000", "1000"),
        ("$5$", "5"),
        ("(5)", "-5"),
        ("（5）", "-5"),
        ("($5)", "-5"),
        ("$(5)", "-5"),
        ("1.2e-3", "0.0012"),
        ("1.2E+3", "1200"),
        (r"1.2\times10^{3}", "1200"),
        (r"1.2 \times 10^{-3}", "0.0012"),
        ("答案是5", "5"),
        ("Answer: 5", "5"),
        (r"\text{5}", "5"),
        (
            "0.1234567890123456789012345678901234567890",
            "0.1234567890123456789012345678901234567890",
        ),
    ],
)
def test_plain_numbers(text, value):
    number = read_number(text).value
    assert number is not None
    assert number.value == Decimal(value)
    assert not number.percent


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12.5%", "0.125"),
        (r"12.5\%", "0.125"),
        ("12.5 ％", "0.125"),
        ("-3%", "-0.03"),
        ("(5%)", "-0.05"),
        ("(5)%", "-0.05"),
        ("0%", "0"),
    ],
)
def test_percent_is_told_apart(text, value):
    number = read_number(text).value
    assert number.percent
    assert number.value == Decimal(value)


def test_percent_is_exact_beyond_the_default_precision():
    digits = "1234567890123456789012345678901234567890"
    assert str(read_number(f"{digits}%").value.value) == f"{digits[:-2]}.{digits[-2:]}"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "five",
        "5 million",
        r"5\text{ million}",
        "5元",
        "5万",
        "5bps",
        "1,23",
        "1,2345",
        "12,34,567",
        "1.2.3",
        "1 234",
        "10³",
        "½",
        "①",
        "1/2",
        r"\frac{1}{2}",
        "5-6",
        "5~6",
        "5, 6",
        "5 or 6",
        "约5",
        "≈5",
        "x=5",
        "-(5)",
        "(-5)",
        "(5",
        "5)",
        "((5))",
        "--5",
        "5%%",
        "nan",
        "inf",
        "1e9999",
        "٣",
        "1_000",
        "0x10",
        "9" * 100,
        "9" * 5000,
    ],
)
def test_everything_else_is_no_answer(text):
    assert read_number(text) == (None, "no_answer")


@given(
    st.decimals(
        allow_nan=False, allow_infinity=False, places=6, min_value=-(10**18), max_value=10**18
    )
)
def test_every_decimal_reads_back_exactly(value):
    for text in (f"{value:f}", f"{value:,f}", f"{value:E}"):
        assert read_number(text).value.value == value
    if value < 0:
        assert read_number(f"({-value:,f})").value.value == value
