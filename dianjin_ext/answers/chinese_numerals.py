"""Chinese numerals, and digits mixed with them: `三千二百万`, `1亿2000万`, `三点五`, `二〇二四`."""

import re
from typing import NamedTuple

_DIGITS = {**{c: i for i, c in enumerate("零一二三四五六七八九")}, "两": 2}
_DIGITS |= {c: i for i, c in enumerate("0123456789")}
_PLACES = {"十": 10, "百": 100, "千": 1000}
# Numerals as they stand on cheques, and traditional ones.
_COMMON = str.maketrans(
    "壹贰叁肆伍陆柒捌玖拾佰仟萬億兩貳參陸點", "一二三四五六七八九十百千万亿两二三六点"
)

DIGIT = "零〇一二两三四五六七八九壹贰叁肆伍陆柒捌玖貳參陸兩"
PLACE = "十百千万亿拾佰仟萬億"
_LONGEST = 40
# Digits in a numeral stand before a place: `3千5百`, `1亿零500万`, but neither `一6` nor `十5`.
_MIXED = re.compile("(?:零?[0-9]+[千百]?[万亿]*)+")


class Numeral(NamedTuple):
    """A numeral: `digits / parts`, and the scale that it ends with: 10000 for `三千二百万`."""

    digits: int
    parts: int
    scale: int


def read_numeral(text: str) -> Numeral | None:
    """Read a numeral from end to end.

    Colloquial forms that leave out the last place (`一万五` for 15,000) are not read.
    """
    if len(text) > _LONGEST:
        return None
    whole, point, decimals = text.translate(_COMMON).replace("〇", "零").partition("点")
    if re.search("[0-9]", text) and (point or not _MIXED.fullmatch(whole)):
        return None
    value = _whole(whole)
    if value is None:
        return None
    if not point:
        scale = {"万": 10**4, "亿": 10**8}.get(whole[-1], 1)
        return Numeral(value, 1, scale)
    if value > 9999 or not decimals or not all(c in _DIGITS for c in decimals):
        return None
    parts = 10 ** len(decimals)
    return Numeral(value * parts + _each(decimals), parts, 1)


def _each(text: str) -> int:
    """Read digits one by one."""
    return int("".join(str(_DIGITS[char]) for char in text))


def _whole(text: str) -> int | None:
    if len(text) > 1 and all(c in _DIGITS and not c.isdecimal() for c in text):
        return _each(text)
    return _below(text, 10**16)


def _below(text: str, limit: int) -> int | None:
    """Read a numeral below `limit`, with 亿 and 万."""
    for mark, scale in (("亿", 10**8), ("万", 10**4)):
        head, found, tail = text.rpartition(mark)
        if not found or mark in head:
            continue
        many = _below(head, scale)
        if not many or many * scale >= limit:
            return None
        if not tail:
            return many * scale
        rest = _below(tail, scale)
        # `一万五` and `3万5` leave out a place; `3万5000` and `一万零五` don't.
        short = (tail.isdigit() and len(tail) < 3) or (len(tail) == 1 and tail not in _PLACES)
        return None if rest is None or short else many * scale + rest
    return int(text) if re.fullmatch("[0-9]{1,4}", text) else _section(text)


def _section(text: str) -> int | None:
    """Read a numeral below 10,000."""
    if text == "零":
        return 0
    total, digit, place, gap = 0, None, 10_000, False
    for position, char in enumerate(text):
        if char == "零":
            if digit is not None or gap:
                return None
            gap = True
        elif char in _DIGITS:
            if digit is not None:
                return None
            digit = _DIGITS[char]
        elif char in _PLACES and _PLACES[char] < place:
            if digit is None and not (char == "十" and position == 0):
                return None
            if gap and _PLACES[char] * 10 == place:  # `一百零五十`: 零 stands for no place
                return None
            place = _PLACES[char]
            total += (1 if digit is None else digit) * place
            digit, gap = None, False
        else:
            return None
    if digit is None:
        return None if gap or not text else total
    # After 百 or 千 a last digit needs 零 before it: `一百零五`; `一百五` leaves out a place.
    if total and place > 10 and not gap:
        return None
    return total + digit
