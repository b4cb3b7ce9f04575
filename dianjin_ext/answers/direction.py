"""Words that say which way a quantity goes, beside it or as its name: `下降12.5%`, `Net loss = 5`.

A quantity that falls is negative. The words are closed lists; in a longer term (`loss ratio`,
`损失率`, `profit and loss`) they say nothing.
"""

import re
from typing import Final, Literal, NamedTuple

Way = Literal["up", "down", ""]

_KINDS = (
    r"(?:(?:net|operating|total|gross|overall|annual|quarterly|capital|comprehensive|accumulated"
    r"|pre-?tax|after-?tax|trading|underwriting|unreali[sz]ed|reali[sz]ed|percent(?:age)?|absolute"
    r"|relative|cash|sharp|slight|year-over-year|yoy|revenue|income|sales|profit|price|cost) )*"
)
_DOWN_NOUNS = (
    "loss(?:es)?|decreases?|declines?|reduction|drops?|falls?|deficit|outflows?|shortfall|negative"
)
_UP_NOUNS = "gains?|increases?|rises?|growth|surplus|inflows?|profits?|earnings|positive"
_DOWN_VERBS = (
    "decreas(?:ed|ing)|declin(?:ed|ing)|dropp(?:ed|ing)|fell|fallen|falling|reduced|shrank|shrunk"
    "|shrinks|lost|loses|down|lower"
)
_UP_VERBS = "increas(?:ed|ing)|rose|risen|rising|grew|grown|grows|growing|gained|up|higher"
_DOWN_ZH = (
    "净亏损|亏损|亏|净损失|损失|减少|下降|下滑|下跌|下调|降低|回落|缩减|负增长|净?流出|赤字"
    "|逆差|缺口|跌幅|降幅|减幅|跌|降|减"
)
_UP_ZH = (
    "增长|增加|上升|上涨|上调|提高|提升|净?流入|盈利|盈余|净利润|利润|顺差|增幅|涨幅|增速|涨|升|增"
)

_BEFORE = re.compile(
    r"(?:an? |the )?(?P<kind>" + _KINDS + ")"
    rf"(?:(?P<down>{_DOWN_NOUNS})|(?P<up>{_UP_NOUNS}))(?![A-Za-z])"
    r"(?: ?(?:of|by|is|was)(?= )|:)? ?"
    r"|(?:it |has |have )*"
    rf"(?:(?P<fell>{_DOWN_VERBS})|(?P<rose>{_UP_VERBS}))(?: by)? "
    r"|(?:[同环]比|年均|较?上年|较?去年|比上年|比去年|大幅|小幅|净|共|总共|合计|累计)*"
    rf"(?:(?P<fell_zh>{_DOWN_ZH})|(?P<rose_zh>{_UP_ZH}))[额幅]?度?[了达为是:]? ?",
    re.IGNORECASE,
)
# `下降为5` is down to 5, not by 5.
_LEVEL = re.compile(
    "(?<!负)(?:减少|下降|下滑|下跌|下调|降低|回落|缩减|[跌降减]"
    "|增长|增加|上升|上涨|上调|提高|提升|[涨升增])[为] ?$"
)
_AFTER = re.compile(
    rf" ?\(? ?(?:(?P<down>{_DOWN_NOUNS}|{_DOWN_VERBS})|(?P<up>{_UP_NOUNS}|{_UP_VERBS})"
    rf"|的?(?:(?P<down_zh>{_DOWN_ZH})|(?P<up_zh>{_UP_ZH})))\)?",
    re.IGNORECASE,
)
_ARTICLE = re.compile("an? ", re.IGNORECASE)
_NAMED = re.compile(
    rf"(?:[\w%'’&() -]*[ \b])?(?:(?P<down>{_DOWN_NOUNS})|(?P<up>{_UP_NOUNS}))"
    r"(?: (?:in|of|on|for|from|per|rate|after|before|attributable|to)\b[\w%'’& -]*)?",
    re.IGNORECASE,
)
_NAMED_ZH = re.compile(
    rf"[^\x00-\x7f\d]{{0,20}}?(?:(?P<down>{_DOWN_ZH})|(?P<up>{_UP_ZH}))(?:额|总额|金额|幅度|百分比|率)?"
)
# `Expected loss rate`, `loss given default`: terms of their own.
_TERM = re.compile(
    r"\bloss(?:es)? (?:ratio|rate|given|factor|reserve|allowance|severity|frequency)"
    r"|\b(?:fall|drop|growth|gain)s? (?:ratio|factor)"
    r"|(?:profit|income|gain|increase)s?\W*(?:and|or|&|/)\W*(?:net )?(?:loss|decrease)|\bor\b"
    r"|\b(?:after|before|without|excluding|including|despite|offsett?(?:ing)?|adding back|no|not"
    r"|net of|due to|because of|allowances? for|provisions? for|reserves? for|stop)\b[^=]*\b"
    rf"(?:{_DOWN_NOUNS})\b|盈亏|损益|增减|涨跌|升降|减值|坏账|止损|扣除"
    r"|(?<!下降)(?<!降低)(?<!减少)[率比]$",
    re.IGNORECASE,
)

