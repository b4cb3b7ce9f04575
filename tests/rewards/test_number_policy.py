import pytest
from hypothesis import given
from hypothesis import strategies as st

from dianjin_ext.answers import read_number
from dianjin_ext.rewards.number_policy import canonical, rounded, same_number
from dianjin_ext.rewards.policy import NumberPolicy


def same(answer, gold, **policy):
    return same_number(read_number(answer).value, read_number(gold).value, NumberPolicy(**policy))


@pytest.mark.parametrize(
    ("answer", "gold", "exact", "gold_hint", "either"),
    [
        ("12.5%", "12.5%", True, True, True),
        ("0.125", "12.5%", True, True, True),
        ("12.5%", "0.125", True, True, True),
        ("12.5", "12.5%", False, True, True),
        ("12.5%", "12.5", False, False, True),
        ("12.5", "0.125", False, False, False),
        ("0.125", "12.5", False, False, False),
        ("0.125%", "12.5%", False, False, False),
        ("1250", "12.5%", False, False, False),
        ("25", "25bps", False, True, True),
        ("0.25%", "25bps", True, True, True),
        ("25%", "25bps", False, False, False),
        ("$12.5", "12.5%", False, False, False),
        ("12.5 million", "12.5%", False, False, False),
        ("-12.5", "12.5%", False, False, False),
    ],
)
def test_percent(answer, gold, exact, gold_hint, either):
    assert same(answer, gold, percent="exact") == exact
    assert same(answer, gold, percent="gold_hint") == gold_hint
    assert same(answer, gold, percent="either") == either


@pytest.mark.parametrize(
    ("answer", "gold", "exact", "gold_hint", "ignore"),
    [
        ("5元", "5元", True, True, True),
        ("5", "5元", True, True, True),
        ("5元", "5", True, True, True),
        ("5美元", "5元", False, False, True),
        ("$5", "5美元", True, True, True),
        ("$5", "5元", False, False, True),
        ("¥5", "5元", True, True, True),
        ("¥5", "5日元", True, True, True),
        ("C$5", "$5", True, True, True),
        ("C$5", "5 USD", False, False, True),
        ("5天", "5 days", True, True, True),
        ("5 days", "5 years", False, False, True),
        ("5 shares", "$5", False, False, True),
        ("50 cents", "$50", False, False, True),
        ("5元/股", "5元", True, True, True),
        ("5元/股", "5元/天", False, False, True),
        ("5万元", "50000元", True, True, True),
        ("50000", "5万元", True, True, True),
        ("5", "5万元", False, True, False),
        ("5万", "5元", False, False, False),
        ("5千", "5万", False, False, False),
        ("5美元", "5万元", False, False, False),
        ("1.5亿", "150 million", True, True, True),
    ],
)
def test_unit(answer, gold, exact, gold_hint, ignore):
    assert same(answer, gold, unit="exact") == exact
    assert same(answer, gold, unit="gold_hint") == gold_hint
    assert same(answer, gold, unit="ignore") == ignore


@pytest.mark.parametrize(
    ("answer", "gold", "policy", "right"),
    [
        ("24.691358", "24.69136", {}, True),
        ("24.69", "24.69136", {}, False),
        ("0.000005", "0", {}, True),  # half to even
        ("0.000015", "0.00002", {}, True),
        ("0.000006", "0", {}, False),
        ("5.0000001", "5", {"decimals": None}, False),
        ("5.04", "5", {"decimals": 0}, True),
        ("1/3", "0.33333", {}, True),
        ("1/3", "0.33333", {"decimals": None}, False),
        ("1/3", "2/6", {"decimals": None}, True),
        ("101.5", "100", {"rel_tol": 0.015}, True),
        ("101.51", "100", {"rel_tol": 0.015}, False),
        ("-101.5", "-100", {"rel_tol": 0.015}, True),
        ("101.5", "-100", {"rel_tol": 0.015}, False),
        ("0.1", "0", {"rel_tol": 0.015}, False),
        ("100.1", "100", {"abs_tol": 0.1}, True),
        ("100.11", "100", {"abs_tol": 0.1}, False),
        ("12.6%", "12.5%", {"abs_tol": 0.001}, True),
        ("12.61%", "12.5%", {"abs_tol": 0.001}, False),
        ("12.34", "12.3", {"round_to_gold": True}, True),
        ("12.36", "12.3", {"round_to_gold": True}, False),
        ("12.25", "12.2", {"round_to_gold": True}, True),
        ("12.3", "12.34", {"round_to_gold": True}, False),
        ("12.34%", "12.3%", {"round_to_gold": True}, True),
        ("0.1234", "12.3%", {"round_to_gold": True}, True),
        ("5.24万元", "5.2万元", {"round_to_gold": True}, True),
        ("5244", "5.2 thousand", {"round_to_gold": True}, True),
        ("5251", "5.2 thousand", {"round_to_gold": True}, False),
        ("0.3", "1/3", {"round_to_gold": True}, False),
        ("5-7", "5-7", {}, True),
        ("5-7%", "0.05~0.07", {}, True),
        ("5-8", "5-7", {}, False),
        ("5", "5-7", {}, False),
        ("5-7", "5", {}, False),
        ("5-7", "6", {"abs_tol": 1.0}, False),
        ("约5", "5", {}, True),
        ("0", "0.000003", {}, False),
        ("-0.000003", "0.000003", {}, False),
        ("3e-6", "0.000003", {}, True),
        ("0", "0.000003", {"abs_tol": 0.001}, True),
    ],
)
def test_tolerance(answer, gold, policy, right):
    assert same(answer, gold, **policy) == right


decimals = st.decimals(
    allow_nan=False, allow_infinity=False, places=6, min_value=-(10**9), max_value=10**9
)
policies = st.builds(
    NumberPolicy,
    percent=st.sampled_from(["exact", "gold_hint", "either"]),
    unit=st.sampled_from(["exact", "gold_hint", "ignore"]),
    rel_tol=st.sampled_from([0.0, 0.0015, 0.05]),
    decimals=st.sampled_from([None, 5, 2]),
    round_to_gold=st.booleans(),
)


@given(decimals, policies)
def test_a_number_is_itself_and_never_its_negative_or_another_power_of_ten(value, policy):
    number = read_number(f"{value:f}").value
    assert same_number(number, number, policy)
    if abs(value) >= 1:
        others = [number._replace(value=number.value * k) for k in (-1, 10, 100, 1000)]
        assert not any(same_number(other, number, policy) for other in others)


@given(decimals, st.sampled_from([None, 0, 5]))
def test_canonical_is_one_text_for_a_value(value, decimals):
    texts = {
        canonical(rounded(read_number(text).value, decimals))
        for text in (f"{value:f}", f"{value:,f}", f"{value:E}", f"{value * 100:f}%")
    }
    assert len(texts) == 1


@pytest.mark.parametrize(
    ("text", "decimals", "expected"),
    [
        ("12.50%", 5, "0.125"),
        ("1/3", 5, "0.33333"),
        ("1/3", None, "1/3"),
        ("1/8", None, "0.125"),
        ("-0", 5, "0"),
        ("-0.000001", 5, "-0.000001"),
        ("0~0.000001", 5, "0~0.000001"),
        ("5-7%", 5, "0.05~0.07"),
        ("1.2e3", 5, "1200"),
        ("1e30", None, "1" + "0" * 30),
    ],
)
def test_canonical(text, decimals, expected):
    assert canonical(rounded(read_number(text).value, decimals)) == expected
