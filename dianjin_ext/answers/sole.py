"""The one quantity of a short answer without a marker: `The capital expenditure is $1,577 million`.

Read are answers of one sentence that states one quantity, after a word such as `is`, `paid`, 为
or 达; what the question names already (a year, `3M`) doesn't count. A second sentence may follow
that has no digits, or says how the quantity was found. A condition, a doubt, a bound or a second
quantity makes it no answer.
"""

import re
from typing import Final

from dianjin_ext.answers.numbers import Number, read_number
from dianjin_ext.answers.reading import Reading
from dianjin_ext.answers.units import (
    CURRENCY_SIGNS,
    CURRENCY_WORDS,
    RATES,
    SCALES,
    UNITS,
    alternatives,
)

_LONGEST: Final = 600  # characters
_SENTENCE = re.compile(r"(?<=[。！!])|(?<=(?<!U\.S)(?<!Inc)(?<!Corp)(?<!Co)(?<!vs)\.)\s+|\n+")
_HOW = re.compile(
    r"(?:This|It|That|The (?:calculation|figure|amount|value|number|information))\b[^.]{0,40}?"
    r"\b(?:calculated|found|obtained|derived|computed|based|determined|listed|reported|shown|seen"
    r"|represented|stated|taken)\b|(?:该|此|这)(?:数据|数值|金额|结果)",
    re.IGNORECASE,
)
_DOUBT = re.compile(
    r"\b(?:not|no|if|unless|whether|or|could|might|(?-i:may)|cannot|unable|insufficient"
    r"|however|but|assum\w+|suppos\w+|perhaps|maybe|more than|less than|at least|at most|up to"
    r"|(?:over|under|above|below)(?= ?[$€£¥]?[0-9])"
    r"|between(?=\s?[-$€£¥(]{0,2}[0-9])|nearly|almost|exceed\w*|target\w*|expect\w*|potentially)\b|n['’]t\b|[?？<>≥≤±]"
    r"|不|没|无|未|如果|若|假设|超过|至少|至多|以上|以下|大于|小于|或|可能|预计|但",
    re.IGNORECASE,
)
_YEAR = re.compile(
    r"(?<![$€£¥0-9.,])(?:FY|Q[1-4] ?(?:FY)?|'|’)?(?:(?:19|20)[0-9]{2})(?:年度?)?(?![0-9.,]*[0-9%])"
    r"(?! ?(?:million|billion|thousand|万|亿|元))|\bQ[1-4]\b|[一二三四]季度",
    re.IGNORECASE,
)
_WORK = re.compile(r"\s?\([^()]*[/×*+÷=][^()]*\)")
_QUANTITY = re.compile(
    r"(?:(?:approximately|about|around|约为?|大约) ?)?[-−–(]?\s?"
    rf"(?:{alternatives(CURRENCY_SIGNS)})?\s?[-−–]?[0-9][0-9,]*(?:\.[0-9]+)?\)?\s?(?:{alternatives(SCALES)})?\s?"
    rf"(?:{alternatives(RATES)})?\s?(?:{alternatives(CURRENCY_WORDS)})?"
    rf"(?:{alternatives(UNITS)})?",
    re.IGNORECASE,
)
_STATES = re.compile(
    r"(?:\b(?:is|was|are|were|be|of|by|at|equals?|totall?ed|totals|paid(?: out)?|generated|reported"
    r"|reached|recorded|earned|had|spent|amount(?:s|ed) to|comes? to|increased by|returned)"
    r"|[=:：是为达]|等于|达到|共计|合计|约) ?$",
    re.IGNORECASE,
)
_GOES_ON = re.compile(
    r"\s?(?:$|[.,，。;；)]|\s?(?:in|for|of|at|during|per|on|from|as|and|when|with|after|to)\b)"
)
_NO_ANSWER: Reading[Number] = Reading(None, "no_answer")


def read_sole(text: str, question: str = "") -> Reading[Number]:
    """Read the one quantity that `text` states (see the module).

    Args:
        text: The answer of a response.
        question: The question; what stands in it is not an answer to it.
    """
    text = text.strip()
    if not text or len(text) > _LONGEST:
        return _NO_ANSWER
    first, *others = [part for part in _SENTENCE.split(text) if part.strip()]
    rest = " ".join(others)
    if rest and (_DOUBT.search(rest) or (re.search("[0-9]", rest) and not _HOW.match(rest))):
        return _NO_ANSWER
    said = _YEAR.sub("#", _WORK.sub("", first))
    found = [
        match
        for match in _QUANTITY.finditer(said)
        if match[0].strip() and not _given(match[0].strip(), question)
    ]
    if len(found) != 1 or _DOUBT.search(said):
        return _NO_ANSWER
    quantity = found[0]
    if not _STATES.search(said[: quantity.start()]) or not _GOES_ON.match(said[quantity.end() :]):
        return _NO_ANSWER
    return read_number(quantity[0].strip())


def _given(quantity: str, question: str) -> bool:
    """Whether a quantity stands in the question, and only repeats it."""
    place = question.find(quantity)
    return place >= 0 and not question[place + len(quantity) :][:1].isdigit()