_ASKED_ZH: Final = re.compile(
    rf"(?:{_DOWN_ZH})了?的?(?:额|金额|幅度?|比例|百分比|率)?(?:是|为|有|约|达)?(?:了)?"
    r"(?:多少|几|[（(]\s*[)）]|$|[？?])|(?:计算|求)[^。？?]{0,30}?"
    rf"(?:{_DOWN_ZH})的?(?:额|金额|幅度?|比例|百分比|率)"
)
_EITHER_WAY: Final = re.compile(
    r"\b(?:profit|income|gain|increase|rise|growth)s?\W*(?:and|or|&|/|\()\W*(?:an? |the |net )*"
    r"(?:loss|decrease|decline|fall|drop)|\b(?:loss|decrease|decline|fall|drop)(?:es)?\W*(?:or|/|\()"
    r"\W*(?:an? |the |net )*(?:profit|income|gain|increase|rise|growth)|盈亏|增减|涨跌|升降",
    re.IGNORECASE,
)
_ASKED: Final = re.compile(
    r"\b(?:by )?(?:how much|what (?:percent(?:age)?|amount))\b(?:(?!\b(?:chang|increas|grow|grew"
    r"|ris|rose|gain|mak|earn|after|while|when|if|because|since|following|despite)|\b(?:as|make)\b)"
    r"[^.?]){0,160}?"
    r"\b(?:decrease|decline|drop|fall|shrink|lose|lost|reduce|decreased|declined|fell|dropped)d?\b"
    r"|\bhow (?:large|big|great|high|much) (?:is|was|were|are) (?:the|its|their) (?:[a-z-]+ ){0,3}?"
    r"(?:loss(?:es)?|decrease|decline|reduction|drop|fall|deficit|outflow|shortfall)\b"
    r"|\b(?:what (?:is|was|were|are|would be)|calculate|compute|find|determine|give|state)\b"
    r"(?: the)?(?: (?:total|net|overall|average|annual|percent(?:age)?|amount of|size of|operating"
    r"|expected|maximum|approximate|absolute|the))* (?:[a-z-]+ ){0,2}?"
    r"(?:loss(?:es)?|decrease|decline|reduction|drop|fall|deficit|outflow|shortfall)\b",
    re.IGNORECASE,
)


class Directed(NamedTuple):
    """A text without the words for the way that it goes."""

    way: Way
    rest: str


def beside(text: str) -> Directed | None:
    """Return which way a quantity goes by the words before or after it; None without such words."""
    match = _BEFORE.match(text)
    if match is not None and match.end() < len(text):
        if is_level(match[0]):
            return None
        down = match["down"] or match["fell"] or match["fell_zh"]
        return Directed("down" if down else "up", text[match.end() :])
    cut = len(text)
    for match in _AFTER.finditer(text, max(0, cut - 24)):
        if match.end() == cut and match.start() > 0:
            rest = _ARTICLE.sub("", text[: match.start()])
            if match[0].count("(") != match[0].count(")"):
                return None
            return Directed("down" if match["down"] or match["down_zh"] else "up", rest)
    return None


def is_level(text: str) -> bool:
    """Whether `text` ends in words for where a quantity came to, such as `下降为`."""
    return _LEVEL.search(text) is not None


def is_term(text: str) -> bool:
    """Whether a word for the way stands in a longer term that says nothing of it."""
    return _TERM.search(text) is not None


def named(name: str) -> Way:
    """Return which way a quantity goes by its name, such as `Net loss` or `净亏损`."""
    name = name.strip().rstrip("约为是达")
    if _TERM.search(name):
        return ""
    match = _NAMED.fullmatch(name) or _NAMED_ZH.fullmatch(name)
    if match is None:
        return ""
    return "down" if match["down"] else "up"


def asks_for_fall(question: str) -> bool:
    """Whether a question asks by name how far something fell: `下降了多少`, `what was the loss`."""
    if _EITHER_WAY.search(question):
        return False
    return bool(_ASKED.search(question) or _ASKED_ZH.search(question))
