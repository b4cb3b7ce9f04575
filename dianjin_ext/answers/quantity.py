"""The grammar of one quantity in plain notation; see `dianjin_ext.answers.numbers`."""

import re
from fractions import Fraction
from typing import NamedTuple

from dianjin_ext.answers.chinese_numerals import DIGIT, PLACE, read_numeral
from dianjin_ext.answers.units import (
    CAPITAL_SCALES,
    CURRENCY_SIGNS,
    CURRENCY_WORDS,
    RATES,
    SCALES,
    UNITS,
    alternatives,
    same_currency,
)

_MAX_DIGITS = 60
_UNGROUPED = str.maketrans("", "", ",'’ ")
_GROUPED = (
    r"[0-9]{1,2}(?:,[0-9]{2})+,[0-9]{3}"  # India's: 12,34,567
    r"|[0-9]{1,3}(?:['’][0-9]{3})+"
    r"|[0-9]{1,3}(?:\ [0-9]{3}){2,}|[0-9]{1,3}\ [0-9]{3}(?=\.[0-9])"  # `5 600` may be two numbers
)
_DIGITS = (  # atomic: what is read as digits is not tried again with fewer of them
    rf"(?>(?:[0-9]{{1,3}}(?:,[0-9]{{3}})+|{_GROUPED}|[0-9]+)(?:\.[0-9]*)?|\.[0-9]+)"
)
_WORDS = f"[{DIGIT}十百千]+|[0-9]+"
_SIGNS = alternatives(CURRENCY_SIGNS)
_MONEY = alternatives([*CURRENCY_SIGNS, *CURRENCY_WORDS])
_UNIT = alternatives(UNITS)
_ABOUT = (
    r"approximately|approx\.?|about|around|roughly|circa|~|≈"
    r"|大约为?|大概为?|约等于|约[为是]?|近似为?"
)
_QUANTITY = re.compile(
    rf"""
    (?P<about>(?:{_ABOUT})\ ?)?
    (?:每(?P<each>{_UNIT})\ ?)?
    (?P<annual>年化|年均|annual(?:ized|ised)?\ )?
    (?P<open>\()?
    (?P<sign>[+-]|负|minus\ |negative\ )?\ ?
    (?P<rated>[百千万]分之)?
    (?:(?P<money>{_SIGNS})\ ?(?P<symbol>[$¥€£]\ ?)?)?
    (?P<open2>\()?
    (?P<sign2>[+-])?
    (?:
      (?P<digits>{_DIGITS})
      (?:e(?P<exponent>[+-]?[0-9]{{1,3}})|\ ?[×x·*]\ ?10\ ?\^\ ?(?P<power>[+-]?[0-9]{{1,3}}))?
      |(?=[^/]*/\ ?[0-9.-])(?P<over>{_DIGITS})\ ?/\ ?(?P<undersign>-)?(?P<under>{_DIGITS})
      |(?=[^/]*/[0-9])(?P<whole>[0-9]+)\ (?P<part>[0-9]+)/(?P<parts>[0-9]+)
      |(?P<denominator>{_WORDS})分之(?P<numerator>{_WORDS})
      |(?P<numeral>[0-9]*[{DIGIT}{PLACE}][{DIGIT}{PLACE}0-9]*(?:[点點][{DIGIT}]+)?)
    )
    (?P<close>\))?
    (?:(?=\ ?[A-Z$¥€£₤₩₹人])\ ?(?P<money3>{_SIGNS})(?=\ ?(?:{alternatives(SCALES)})))?
    \ ?(?P<scale>{alternatives(SCALES)}|(?-i:{alternatives(CAPITAL_SCALES)}))?
    (?P<close2>\))?
    \ ?(?P<rate>{alternatives(RATES)})?
    \ ?(?P<money2>{_MONEY})?
    \ ?(?P<unit>{_UNIT})?
    (?:\ ?(?:/\ ?|per\ |a\ |每)(?P<per>{_UNIT}|{_MONEY})|\ ?(?P<yearly>annually|p\.a\.?))?
    (?P<close3>\))?
    (?P<about2>\ ?(?:左右|上下|or\ so|approximately|approx\.)
      |\ ?\((?:approx|rounded|保留|四舍五入)[^()]*\))?
    """,
    re.VERBOSE | re.IGNORECASE,
)
_RATED = {"百分之": 100, "千分之": 1000, "万分之": 10_000}
_CURRENCIES = {word.lower(): name for word, name in (CURRENCY_SIGNS | CURRENCY_WORDS).items()}
_PER = UNITS | _CURRENCIES


