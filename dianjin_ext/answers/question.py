"""What a question says of the number that it asks for: its scale, and whether it is a decrease.

Only the question itself counts, never the table or the story before it.
"""

import re
from collections.abc import Mapping
from fractions import Fraction
from functools import lru_cache
from typing import Any, Final, NamedTuple

from dianjin_ext.answers.direction import asks_for_fall
from dianjin_ext.answers.quantity import read_quantity

_MARK = re.compile(r"(?:^|\n)\s*(?:\*\*)?(?:Question|Q|问题|问)(?:\*\*)?\s*[:：]", re.IGNORECASE)
_ANSWER = re.compile(r"\n?\s*(?:Answer|A|答案|答)\s*[:：]\s*$", re.IGNORECASE)
_LONGEST: Final = 600
"""Characters; of a longer text only the last paragraph is the question."""

_WINDOW, _END = 20_000, 40
"""Characters at the end of a text that are looked at, for the question and for `Answer:`."""

_SCALE_WORDS = {"hundred": 100, "thousand": 10**3, "million": 10**6, "billion": 10**9}
_SCALE_WORDS |= {"trillion": 10**12, "mn": 10**6, "bn": 10**9}
_SCALE_ZH = {"千": 10**3, "万": 10**4, "十万": 10**5, "百万": 10**6, "千万": 10**7, "亿": 10**8}
_SCALE_ZH |= {"十亿": 10**9, "百亿": 10**10, "千亿": 10**11, "万亿": 10**12}
_EN = "hundred|thousand|million|billion|trillion|mn|bn"
_ZH = "万亿|千亿|百亿|十亿|千万|百万|十万|千|万|亿"
_MONEY = r"(?:u\.?s\.? ?|us)?(?:\$|dollars?|usd|rmb|cny|eur|euros?|gbp|pounds?|yuan|yen)"
_NAMED: Final = re.compile(
    rf"\b(?:in|as|to)(?: the)?(?: (?:unit|nearest)s?(?: of)?)? (?:{_MONEY} )?(?P<in>{_EN})s?\b"
    rf"|\b(?:in|as) {_MONEY}(?P<in2>{_EN})s?\b"
    rf"|\((?:in )?(?:{_MONEY} )?(?P<bracketed>{_EN})s?(?: of)?(?: {_MONEY})?\)"
    rf"|\bhow many (?P<many>{_EN})s?\b|\bwhat (?P<what>{_EN})s? of\b"
    rf"|单位\s*(?:[:：]|是|为)?\s*(?:人民币)?\s*(?P<unit>{_ZH})"
    rf"|(?:多少|几)个?(?P<how>{_ZH})|以(?P<by>{_ZH})[^\s，。？?]{{0,3}}为单位"
    rf"|[（(]\s*(?P<zh>{_ZH})(?:元|美元|港元|人民币|股|份)\s*[)）]",
    re.IGNORECASE,
)
# Sentences and clauses, and what makes one of them a question or a wish for a unit.
_CLAUSES: Final = re.compile(r"(?<=[?？。；;])\s*|(?<=\.)\s+|(?<=[，,])\s*")
_ASKS: Final = re.compile(
    r"\b(?:what|how|which|calculate|compute|find|determine|express|answer|give|state|report|round"
    r"|provide|show|estimate|derive)\b|[?？多几求]|计算|以|单位|给出|表示|回答|[（(]\s*[)）]",
    re.IGNORECASE,
)
_SUBORDINATE: Final = re.compile(
    r"^\s*(?:if|given|when|where|with|assum\w+|suppos\w+|because|since|although|of the)\b"
    r"|^\s*(?:若|如果|假设|已知|设|当)",
    re.IGNORECASE,
)
_OTHER_UNIT: Final = re.compile(
    r"\b(?:per (?!year|annum|quarter|month)"
    r"|(?:eps|each|yield|multiple|p/e|price|turnover|days|ratios?)\b)"
    rf"|\bhow many (?!(?:{_EN}|shares|dollars|units)s?\b)(?![a-z]+ ?,? ?\(?in {_EN})"
    r"|每|周转|收益率|利率|倍|回收期|年限|人数|次数|天数"
    r"|多少(?:年|天|个月|月|人|家|次|倍|元|美元|股|份|个)|几(?:年|天|个月|人|家|次|倍|元|股)",
    re.IGNORECASE,
)
# `20 (in millions)`, `net income (in millions) of 20`: the scale of a number that is given.
_GIVEN_BEFORE: Final = re.compile(r"[0-9]\s*[)）]?\s*$")
_GIVEN_AFTER: Final = re.compile(
    r"\s*[)）]?\s*(?:[元股]\s*[)）]?\s*)?(?:(?:was|is|are|were|of|=|:|：|为|是|共|有)\s*)?[$¥]?\s*"
    r"[0-9]+(?![0-9]*年)",
    re.IGNORECASE,
)
_YEAR: Final = re.compile(r"\s*[)）]?\s*(?:[^0-9]*)(?:19|20)[0-9]{2}(?![0-9])")
# What has no scale whatever else the question says.
_SHARE: Final = re.compile(
    r"\bpercent|\b(?:ratio|rate|margin|proportion|fraction|portion|times|growth|roi|share of)\b"
    r"|百分|比例|比率|占比|率(?:是|为|约|有)?多少|多少倍|几倍|几成|增长率|增幅|幅度",
    re.IGNORECASE,
)


