"""A unit that is named apart from its number: `(in millions)`, `（单位：万元）`, `Growth (%)`."""

import re

from dianjin_ext.answers.quantity import read_quantity

_LEAD = re.compile(
    r"(?:(?:all |the )?(?:amounts?|figures?|values?)? ?in |units?:? ?"
    r"|单位\s?[:：为是]?\s?)(?:the )?",
    re.IGNORECASE,
)
_AT_END = re.compile(r"\(([^()]{1,40})\)$|[, ](in [^()]{1,40})$|^((?:单位)?[^\x00-\x7f]{1,8}|%)$")


def said_unit(text: str) -> str:
    """Return the unit that `text` names, as it stands behind a number; empty where it names none.

    `in thousands of dollars` becomes `thousands dollars`. `text` must be plain.
    """
    lead = _LEAD.match(text)
    unit = (text[lead.end() :] if lead else text).replace(" of ", " ").strip()
    return unit if unit and read_quantity(f"1 {unit}") is not None else ""


def unit_of_name(name: str) -> str:
    """Return the unit that the name of a quantity ends with: `%` for `Growth (%)`."""
    match = _AT_END.search(name.strip())
    if match is None:
        return ""
    unit = said_unit(match[1] or match[2] or match[3])
    number = read_quantity(f"1 {unit}") if unit and match[3] else None
    return "" if number is not None and number.scale == number.rate else unit
