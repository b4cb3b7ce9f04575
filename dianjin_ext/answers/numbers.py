r"""One plain number, read exactly.

Read: `1,234.50`, `-3`, `−3`, `+3`, `.5`, `1.2e-3`, `1.2\times10^{3}`, full-width digits, a currency
sign (`$5`, `-$5`, `¥5`), accounting negatives (`(5)`, `($5)`, `(5%)`) and a percent sign.
Not read, and never taken for a part of something else: words and units (`5 million`, `5元`),
ranges, fractions, several numbers, superscripts (`10³`), a comma that doesn't separate thousands.
"""

import re
from decimal import Context, Decimal
from typing import NamedTuple

from dianjin_ext.answers.reading import MAX_LENGTH, Reading
from dianjin_ext.answers.text import drop_lead, plain

_CURRENCY = r"[$¥€£₩₹]"
_NUMBER = re.compile(
    rf"""
    (?P<open>\()?
    (?P<sign>[+-])?\ ?{_CURRENCY}?\ ?(?P<open2>\()?(?P<sign2>[+-])?
    (?P<digits>[0-9]{{1,3}}(?:,[0-9]{{3}})+(?:\.[0-9]*)?|[0-9]+(?:\.[0-9]*)?|\.[0-9]+)
    (?:[eE](?P<exponent>[+-]?[0-9]{{1,3}})
      |\ ?(?:×|\\times|\\cdot|\*)\ ?10\^(?P<power>-?[0-9]{{1,3}}))?
    (?P<close>\))?\ ?(?P<percent>%)?(?P<close2>\))?
    """,
    re.VERBOSE,
)
_DASHES = str.maketrans(dict.fromkeys("−–﹣‐", "-"))
# NFKC would turn 10³ into 103 and ② into 2.
_CHANGED_BY_NFKC = re.compile("[²³¹⁰⁴-⁹₀-₉①-⓿㉈-㊿¼-¾⅐-↉]")
_MAX_DIGITS = 60


class Number(NamedTuple):
    """A number as it was written.

    Attributes:
        written: The number before the percent sign: 12.5 for `12.5%`.
        percent: Whether a percent sign followed.
    """

    written: Decimal
    percent: bool

    @property
    def value(self) -> Decimal:
        """What the number means: 0.125 for `12.5%`."""
        # An explicit context: the default one would round to 28 digits.
        return self.written.scaleb(-2, Context(prec=999)) if self.percent else self.written


def read_number(text: str) -> Reading[Number]:
    """Read `text` as one plain number (see the module); `no_answer` for anything else."""
    if len(text) > MAX_LENGTH or _CHANGED_BY_NFKC.search(text):
        return Reading(None, "no_answer")
    cleaned = drop_lead(plain(text)).translate(_DASHES).rstrip("。")
    if len(cleaned) > 2 and cleaned[0] == cleaned[-1] == "$":
        cleaned = cleaned[1:-1].strip()
    match = _NUMBER.fullmatch(cleaned)
    if match is None:
        return Reading(None, "no_answer")
    group = match.groupdict()
    opened = (group["open"], group["open2"]).count("(")
    closed = (group["close"], group["close2"]).count(")")
    digits = group["digits"].replace(",", "")
    signed = group["sign"] or group["sign2"]
    if opened != closed or opened > 1 or (opened and signed) or len(digits) > _MAX_DIGITS:
        return Reading(None, "no_answer")
    if group["sign"] and group["sign2"]:
        return Reading(None, "no_answer")
    negative = bool(opened) or signed == "-"
    exponent = group["exponent"] or group["power"] or "0"
    written = Decimal(f"{'-' if negative else ''}{digits}E{exponent}")
    return Reading(Number(written, group["percent"] is not None))