class Asked(NamedTuple):
    """What a question says of its number.

    Attributes:
        factor: What a number without a scale of its own is multiplied by: 10⁶ for `in millions`,
            1/100 for per cent; None where the question says nothing.
        fall: Whether it asks how far something fell.
    """

    factor: Fraction | None = None
    fall: bool = False


NOTHING: Final = Asked()


def asked(extra_info: Mapping[str, Any]) -> Asked:
    """Return what a row says of its number.

    `extra_info["scale"]` (`million`, `percent`, `万元`, …; empty for none) comes before what
    `extra_info["question"]` says.
    """
    question, scale = extra_info.get("question"), extra_info.get("scale")
    if not isinstance(question, str):
        question = ""
    if not isinstance(scale, str):
        scale = None
    return _asked(question, scale) if question or scale else NOTHING


def only_question(text: str) -> str:
    """Return the question at the end of a text that may tell a story or show a table first."""
    text = text.rstrip()[-_WINDOW:]
    text = text[:-_END] + _ANSWER.sub("", text[-_END:])
    marks = list(_MARK.finditer(text))
    if marks:
        return text[marks[-1].end() :].strip()
    if len(text) > _LONGEST:
        text = text.rstrip().rsplit("\n", 1)[-1]
        text = text if len(text) <= _LONGEST else text[-_LONGEST:]
    return text.strip()


@lru_cache(maxsize=4096)  # the same for all rollouts of a row
def _asked(text: str, scale: str | None) -> Asked:
    question = only_question(text) if text else ""
    factor = _scale(question) if scale is None else _named_scale(scale)
    return Asked(factor, asks_for_fall(question))


def _named_scale(name: str) -> Fraction | None:
    number = read_quantity(f"1 {name.strip()}") or read_quantity(f"1{name.strip()}")
    if number is None or number.scale == number.rate:
        return None
    return Fraction(number.scale, number.rate)


def _scale(question: str) -> Fraction | None:
    if not question or _SHARE.search(question):
        return None
    asked_for = _asked_for(question)
    if _OTHER_UNIT.search(asked_for):
        return None
    named = {
        _SCALE_WORDS.get(word.lower()) or _SCALE_ZH[word]
        for match in _NAMED.finditer(asked_for)
        if not _given(asked_for, match)
        for word in match.groups()
        if word
    }
    return Fraction(named.pop()) if len(named) == 1 else None


def _asked_for(question: str) -> str:
    """Return the clauses of a question that ask, and those that only name a unit."""
    clauses = _CLAUSES.split(question)
    asking = [not _SUBORDINATE.search(clause) and bool(_ASKS.search(clause)) for clause in clauses]
    if not any(asking):
        return question
    kept = [
        clause
        for clause, asks in zip(clauses, asking, strict=True)
        if asks or _NAMED.match(clause.lstrip()) or _NAMED.match(clause.lstrip(" (（"))
    ]
    return " ".join(kept)


def _given(text: str, match: re.Match[str]) -> bool:
    """Whether a scale is that of a number that the question gives."""
    if match["many"] or match["what"] or match["how"]:
        return False
    before = text[max(0, match.start() - 12) : match.start()]
    if _GIVEN_BEFORE.search(before):
        return not re.search(r"(?:19|20)[0-9]{2}\s*$", before)
    after = text[match.end() : match.end() + 24]
    return bool(_GIVEN_AFTER.match(after)) and not _YEAR.match(after)
