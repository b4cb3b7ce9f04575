"""What may stand around a number: scales, rates, currencies and units, each a closed list.

A word that is on no list is not a unit, and the number before it is not read: nobody knows what
`5 dozen` or `5 squared` would be worth.
"""

import re
from collections.abc import Iterable
from typing import Final

SCALES: Final[dict[str, int]] = {
    **{"hundred": 10**2, "thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12},
    **{"thousands": 10**3, "millions": 10**6, "billions": 10**9, "trillions": 10**12},
    **{"hundred thousand": 10**5, "hundred million": 10**8, "hundred billion": 10**11},
    **{"k": 10**3, "m": 10**6, "mn": 10**6, "mln": 10**6, "mio": 10**6, "mil": 10**6},
    **{"mils": 10**6, "lakh": 10**5, "lakhs": 10**5, "crore": 10**7, "crores": 10**7},
    **{"bn": 10**9, "bln": 10**9, "tn": 10**12, "trn": 10**12},
    **{"百": 10**2, "千": 10**3, "万": 10**4, "十万": 10**5, "百万": 10**6, "千万": 10**7},
    **{"亿": 10**8, "十亿": 10**9, "百亿": 10**10, "千亿": 10**11, "万亿": 10**12},
    **{"个亿": 10**8, "个万": 10**4},
}
"""What a number is multiplied by; the ASCII words in any case."""

CAPITAL_SCALES: Final[dict[str, int]] = {"MM": 10**6, "B": 10**9, "T": 10**12}
"""Scales that are read in capitals only."""

RATES: Final[dict[str, int]] = {
    **dict.fromkeys(
        ("%", "percent", "per cent", "pct", "percentage point", "percentage points"), 100
    ),
    **dict.fromkeys(("个百分点", "百分点", "pp", "pps", "ppt", "ppts", "% points"), 100),
    **dict.fromkeys(("成",), 10),
    **dict.fromkeys(("‰",), 1000),
    **dict.fromkeys(("bp", "bps", "basis point", "basis points", "个基点", "基点"), 10_000),
}
"""What a number is divided by."""

_CODES = "USD CNY CNH RMB EUR GBP JPY HKD CHF CAD AUD NZD SGD TWD KRW INR BRL MXN ZAR SEK NOK DKK"
CURRENCY_SIGNS: Final[dict[str, str]] = {
    **{code: code for code in _CODES.split()},
    **{"RMB": "CNY", "CNH": "CNY", "人民币": "CNY", "CN¥": "CNY", "JP¥": "JPY"},
    **{"US$": "USD", "HK$": "HKD", "C$": "CAD", "CA$": "CAD", "A$": "AUD", "AU$": "AUD"},
    **{"NZ$": "NZD", "S$": "SGD", "NT$": "TWD", "R$": "BRL"},
    **{"$": "$", "¥": "¥", "€": "EUR", "£": "GBP", "₤": "GBP", "₩": "KRW", "₹": "INR"},
    **{"Rs": "INR", "Rs.": "INR"},
}
"""Currencies as they stand before a number or after it; codes in any case."""

CURRENCY_WORDS: Final[dict[str, str]] = {
    **dict.fromkeys(
        ("元", "元整", "人民币", "元人民币", "人民币元", "块钱", "yuan", "renminbi"), "CNY"
    ),
    **dict.fromkeys(("美元", "美金", "us dollar", "us dollars", "u.s. dollars"), "USD"),
    **dict.fromkeys(("dollar", "dollars"), "$"),
    **dict.fromkeys(("港元", "港币", "hong kong dollars"), "HKD"),
    **dict.fromkeys(("欧元", "euro", "euros"), "EUR"),
    **dict.fromkeys(("英镑", "pound", "pounds", "pounds sterling"), "GBP"),
    **dict.fromkeys(("日元", "yen", "japanese yen"), "JPY"),
    **{"瑞士法郎": "CHF", "swiss francs": "CHF", "加元": "CAD", "canadian dollars": "CAD"},
    **{"澳元": "AUD", "australian dollars": "AUD", "新加坡元": "SGD", "新台币": "TWD"},
    **{"韩元": "KRW", "卢比": "INR", "rupees": "INR"},
    **dict.fromkeys(("cent", "cents", "¢", "美分"), "cent"),
    **dict.fromkeys(("p", "pence"), "pence"),
}
"""Currencies that stand after a number only."""

_DOLLARS = frozenset({"$", "USD", "CAD", "AUD", "NZD", "HKD", "SGD", "TWD"})
_YUAN_OR_YEN = frozenset({"¥", "CNY", "JPY"})

_UNITS = {
    "share": "share shares stock stocks 股",
    "unit": "unit units piece pieces item items product products 件 个 个单位 单位 台 套 辆 只 份",
    "person": "person persons people employee employees customer customers 人 名 位 户",
    "company": "company companies firm firms 家",
    "day": "day days 天 日",
    "week": "week weeks 周 星期",
    "month": "month months 个月 月",
    "quarter": "quarter quarters 个季度 季度",
    "year": "year years yr yrs annum 年",
    "hour": "hour hours hr hrs 小时 个小时",
    "minute": "minute minutes 分钟",
    "times": "x times 倍 turns",
    "occasion": "time 次",
    "point": "point points 点 个点",
    "contract": "contract contracts option options 份合约 份合同 手 张",
    "bond": "bond bonds 张债券 份债券",
    "ton": "ton tons tonne tonnes 吨",
    "kg": "kg kilogram kilograms 千克 公斤",
    "barrel": "barrel barrels bbl bushel bushels 桶",
    "ounce": "ounce ounces oz 盎司",
    "sqm": "sqm 平方米 平米",
    "sqft": "sqft",
    "km": "km 公里 千米",
}
UNITS: Final[dict[str, str]] = {
    word: name for name, words in _UNITS.items() for word in words.split()
} | {"square feet": "sqft", "square foot": "sqft", "square meters": "sqm", "square metres": "sqm"}
"""Word to unit; the ASCII words in any case."""


def alternatives(words: Iterable[str]) -> str:
    """Return a pattern for any of `words`; one that ends in an ASCII letter ends a word, too."""
    longest_first = sorted(words, key=len, reverse=True)
    ascii_ends = [re.escape(word) for word in longest_first if re.search("[A-Za-z]$", word)]
    others = [re.escape(word) for word in longest_first if not re.search("[A-Za-z]$", word)]
    if ascii_ends:  # first, so that `% points` is not read as `%`
        others.insert(0, f"(?:{'|'.join(ascii_ends)})(?![A-Za-z])")
    return "|".join(others)


def same_currency(one: str, other: str) -> bool:
    """Whether two currencies may be the same: `$` is any dollar, and `¥` is yuan or yen."""
    if one == other:
        return True
    pair = {one, other}
    return ("$" in pair and pair <= _DOLLARS) or ("¥" in pair and pair <= _YUAN_OR_YEN)
