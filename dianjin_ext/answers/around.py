r"""What touches a box and belongs to the number in it: `-\boxed{5}`, `\boxed{5}\times 10^6`.

Looked at is the line of the box, past markup (`$`, `\[`, `**`, `\,`, `\text{`). A sign, a currency
or words for the way it goes before the box, and a power of ten, a scale, a rate, a currency, a unit
or such words after it are read with it. What would change the number and can't be read with it is
`ambiguous`: digits, a decimal point, a group of thousands, an operator, a fraction, a power, a
bound, a denial, a second value. Anything else says nothing about the number.

A dash is a sign where it touches the box and nothing before it can be subtracted from; at the start
of a line, with a blank behind it, it is a bullet.
"""

import re
from collections.abc import Callable
from typing import Final, TypeVar

from dianjin_ext.answers.chinese_numerals import DIGIT
from dianjin_ext.answers.direction import beside
from dianjin_ext.answers.leading import falls_already, leading_words
from dianjin_ext.answers.reading import Reading
from dianjin_ext.answers.said_unit import said_unit
from dianjin_ext.answers.units import (
    CAPITAL_SCALES,
    CURRENCY_SIGNS,
    CURRENCY_WORDS,
    RATES,
    SCALES,
    UNITS,
    alternatives,
)

T = TypeVar("T")

# What most boxes stand between, and what says nothing: `The answer is $`, `**答案：`.
_NOTHING_BEFORE = re.compile(
    r"\s*(?:\*\*)?(?:(?:so|thus|hence|therefore|因此|所以|故)[,，]? ?)?"
    r"(?:(?:the |my |our )?(?:final |correct )?answer(?: is|:|：)|(?:最终|正确)?答案[是为：:])?:?"
    r"(?:\s|\*\*|\$|\\\(|\\\[)*",
    re.IGNORECASE,
)
_NOTHING_AFTER = re.compile(r"(?:\$|\\\)|\\\]|\*\*|[.。])*\s*")

REACH: Final = 80
"""Characters before and after a box that are looked at."""

