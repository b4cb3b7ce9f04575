"""What the words before a number in running text say of it: `a decrease of `, `Growth (%) = `."""

import re

from dianjin_ext.answers.direction import beside, is_level, is_term, named
from dianjin_ext.answers.said_unit import unit_of_name
from dianjin_ext.answers.units import (
    CURRENCY_SIGNS,
    CURRENCY_WORDS,
    RATES,
    SCALES,
    alternatives,
)

_WAY_BEFORE = re.compile(
    r"(?:(?<![A-Za-z])(?:an? |the )?(?:[a-z-]+ ){0,2}?"
    r"(?:loss(?:es)?|decreas(?:e[sd]?|ing)|declin(?:e[sd]?|ing)|reduc(?:tion|ed|es)|drops?|dropping"
    r"|falls?|falling|fell|dropped|lost|loses|shr[aiu]nk|down|lower|deficit|outflow|shortfall|gain"
    r"|increas(?:e[sd]?|ing)|rises?|rising|rose|grew|grows|growth|up)"
    r"(?: (?:of|by|is|was)|:| =|=)?"
    r"|(?:净亏损|亏损|净损失|减少|下降|下滑|下跌|降低|缩减|回落|跌幅|降幅|减幅|下降幅度|跌|负增长|净流出|逆差"
    r"|缺口|增长|增加|上升|上涨|提高|增幅|涨幅)[额度]?(?:了|达|为|是|约|:|：|=)*) ?\Z",
    re.IGNORECASE,
)
_ABOUT = re.compile(
    r"(?:\b(?:about|approximately|approx\.|around|roughly|some|of|to)|大约|大概|约|近似)"
    r"[为是]? ?\Z",
    re.IGNORECASE,
)
_NAME_BEFORE = re.compile(
    r"(?:^|[.,;!?，。；！？:：] ?)(?:so |thus |hence |therefore |then |and |所以|因此|故)?"
    r"(?P<name>[^.,;!?，。；！？:：=≈]{1,70}?) ?"
    r"(?:=|≈|:|：|[:：]|\b(?:is|was|are|were|equals?|(?:came|comes|amounts?|amounted) to|of)"
    r"|[为是达]|等于)[:：]? ?\Z",
    re.IGNORECASE,
)
_MAY_SAY = re.compile(
    r"[lL][oO][sw]|[cC]reas|[dD]ec|[rR]edu|[dD][re]|[dD]own|[fF][ae]l|[sS]h|flow|[gG][ar]|[rR][io]s|[uU]p"
    r"|[nN]eg|[%％）)亏损减降跌滑落缩逆缺增升涨提负出字元万亿千百股]|[iI]n "
)
"""Without any of these, nothing is said; it keeps the common case quick."""
_DENIED = re.compile(
    r"(?:\b(?:not|no|never|without)(?: (?:an?|the|any))?|n['’]t|[没未无不非](?:有|曾|再|是)?) ?\Z",
    re.IGNORECASE,
)

_SENTENCE = re.compile(r"[。！？!?;；\n]|\.\s")
_MONEY = re.compile(rf"(?:{alternatives(CURRENCY_SIGNS)})\s?\Z", re.IGNORECASE)
_SCALED = re.compile(
    rf"\s?(?:{alternatives(SCALES)})?\s?(?:{alternatives(RATES)})?\s?"
    rf"(?:{alternatives(CURRENCY_WORDS)})?",
    re.IGNORECASE,
)
_FALL_AFTER = re.compile(
    r",?\s?\(?(?:i\.e\.,? |which is |or )?(?:an? |the |的)?(?:net )?"
    r"(?:loss|decrease|decline|drop|reduction|deficit|亏损|降幅|跌幅)\b",
    re.IGNORECASE,
)


def leading_words(line: str, words: str = "") -> str | None:
    """Return what `line` says of the number behind it, to be read before it; None if it denies it.

    Args:
        line: The text before the number.
        words: What stands between them and is to be read, such as a currency.
    """
    if not _MAY_SAY.search(line):
        return words
    bare = _ABOUT.sub("", line)
    for said in dict.fromkeys((line, bare)):
        if (match := _WAY_BEFORE.search(said)) is not None:
            way = match[0].strip()
            if is_level(way) or (said is bare and line.rstrip()[-2:].lower() == "to"):
                return words
            way = _last_words(way)
            if _DENIED.search(said.rstrip()[: -len(way)]):
                return None
            return words if is_term(said[-60:]) else f"{way} {words}"
    if (match := _NAME_BEFORE.search(line)) is not None:
        name = match["name"].strip()
        if named(name) == "down":
            return f"decrease of {words}"
        if (unit := unit_of_name(name)) != "":
            return f"x ({unit}) = {words}"
    return words


def falls_already(line: str) -> bool:
    """Whether `line`, before a minus, says already that the number falls."""
    match = _WAY_BEFORE.search(line.rstrip() + " ")
    said = beside(f"{_last_words(match[0].strip())} 5") if match is not None else None
    return said is not None and said.way == "down"


def falls_in(text: str, digits: str) -> bool:
    """Whether the sentence of `text` with the last number written `digits` says that it falls."""
    place = text.rfind(digits)
    if place < 0:
        return False
    head = _SENTENCE.split(text[max(0, place - 200) : place])[-1].replace("*", "")
    after = _SCALED.sub("", text[place + len(digits) :][:60].replace("*", ""), count=1)
    head = _MONEY.sub("", head)
    words = leading_words(head)
    said = beside(f"{words.strip()} 5") if words else None
    return words is None or bool(said and said.way == "down") or bool(_FALL_AFTER.match(after))


def _last_words(way: str) -> str:
    """Return the shortest end of `way` that says which way the number goes."""
    parts = way.split(" ")
    for start in range(len(parts) - 1, -1, -1):
        tail = " ".join(parts[start:])
        if beside(f"{tail} 5") is not None:
            return tail
    return way
