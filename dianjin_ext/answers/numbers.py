r"""One quantity, read exactly and from end to end.

Read, alone or together:

- digits: `1,234.50`, `.5`, full-width digits, `1.2e-3`, `1.2\times10^{3}`, `1.2×10³`; fractions
  `3/4`, `\frac{3}{4}`, `1 1/2`, `四分之三`; numerals `三千二百万`, `1亿2000万`, `三点五`;
- signs: `-3`, `−3`, `+3`, `负3`, `minus 3`, and accounting negatives `(5)`, `($5)`, `(5%)`;
- scales: `万`, `亿`, `百万`, `million`, `bn`, `k`, …, which multiply;
- rates: `%`, `percent`, `百分之五`, `个百分点`, `‰`, `bps`, which divide;
- currencies and units of the lists in `dianjin_ext.answers.units`, also `5元/股`, `每股5元`,
  `$5 per share`, `5% p.a.`, `0.95 CAD/USD` and `5 (million)`;
- `约`, `about`, `≈`, `左右`: the number is read as it stands, and marked approximate;
- ranges: `5-7%`, `5到7万元`, `between 5 and 7`; the lower end takes what only the upper one has;
- what the quantity is called, before an equals sign: `NPV = 5`, `P_0 ≈ 50`, `净利润=5亿元`;
  a unit in the name counts (`Growth (%) = 5`), and a name in Chinese needs no sign: `增长率为5%`;
- the way it goes, in the words of `dianjin_ext.answers.direction`: `增长12.5%`, `12.5% increase`;
  where it falls it is negative: `下降12.5%`, `a decrease of 12.5%`, `Net loss = 5`;
- one quantity in two forms: `0.2 or 20%`, `$5 million ($5,000,000)`.

Two quantities that differ are `ambiguous`. Everything else is `no_answer`: other words and units,
bounds (`more than 5`), formulas, superscripts, footnotes, a comma that doesn't separate thousands,
more than 60 digits, exponents of more than three digits.
"""

import re
from fractions import Fraction

from dianjin_ext.answers.chinese_numerals import DIGIT, PLACE
from dianjin_ext.answers.direction import beside, is_level, named
from dianjin_ext.answers.number_text import plain_number
from dianjin_ext.answers.quantity import Number, read_quantity
from dianjin_ext.answers.reading import MAX_LENGTH, Reading
from dianjin_ext.answers.said_unit import said_unit, unit_of_name
from dianjin_ext.answers.text import drop_lead
from dianjin_ext.answers.units import same_currency

__all__ = ["Number", "read_number", "round_to"]

_PLAIN = re.compile(
    r"([+-]?)([0-9]{1,3}(?:,[0-9]{3}){1,9}|[0-9]{1,30})(?:\.([0-9]{0,30}))?(?:\\?(%))?"
)
_HAS_DIGIT = re.compile(f"[0-9{DIGIT}{PLACE}]")
_BETWEEN = re.compile(
    r"between (?P<low>.+) and (?P<high>.+)|from (?P<low2>.+) to (?P<high2>.+)"
    r"|(?:在|介于)(?P<low3>.+)[和与到至](?P<high3>.+)之间",
    re.IGNORECASE,
)
_TO = re.compile(r"(?<=[^\s(~-])(?:-| - |~| ~ | ?[到至] ?| to )(?=[^\s-]|-[0-9])", re.IGNORECASE)
_AGAIN = re.compile(
    r"(.+?)(?:,? or |,? ?i\.e\.,? ?|,? ?(?:或者?|即)| ?\((?=.+\)$)(?:or |i\.e\.,? ?|[即或])?)"
    r"(.+?)\)?",
    re.IGNORECASE,
)
# What a quantity is called: NPV, P_0, d1, \beta; formulas are no names.
_NAME = re.compile(
    r"([A-Za-z][0-9]{1,2}|\\?[^\W\d_]"
    r"(?:[^\W\d]|[ '’&%$()]|(?<=[A-Za-z]{3})/(?=[A-Za-z]{3})|,(?= in )){0,80}"
    r"(?:(?<=_)[A-Za-z0-9]{1,20})?)"
    r" ?[=≈:] ?(?=[^=≈:]+$)"
)
# A name in Chinese, with or without a copula: `增长率为5%`, `年化收益率5%`.
_NAME_ZH = re.compile(
    r"([\u4e00-\u9fff]{2,20}?)(?:约?为|是|达到?)约? ?(?=[^为是达]+$)"
    r"|([\u4e00-\u9fff]{0,14}?(?:率|增速|[同环]比)) ?约?(?=[-+0-9$¥])"
)
_FUNCTION = re.compile(r"\\?(?:sqrt|ln|log|exp|max|min|sum|int|lim|sin|cos|prod|over)(?![a-z]{2})")
_DOUBT = re.compile(
    r"\b(?:no(?!\.)|not|wrong|false|incorrect|if|unless|suppos\w+|assum\w+|maybe|perhaps|or)\b|n['’]t\b"
    r"|[不没未非无否错误若或]|如果|假[设如定]|除非|可能|至[少多]|[大小多少]于|超|逾|接近|百分之|最[多少高低大小]$"
    r"|(?:学生|同学|考生|别人|他人|[上下另]一?题)[^=:]{0,6}答案|(?:student|other|someone)[^=:]{0,12}answer",
    re.IGNORECASE,
)
_UNIT_BEHIND = re.compile(
    r"(.*[0-9万亿元a-z%]) ?\(([^\W\d][^()\d]{0,40}|[$¥€£%‰][^()\d]{0,40})\)",
    re.IGNORECASE,
)
_YEAR_ON_YEAR = re.compile(
    r",? ?\(?(?:yoy|y/y|y-o-y|year[- ]over[- ]year|qoq|q/q)\)?$", re.IGNORECASE
)
_NO_ANSWER: Reading[Number] = Reading(None, "no_answer")