_DRESS = (
    r"\\(?:text(?:bf|it|rm|sf|tt|up|normal)?|math(?:bf|it|rm|sf|normal)|mbox|boldsymbol|bm|bf|rm"
    r"|underline|fbox|framebox|emph|(?:text)?color\s?\{[^{}]{1,30}\})"
)
_BLANK = r"\s|~|\\[,;:! ]|\\q?quad(?![A-Za-z])"
_OPENER = re.compile(
    rf"(?:(?P<blank>\s)|{_BLANK}|{_DRESS}\s?\{{|{_DRESS}|\\(?:displaystyle|left|big|Big|bigl|Bigl)"
    r"|\\[(\[]|(?<!\\)\$\$?|(?<![0-9])\*\*?|__|`|&|\\\\|(?<![A-Za-z\\}^_\]])\{|\|)\Z"
)
_CLOSER = re.compile(
    rf"(?P<blank>\s)|{_BLANK}|{_DRESS}\s?\{{|\\(?:displaystyle|right|big|Big|bigr|Bigr)"
    r"|\\[)\]]|(?<!\\)\$\$?|\*\*?(?![0-9])|__|`|\}"
)
# Groups of a style, and marks that mean nothing beside a number.
_STYLED = re.compile(rf"{_DRESS}\s?\{{([^{{}}]*)\}}|\*\*([^*\n]+)\*\*")
_MARKS: Final = {
    **{r"\permil": "‰", r"\textperthousand": "‰", "{,}": ",", r"\!": "", r"{\%}": r"\%"},
    **{r"\rightarrow": "⇒", "->": "⇒", "=>": "⇒", r"\left": "", r"\right": "", "\ufe0f": ""},
    **{r"\bigl": "", r"\bigr": "", r"\Bigl": "", r"\Bigr": ""},
}
_MARK = re.compile("|".join(re.escape(m) + "(?![A-Za-z])" * m[-1].isalpha() for m in _MARKS))
_DASH = re.compile(r"[-−–—﹣－‐‑‒―]+\Z")
_SIGN = re.compile(r"(?:负的?|\bminus|\bnegative)\Z", re.IGNORECASE)
_POSITIVE = re.compile(r"(?:^|[=:：≈(（是为\s])\+\Z")
_RELATION = re.compile(
    r"(?:[=:：≈(（,，。;；⇒]|\\approx|\\sim|\\to|\\Rightarrow|\b(?:is|was|be|of|by)|[是为约]) ?\Z"
)
_MONEY_BEFORE = re.compile(
    rf"(?:(?:US|HK|C|CA|A|AU|NZ|S|NT|R)?\\?\$|(?<![A-Za-z])(?:{alternatives(CURRENCY_SIGNS)}))\Z",
    re.IGNORECASE,
)
_MONEY_ENDS = frozenset("".join(CURRENCY_SIGNS))
_PER_HUNDRED = re.compile(r"(?<![一二三四五六七八九十0-9])[百千万]分之\Z")
_UNREADABLE_BEFORE = re.compile(
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
_POWER = re.compile(
    r"(?:\\times|\\cdot|[×x·*∙])(?:\s|\\[,;! ])*10\s?"
    r"(?:\^\s?(?:\{\s?([+-]?[0-9]{1,3})\s?\}|([+-]?[0-9]{1,3}))"
    r"|([⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻]{1,4}))|[eE]([+-]?[0-9]{1,3})(?![0-9A-Za-z])"
)
_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻", "0123456789+-")
_SCALES = alternatives([*SCALES])
_MONEY = alternatives([*CURRENCY_WORDS, *(s for s in CURRENCY_SIGNS if s not in "$¥")])
_TAIL = re.compile(
    rf"(?P<what>(?:(?:{alternatives([s for s in CURRENCY_SIGNS if s.isalpha()])})\s?(?={_SCALES}))?"
    rf"(?:{_SCALES}|(?-i:{alternatives(CAPITAL_SCALES)}))?\s?"
    rf"(?:\\?(?:％|{alternatives(RATES)}))?\s?(?:{_MONEY})?)\s?"
    rf"(?P<unit>(?:{alternatives(UNITS)})?(?:\s?(?:/|per |a |每)(?:{alternatives(UNITS)}))?"
    r"|annually|p\.a\.)",
    re.IGNORECASE,
)
_BRACKETED = re.compile(
    r"[(（]\s?(\\?[%％‰]|[^\W\d][^()（）\d]{0,40}?|\\?[$¥€£] ?[^\W\d][^()（）\d]{0,30}?)\s?[)）]"
)
_WAY_AFTER = re.compile(
    r"(?:(?:increase|decrease|decline|reduction|drop|gain|rise|growth|loss|lower|higher|less|fewer)d?\b"
    r"|的?(?:下降|减少|亏损|降幅|跌幅|增长|增加|增幅|涨幅))",
    re.IGNORECASE,
)
_UNREADABLE_AFTER = re.compile(
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
_GLUED = re.compile(r"[A-Za-z](?![A-Za-z])|\(\s?(?:[0-9]|[A-Za-z]\s?[-+*/^])")
_MANY = re.compile(rf"(?:{_SCALES}|(?-i:{alternatives(CAPITAL_SCALES)})|\\?[%％‰])", re.IGNORECASE)
_IN = re.compile(
    rf",? ?in (?:the )?(?P<unit>(?:{alternatives(CURRENCY_SIGNS)}|\\\$)? ?(?:{_SCALES})"
    rf"(?: of (?:{_MONEY}))?"
    rf"|percent(?:age)?(?: points| terms)?|(?:{_MONEY}))(?![A-Za-z])",
    re.IGNORECASE,
)
_TAIL_LETTER = re.compile(r"[kKmMBbTtxXpP](?![A-Za-z])")
_GROUP = re.compile(r"[0-9]{3}(?![0-9])|.*(?:/|frac)")
_ARTICLE = re.compile(r"(?:an?|the) ", re.IGNORECASE)
_VARIABLE = re.compile(r"(?<![A-Za-z\\])[A-Za-z]\Z")
_CLOSED = re.compile(rf"\s?(?:{_SCALES})?\s?[^\s()（）.,，。;；]{{0,12}}\s?[)）]", re.IGNORECASE)
_AMBIGUOUS: Final = "ambiguous"


def read_boxed(before: str, text: str, after: str, read: Callable[[str], Reading[T]]) -> Reading[T]:
    """Read the content of a box together with what touches it.

    Args:
        before: What stands before the box.
        text: Its content.
        after: What follows it.
        read: Reads a quantity from end to end.
    """
    if _stands_alone(before, after):
        return read(text)
    ahead, behind = _line_before(before), _line_after(after)
    alone = read(text)
    if alone.value is None:
        return alone
    first, last = _before(ahead, behind, text), _after(behind)
    if first is None or last is None:
        return Reading(None, _AMBIGUOUS)
    needed, unit = last
    for tail in dict.fromkeys((needed + unit, needed)):  # a unit that contradicts is only a word
        if not first and not tail.strip():
            return alone
        whole = read(f"{first}{text}{tail}")
        if whole.value is not None:
            return whole
    return Reading(None, _AMBIGUOUS)


def _stands_alone(before: str, after: str) -> bool:
    """Whether nothing but the usual words and marks stand around a box; they say nothing."""
    line = before[before.rfind("\n") + 1 :] if len(before) > REACH else before.lstrip()
    if len(line) > REACH or (not line and before and not before.isspace()):
        return False
    if "\n" in line:
        line = line[line.rfind("\n") + 1 :]
        if not line:
            return False
    return bool(_NOTHING_BEFORE.fullmatch(line)) and bool(_NOTHING_AFTER.fullmatch(after[:REACH]))


def _line_before(text: str) -> str:
    text = text[-2 * REACH :]
    if text.rstrip().endswith(("\\[", "$$")):  # a formula of its own lines
        text = text.rstrip()
    return _bare(text[text.rfind("\n") + 1 :][-REACH:].lstrip()) if text.strip() else ""


def _line_after(text: str) -> str:
    text = text[: 2 * REACH]
    bare = text.lstrip()
    if bare.startswith(("\\]", "$$")):
        text = bare
    return _bare(text.split("\n", 1)[0][:REACH].rstrip())


def _bare(line: str) -> str:
    """Return a line without the styles of whole groups in it."""
    if "\\" in line or "{" in line or ">" in line or "*" in line:
        line = _STYLED.sub(lambda match: match[1] or match[2] or "", line)
        line = _MARK.sub(lambda match: _MARKS[match[0]], line)
    return line


def _strip(line: str) -> tuple[str, bool]:
    """Return a line without markup at its end, and whether a blank was there."""
    blank = False
    bare = line.rstrip(" $")
    if bare[-1:] != "\\":  # `\$` is a dollar
        blank, line = " " in line[len(bare) :], bare
    while (match := _OPENER.search(line, max(0, len(line) - 50))) is not None:
        if match[0].startswith(">"):
            break
        blank = blank or bool(match["blank"])
        line = line[: match.start()]
    return line, blank


def _before(line: str, behind: str, text: str) -> str | None:
    """Return what is read with the number, or None where it can't be read."""
    words = ""
    for _ in range(3):
        line, blank = _strip(line)
        if not line or line.rstrip("> ") == "":
            return words
        if (match := _SIGN.search(line)) is not None:
            return None if falls_already(line[: match.start()]) else "-" + words
        if (match := _DASH.search(line)) is not None:
            head = line[: match.start()]
            sign = _sign(head, match[0], blank)
            return None if sign is None or (sign and falls_already(head)) else sign + words
        if not blank and not words and (match := _PER_HUNDRED.search(line)) is not None:
            return match[0]
        if not blank and _POSITIVE.search(line):
            return "+" + words
        money = not words and not blank and (line[-1] in _MONEY_ENDS or line[-1].isalpha())
        if money and (match := _MONEY_BEFORE.search(line[-8:])) is not None:
            words = match[0].strip().replace("\\", "") + " "
            line = line[: len(line) - len(match[0])]
            continue
        break
    if _UNREADABLE_BEFORE.search(line):
        apart = blank and line[-1] in "0123456789.,，%"
        return words if apart and not _GROUP.match(text) else None
    if not blank and _VARIABLE.search(line):
        return None
    if line[-1] in "(（" and _CLOSED.match(behind):
        return None
    return leading_words(line + " " * blank, words)


def _sign(head: str, dash: str, blank: bool) -> str | None:
    """Return what a dash before the box means: a minus, nothing, or what can't be told."""
    stripped, apart = _strip(head)
    if not stripped:
        bullet = blank and not head.strip()
        return "" if bullet else ("-" if len(dash) == 1 else None)
    if len(dash) > 1:
        return ""
    if _RELATION.search(stripped):
        return "-"
    if apart and not blank and not stripped[-1].isdigit() and stripped[-1] not in ")]}":
        return "-"
    if dash == "—" and apart and blank:
        return ""
    return None


def _after(line: str) -> tuple[str, str] | None:
    """Return what must be read with the number, and a unit; None where it can't be read."""
    blank = False
    while (match := _CLOSER.match(line)) is not None:
        blank = blank or bool(match["blank"])
        line = line[match.end() :]
    if not line:
        return "", ""
    power = ""
    if (match := _POWER.match(line)) is not None and (not blank or match[0][0] not in "eE"):
        exponent = match[1] or match[2] or (match[3] or "").translate(_RAISED) or match[4]
        power = f"×10^{exponent}"
        line = line[match.end() :]
        while (match := _CLOSER.match(line)) is not None:
            line = line[match.end() :]
    if (match := _BRACKETED.match(line)) is not None:
        said = match[1].replace("\\", "").replace("％", "%").strip()
        if (named_unit := said_unit(said)) != "":
            return f"{power} ({named_unit})", ""
        if (
            directed := beside(f"5 {_ARTICLE.sub('', said)}")
        ) is not None and directed.rest.strip() == "5":
            return f"{power} {_ARTICLE.sub('', said)}", ""
        return None if _MANY.fullmatch(said.split(" ")[-1]) else (power, "")
    if (match := _IN.match(line)) is not None:
        named_unit = said_unit(match["unit"].replace("\\", "").replace("percentage", "percent"))
        return (f"{power} ({named_unit})", "") if named_unit else None
    if not blank and not power and _GLUED.match(line) and not _TAIL_LETTER.match(line):
        return None
    tail = _TAIL.match(line)
    what = tail["what"].replace("\\", "") if tail else ""
    unit = tail["unit"] if tail else ""
    rest = line[tail.end() :] if tail else line
    glued = (
        tail is not None and tail[0][-1:].isalpha() and (rest[:1].isascii() and rest[:1].isalpha())
    )
    if glued or (blank and what.strip() in ("k", "m", "p", "t")):
        what, unit, rest = "", "", line
    while (match := _CLOSER.match(rest)) is not None:
        rest = rest[match.end() :]
    if unit == "点" and rest[:1] and rest[0] in DIGIT:
        return None
    said_so = (what + unit).strip()
    goes_on = not said_so or not rest[:1].isdigit() or unit.strip().lower() in ("x", "点")
    if rest and goes_on and _UNREADABLE_AFTER.match(rest):
        return None
    if (match := _WAY_AFTER.match(rest)) is not None and not unit:
        return f"{power} {what} {match[0]}", ""
    return (power + (f" {what}" if what.strip() else "")), (f" {unit}" if unit else "")