class Number(NamedTuple):
    """A quantity: what it is worth, and how it was written.

    Attributes:
        value: What it means: 0.125 for `12.5%`, 50000 for `5万元`; of a range, the lower end.
        step: What one unit of the last digit is worth: 0.001 for `12.5%`; 0 for a fraction.
        scale: What a scale multiplied by: 10000 for `5万元`; 1 without one.
        rate: What a rate divided by: 100 for `12.5%`; 1 without one.
        currency: An ISO code, or `$` or `¥` where it may be one of several; empty without one.
        unit: What is counted, as named in `dianjin_ext.answers.units`; empty without one.
        per: What it is counted per: `share` for `$5 per share`; empty without one.
        approximate: Whether it was said to be approximate.
        high: The upper end of a range; None for a single number.
        worded: Whether the currency stands after the number, as in `5元`: it is meant in just that.
        falls: Whether words made it negative: `下降5%`, `Net loss = 5`.
    """

    value: Fraction
    step: Fraction
    scale: int = 1
    rate: int = 1
    currency: str = ""
    unit: str = ""
    per: str = ""
    approximate: bool = False
    high: Fraction | None = None
    worded: bool = False
    falls: bool = False

    @property
    def written(self) -> Fraction:
        """The number before its scale and its rate: 12.5 for `12.5%`."""
        return self.value * self.rate / self.scale

    def times(self, factor: Fraction | int) -> "Number":
        """Return the quantity with its value and its upper end multiplied."""
        if factor == 1:
            return self
        high = None if self.high is None else self.high * factor
        return self._replace(value=self.value * factor, high=high)

    @property
    def bare(self) -> bool:
        """Whether nothing says in what it is meant: no scale, rate, unit or currency after it."""
        return self.scale == self.rate == 1 and not self.unit and not self.worded


def read_quantity(text: str) -> Number | None:
    """Read one quantity from end to end, or return None."""
    match = _QUANTITY.fullmatch(text)
    if match is None:
        return None
    group = match.groupdict()
    opened = bool(group["open"]) + bool(group["open2"])
    closed = sum(bool(group[name]) for name in ("close", "close2", "close3"))
    signs = bool(group["sign"]) + bool(group["sign2"]) + bool(group["undersign"])
    core = _core(group)
    if core is None or opened != closed or opened + signs > 1 or (group["rated"] and group["rate"]):
        return None
    currency = _currency(group)
    kinds = bool(currency) + bool(group["unit"]) + bool(group["rate"] or group["rated"])
    # `$5%` counts nothing, `三万千` has two scales, and `(1/2)` is no accounting negative.
    if currency is None or kinds > 1 or (core.scale > 1 and group["scale"]):
        return None
    if opened and not core.step:
        return None
    per = group["per"] or group["each"] or ""
    yearly = bool(group["yearly"] or group["annual"])
    if (group["each"] or group["annual"]) and (group["per"] or group["yearly"]):
        return None
    word = group["scale"] or ""
    times = CAPITAL_SCALES.get(word) or SCALES.get(word.lower(), 1)
    rate = _RATED.get(group["rated"] or "") or RATES.get((group["rate"] or "").lower(), 1)
    negative = opened or group["undersign"] or group["sign"] not in (None, "+")
    negative = negative or group["sign2"] == "-"
    under = core.under * rate
    return Number(
        Fraction((-core.over if negative else core.over) * times, under),
        Fraction(core.step * times, under),
        core.scale * times,
        rate,
        currency,
        UNITS.get((group["unit"] or "").lower(), ""),
        _PER.get(per.lower(), "year" if yearly else ""),
        bool(group["about"] or group["about2"]),
        worded=bool(group["money2"]),
    )


class _Core(NamedTuple):
    """A number without its affixes: `over / under`, exact to `step / under`."""

    over: int
    under: int
    step: int
    scale: int = 1


def _core(group: dict[str, str | None]) -> _Core | None:
    if group["digits"]:
        return _decimal(group["digits"], int(group["exponent"] or group["power"] or 0))
    if group["numeral"]:
        numeral = read_numeral(group["numeral"])
        return numeral and _Core(*numeral[:2], numeral.scale, numeral.scale)
    if group["over"] and group["under"]:
        return _fraction(_decimal(group["over"]), _decimal(group["under"]))
    if group["numerator"] and group["denominator"]:
        return _fraction(_integer(group["numerator"]), _integer(group["denominator"]))
    below = _fraction(_integer(group["part"]), _integer(group["parts"]))
    whole = _integer(group["whole"])
    if below is None or whole is None or below.over >= below.under:
        return None
    return _Core(whole.over * below.under + below.over, below.under, 0)


def _decimal(digits: str, shift: int = 0) -> _Core | None:
    if len(digits) > _MAX_DIGITS:
        return None
    whole, _, decimals = digits.translate(_UNGROUPED).partition(".")
    shift -= len(decimals)
    step, under = (10**shift, 1) if shift > 0 else (1, 10**-shift)
    return _Core(int(whole + decimals) * step, under, step)


def _integer(text: str | None) -> _Core | None:
    if not text or len(text) > _MAX_DIGITS:
        return None
    if text[0] in "0123456789":
        return _Core(int(text), 1, 1)
    numeral = read_numeral(text)
    return numeral and _Core(numeral.digits, numeral.parts, 1)


def _fraction(over: _Core | None, under: _Core | None) -> _Core | None:
    if over is None or under is None or not under.over:
        return None
    return _Core(over.over * under.under, over.under * under.over, 0)


def _currency(group: dict[str, str | None]) -> str | None:
    """Return the currency, which may stand before and after; None where the two differ."""
    symbol = (group["symbol"] or "").strip()
    words = (group["money"], symbol, group["money2"], group["money3"])
    named = {_CURRENCIES[word.lower()] for word in words if word}
    if len(named) < 2:
        return named.pop() if named else ""
    codes = named - {"$", "¥"}
    if len(codes) != 1 or not all(same_currency(name, *codes) for name in named):
        return None
    return codes.pop()