def read_number(text: str) -> Reading[Number]:
    """Read `text` as one quantity (see the module)."""
    plain = _PLAIN.fullmatch(text)
    if plain is not None:
        return Reading(_plain(*plain.groups("")))
    if len(text) > MAX_LENGTH:
        return _NO_ANSWER
    cleaned = plain_number(text)
    if not cleaned or not _HAS_DIGIT.search(cleaned):
        return _NO_ANSWER
    cleaned = drop_lead(cleaned).rstrip("。. ")
    way = unit = ""
    named_so = "=" in cleaned or ":" in cleaned or "≈" in cleaned
    if named_so and (name := _NAME.match(cleaned)) and not _DOUBT.search(name[1]):
        if _FUNCTION.match(name[1]):
            return _NO_ANSWER
        cleaned = cleaned[name.end() :]
        way, unit = named(name[1]), unit_of_name(name[1])
    reading = _read(f"{cleaned} ({unit})" if unit else cleaned)
    if reading.value is None and not way and not unit:
        way, reading = _in_words(cleaned, reading)
    return _fallen(reading) if way == "down" and reading.value is not None else reading


def round_to(value: Fraction, step: Fraction) -> Fraction:
    """Return the multiple of `step` next to `value`, half to even; `value` where `step` is 0."""
    return round(value / step) * step if step else value


def _in_words(text: str, reading: Reading[Number]) -> tuple[str, Reading[Number]]:
    """Read a quantity with words around it: which way it goes, and its value."""
    if directed := beside(text):
        told = _read(directed.rest.strip())
        if told.value is not None:
            return directed.way, told
    name = _NAME_ZH.match(text)
    if name is not None and not _DOUBT.search(name[0]) and not is_level(name[0]):
        return named(name[1] or name[2]), _read(text[name.end() :])
    if (said := _YEAR_ON_YEAR.search(text)) is not None:
        return "", _read(text[: said.start()])
    return "", reading


def _read(text: str) -> Reading[Number]:
    found = read_quantity(text) or _range(text)
    if found is None and (parts := _UNIT_BEHIND.fullmatch(text)):
        number, unit = parts[1].rstrip(), said_unit(parts[2])
        if unit:
            found = read_quantity(f"{number} {unit}") or _said_twice(number, unit)
    return _again(text) if found is None else Reading(found)


def _said_twice(text: str, unit: str) -> Number | None:
    """Read a quantity behind which its unit stands again: `$5 million (in USD millions)`."""
    number, again = read_quantity(text), read_quantity(f"1 {unit}")
    if number is None or again is None or number.scale != again.scale or number.rate != again.rate:
        return None
    same = not number.currency or not again.currency
    same = same or same_currency(number.currency, again.currency)
    return number if same and not again.unit else None


def _fallen(reading: Reading[Number]) -> Reading[Number]:
    """Turn the sign of a quantity that words say falls; a sign of its own makes it `ambiguous`."""
    number = reading.value
    if number is None or number.value < 0 or number.high is not None:
        return Reading(None, "ambiguous")
    return Reading(number._replace(value=-number.value, falls=True))


def _plain(sign: str, whole: str, decimals: str, percent: str) -> Number:
    rate = 100 if percent else 1
    below = 10 ** len(decimals) * rate
    digits = int(whole.replace(",", "") + decimals)
    return Number(
        Fraction(-digits if sign == "-" else digits, below), Fraction(1, below), rate=rate
    )


def _range(text: str) -> Number | None:
    between = _BETWEEN.fullmatch(text)
    if between is not None:
        ends = [end for end in between.groups() if end]
    else:
        mark = _TO.search(text)
        if mark is None:
            return None
        ends = [text[: mark.start()], text[mark.end() :]]
    low, high = (read_quantity(end.strip()) for end in ends)
    if low is None or high is None:
        return None
    value, step = low.value, low.step
    if low.scale == 1 and low.rate == 1:
        factor = Fraction(high.scale, high.rate)
        value, step = value * factor, step * factor
    elif (low.scale, low.rate) != (high.scale, high.rate):
        return None
    if value >= high.value or (low.currency and high.currency not in ("", low.currency)):
        return None
    return high._replace(
        value=value,
        step=max(step, high.step),
        currency=high.currency or low.currency,
        unit=high.unit or low.unit,
        approximate=low.approximate or high.approximate,
        high=high.value,
    )


def _again(text: str) -> Reading[Number]:
    """Read the same quantity in two forms: with another scale or rate, or rounded."""
    parts = _AGAIN.fullmatch(text)
    if parts is None:
        return _NO_ANSWER
    one, other = read_quantity(parts[1]), read_quantity(parts[2])
    if one is None or other is None:
        return _NO_ANSWER
    finer, coarser = sorted((one, other), key=lambda number: number.step)
    two_forms = (one.scale, one.rate) != (other.scale, other.rate) or not finer.step
    two_forms |= one.approximate or other.approximate
    units = {one.currency, other.currency} - {""}, {one.unit, other.unit} - {""}
    same = round_to(finer.value, coarser.step) == coarser.value and max(map(len, units)) < 2
    same &= (finer.value == 0) == (coarser.value == 0)
    if not two_forms or not same:
        return Reading(None, "ambiguous")
    currency, unit = (next(iter(known), "") for known in units)
    rate, scale = max(one.rate, other.rate), max(one.scale, other.scale)
    return Reading(finer._replace(scale=scale, rate=rate, currency=currency, unit=unit))
