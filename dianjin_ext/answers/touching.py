"""Patterns of what may touch a box; `dianjin_ext.answers.around` says what each does."""

import re
from typing import Final

from dianjin_ext.answers.units import (
    CAPITAL_SCALES,
    CURRENCY_SIGNS,
    CURRENCY_WORDS,
    RATES,
    SCALES,
    UNITS,
    alternatives,
)

# What most boxes stand between, and what says nothing: `The answer is $`, `**答案：`.
NOTHING_BEFORE = re.compile(
    r"\s*(?:\*\*)?(?:(?:so|thus|hence|therefore|因此|所以|故)[,，]? ?)?"
    r"(?:(?:the |my |our )?(?:final |correct )?answer(?: is|:|：)|(?:最终|正确)?答案[是为：:])?:?"
    r"(?:\s|\*\*|\$|\\\(|\\\[)*",
    re.IGNORECASE,
)
NOTHING_AFTER = re.compile(r"(?:\$|\\\)|\\\]|\*\*|[.。])*\s*")

_DRESS = (
    r"\\(?:text(?:bf|it|rm|sf|tt|up|normal)?|math(?:bf|it|rm|sf|normal)|mbox|boldsymbol|bm|bf|rm"
    r"|underline|fbox|framebox|emph|(?:text)?color\s?\{[^{}]{1,30}\})"
)
_BLANK = r"\s|~|\\[,;:! ]|\\q?quad(?![A-Za-z])"
OPENER = re.compile(
    rf"(?:(?P<blank>\s)|{_BLANK}|{_DRESS}\s?\{{|{_DRESS}|\\(?:displaystyle|left|big|Big|bigl|Bigl)"
    r"|\\[(\[]|(?<!\\)\$\$?|(?<![0-9])\*\*?|__|`|&|\\\\|(?<![A-Za-z\\}^_\]])\{|\|)\Z"
)
CLOSER = re.compile(
    rf"(?P<blank>\s)|{_BLANK}|{_DRESS}\s?\{{|\\(?:displaystyle|right|big|Big|bigr|Bigr)"
    r"|\\[)\]]|(?<!\\)\$\$?|\*\*?(?![0-9])|__|`|\}"
)
# Groups of a style, and marks that mean nothing beside a number.
STYLED = re.compile(rf"{_DRESS}\s?\{{([^{{}}]*)\}}|\*\*([^*\n]+)\*\*")
MARKS: Final = {
    **{r"\permil": "‰", r"\textperthousand": "‰", "{,}": ",", r"\!": "", r"{\%}": r"\%"},
    **{r"\rightarrow": "⇒", "->": "⇒", "=>": "⇒", r"\left": "", r"\right": "", "\ufe0f": ""},
    **{r"\bigl": "", r"\bigr": "", r"\Bigl": "", r"\Bigr": ""},
}
MARK = re.compile("|".join(re.escape(m) + "(?![A-Za-z])" * m[-1].isalpha() for m in MARKS))
DASH = re.compile(r"[-−–—﹣－‐‑‒―]+\Z")
SIGN = re.compile(r"(?:负的?|\bminus|\bnegative)\Z", re.IGNORECASE)
POSITIVE = re.compile(r"(?:^|[=:：≈(（是为\s])\+\Z")
RELATION = re.compile(
    r"(?:[=:：≈(（,，。;；⇒]|\\approx|\\sim|\\to|\\Rightarrow|\b(?:is|was|be|of|by)|[是为约]) ?\Z"
)
MONEY_BEFORE = re.compile(
    rf"(?:(?:US|HK|C|CA|A|AU|NZ|S|NT|R)?\\?\$|(?<![A-Za-z])(?:{alternatives(CURRENCY_SIGNS)}))\Z",
    re.IGNORECASE,
)
MONEY_ENDS = frozenset("".join(CURRENCY_SIGNS))
PER_HUNDRED = re.compile(r"(?<![一二三四五六七八九十0-9])[百千万]分之\Z")
UNREADABLE_BEFORE = re.compile(
    r"[0-9０-９][.,，]?\Z|分之\Z|(?<![统唯之第如同每])[一二三四五六七八九两十]\Z|\\[A-Za-z]+\s?\{\Z|(?:^|[\s$])[.]\Z|[+×÷·∙^_<>≤≥≠±∓/!√%‰]\Z|(?<![\\&])&lt;\Z"
    r"|\\(?:times|cdot|div|pm|mp|lt|gt|le|ll|gg|leq|leqslant|ge|geq|geqslant|neq|ne|log|ln|exp|sum|int"
    r"|max|min|over|not|sqrt(?:\[[^\]]{1,9}\])?)\Z"
    r"|\\[cdt]?frac\s?(?:\{[^{}]*\}|[0-9])\s?\Z|\\(?:pi|sigma|mu|alpha|beta|gamma|lambda)\Z"
    r"|(?:\\[cdt]?frac|\\sqrt(?:\[[^\]]{1,9}\])?|[\^_}\]])\s?\{\Z|[0-9]\s?\*\*?\Z"
    r"|(?<![A-Za-z])(?:not(?: equal(?:s|ed)?(?: to)?| exactly)?|n['’]t|never"
    r"|more than|less than|at least|at most|over|under|above|below"
    r"|greater than|exceeds?|or|between|up to|nearly|almost|close to)\Z"
    r"|(?:不是|并非|不等于|不为|大于|小于|超过|高于|低于|不到|不足|至少|至多|不少于|不低于|或|除以|乘以|(?<![附最])近|超|逾)\Z",
    re.IGNORECASE,
)
POWER = re.compile(
    r"(?:\\times|\\cdot|[×x·*∙])(?:\s|\\[,;! ])*10\s?"
    r"(?:\^\s?(?:\{\s?([+-]?[0-9]{1,3})\s?\}|([+-]?[0-9]{1,3}))"
    r"|([⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻]{1,4}))|[eE]([+-]?[0-9]{1,3})(?![0-9A-Za-z])"
)
RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻", "0123456789+-")
_SCALES = alternatives([*SCALES])
_MONEY = alternatives([*CURRENCY_WORDS, *(s for s in CURRENCY_SIGNS if s not in "$¥")])
TAIL = re.compile(
    rf"(?P<what>(?:(?:{alternatives([s for s in CURRENCY_SIGNS if s.isalpha()])})\s?(?={_SCALES}))?"
    rf"(?:{_SCALES}|(?-i:{alternatives(CAPITAL_SCALES)}))?\s?"
    rf"(?:\\?(?:％|{alternatives(RATES)}))?\s?(?:{_MONEY})?)\s?"
    rf"(?P<unit>(?:{alternatives(UNITS)})?(?:\s?(?:/|per |a |每)(?:{alternatives(UNITS)}))?"
    r"|annually|p\.a\.)",
    re.IGNORECASE,
)
BRACKETED = re.compile(
    r"[(（]\s?(\\?[%％‰]|[^\W\d][^()（）\d]{0,40}?|\\?[$¥€£] ?[^\W\d][^()（）\d]{0,30}?)\s?[)）]"
)
WAY_AFTER = re.compile(
    r"(?:(?:increase|decrease|decline|reduction|drop|gain|rise|growth|loss|lower|higher|less|fewer)d?\b"
    r"|的?(?:下降|减少|亏损|降幅|跌幅|增长|增加|增幅|涨幅))",
    re.IGNORECASE,
)
UNREADABLE_AFTER = re.compile(
    r"[0-9０-９½⅓⅔¼¾⅕-⅞²³¹⁰-ⁿ]|[.,，][0-9]|['’][0-9]|[-−–~～+×÷·∙*/:]\s?[\\($]*[0-9]|[\^!√°?？]|_[{\\0-9A-Za-z]"
    r"|[+×÷·*]\s?[\\A-Za-z(]|[+±∓]|[.,]?\\(?:overline|dot|bar|overset)|十|分之|点[0-9零一二三四五六七八九]"
    r"|\\(?:times|cdot|cdots|div|pm|mp|over|circ|degree|sqrt|[cdt]?frac|boxed|fbox|to|pi|sigma|mu"
    r"|alpha|beta|gamma|lambda|theta|log|ln|exp|infty|binom)(?![A-Za-z])"
    r"|(?:dozens?|hundredths?|thousandths?|tenths?|ppm|per (?:hundred|thousand|million|mille))\b"
    r"|(?:is|was|are|were|would be) (?:not|wrong|incorrect)\b|(?:is|was|are)n['’]t\b"
    r"|是?(?:不对|不正确|错)|不是"
    r"|/\s?(?:\\|[A-Za-z(])|(?:to|or|through|到|至|或|或者)\s?[\\$(]*(?:[0-9]|\\boxed|\\fbox)"
    r"|(?:or (?:more|less|above|below|higher|lower)|多|余|以上|以下|不到)(?!\w)|[多余][万亿千百]",
    re.IGNORECASE,
)
GLUED = re.compile(r"[A-Za-z](?![A-Za-z])|\(\s?(?:[0-9]|[A-Za-z]\s?[-+*/^])")
MANY = re.compile(rf"(?:{_SCALES}|(?-i:{alternatives(CAPITAL_SCALES)})|\\?[%％‰])", re.IGNORECASE)
IN = re.compile(
    rf",? ?in (?:the )?(?P<unit>(?:{alternatives(CURRENCY_SIGNS)}|\\\$)? ?(?:{_SCALES})"
    rf"(?: of (?:{_MONEY}))?"
    rf"|percent(?:age)?(?: points| terms)?|(?:{_MONEY}))(?![A-Za-z])",
    re.IGNORECASE,
)
TAIL_LETTER = re.compile(r"[kKmMBbTtxXpP](?![A-Za-z])")
GROUP = re.compile(r"[0-9]{3}(?![0-9])|.*(?:/|frac)")
ARTICLE = re.compile(r"(?:an?|the) ", re.IGNORECASE)
VARIABLE = re.compile(r"(?<![A-Za-z\\])[A-Za-z]\Z")
CLOSED = re.compile(rf"\s?(?:{_SCALES})?\s?[^\s()（）.,，。;；]{{0,12}}\s?[)）]", re.IGNORECASE)
