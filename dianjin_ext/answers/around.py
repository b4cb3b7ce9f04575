r"""What touches a box and belongs to the number in it: `-\boxed{5}`, `\boxed{5}\times 10^6`.

Looked at is the line of the box, past markup (`$`, `\[`, `**`, `\,`, `\text{`). A sign, a currency
or words for the way it goes before the box, and a power of ten, a scale, a rate, a currency, a unit
or such words after it are read with it. What would change the number and can't be read with it is
`ambiguous`: digits, a decimal point, a group of thousands, an operator, a fraction, a power, a
bound, a denial, a second value. Anything else says nothing about the number.

A dash is a sign where it touches the box and nothing before it can be subtracted from; at the start
of a line, with a blank behind it, it is a bullet.
"""

from collections.abc import Callable
from typing import Final, TypeVar

from dianjin_ext.answers.chinese_numerals import DIGIT
from dianjin_ext.answers.direction import beside
from dianjin_ext.answers.leading import falls_already, leading_words
from dianjin_ext.answers.reading import Reading
from dianjin_ext.answers.said_unit import said_unit
from dianjin_ext.answers.touching import (
    ARTICLE,
    BRACKETED,
    CLOSED,
    CLOSER,
    DASH,
    GLUED,
    GROUP,
    IN,
    MANY,
    MARK,
    MARKS,
    MONEY_BEFORE,
    MONEY_ENDS,
    NOTHING_AFTER,
    NOTHING_BEFORE,
    OPENER,
    PER_HUNDRED,
    POSITIVE,
    POWER,
    RAISED,
    RELATION,
    SIGN,
    STYLED,
    TAIL,
    TAIL_LETTER,
    UNREADABLE_AFTER,
    UNREADABLE_BEFORE,
    VARIABLE,
    WAY_AFTER,
)

T = TypeVar("T")

REACH: Final = 80
"""Characters before and after a box that are looked at."""

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
    if (not before or before.isspace()) and (not after or after.isspace()):
        return True
    line = before[before.rfind("\n") + 1 :] if len(before) > REACH else before.lstrip()
    if len(line) > REACH or (not line and before and not before.isspace()):
        return False
    if "\n" in line:
        line = line[line.rfind("\n") + 1 :]
        if not line:
            return False
    return bool(NOTHING_BEFORE.fullmatch(line)) and bool(NOTHING_AFTER.fullmatch(after[:REACH]))


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
        line = STYLED.sub(lambda match: match[1] or match[2] or "", line)
        line = MARK.sub(lambda match: MARKS[match[0]], line)
    return line


def _strip(line: str) -> tuple[str, bool]:
    """Return a line without markup at its end, and whether a blank was there."""
    blank = False
    bare = line.rstrip(" $")
    if bare[-1:] != "\\":  # `\$` is a dollar
        blank, line = " " in line[len(bare) :], bare
    while (match := OPENER.search(line, max(0, len(line) - 50))) is not None:
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
        if (match := SIGN.search(line)) is not None:
            return None if falls_already(line[: match.start()]) else "-" + words
        if (match := DASH.search(line)) is not None:
            head = line[: match.start()]
            sign = _sign(head, match[0], blank)
            return None if sign is None or (sign and falls_already(head)) else sign + words
        if not blank and not words and (match := PER_HUNDRED.search(line)) is not None:
            return match[0]
        if not blank and POSITIVE.search(line):
            return "+" + words
        money = not words and not blank and (line[-1] in MONEY_ENDS or line[-1].isalpha())
        if money and (match := MONEY_BEFORE.search(line[-8:])) is not None:
            words = match[0].strip().replace("\\", "") + " "
            line = line[: len(line) - len(match[0])]
            continue
        break
    if UNREADABLE_BEFORE.search(line):
        apart = blank and line[-1] in "0123456789.,，%"
        return words if apart and not GROUP.match(text) else None
    if not blank and VARIABLE.search(line):
        return None
    if line[-1] in "(（" and CLOSED.match(behind):
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
    if RELATION.search(stripped):
        return "-"
    if apart and not blank and not stripped[-1].isdigit() and stripped[-1] not in ")]}":
        return "-"
    if dash == "—" and apart and blank:
        return ""
    return None


def _after(line: str) -> tuple[str, str] | None:
    """Return what must be read with the number, and a unit; None where it can't be read."""
    blank = False
    while (match := CLOSER.match(line)) is not None:
        blank = blank or bool(match["blank"])
        line = line[match.end() :]
    if not line:
        return "", ""
    power = ""
    if (match := POWER.match(line)) is not None and (not blank or match[0][0] not in "eE"):
        exponent = match[1] or match[2] or (match[3] or "").translate(RAISED) or match[4]
        power = f"×10^{exponent}"
        line = line[match.end() :]
        while (match := CLOSER.match(line)) is not None:
            line = line[match.end() :]
    if (match := BRACKETED.match(line)) is not None:
        said = match[1].replace("\\", "").replace("％", "%").strip()
        if (named_unit := said_unit(said)) != "":
            return f"{power} ({named_unit})", ""
        if (
            directed := beside(f"5 {ARTICLE.sub('', said)}")
        ) is not None and directed.rest.strip() == "5":
            return f"{power} {ARTICLE.sub('', said)}", ""
        return None if MANY.fullmatch(said.split(" ")[-1]) else (power, "")
    if (match := IN.match(line)) is not None:
        named_unit = said_unit(match["unit"].replace("\\", "").replace("percentage", "percent"))
        return (f"{power} ({named_unit})", "") if named_unit else None
    if not blank and not power and GLUED.match(line) and not TAIL_LETTER.match(line):
        return None
    tail = TAIL.match(line)
    what = tail["what"].replace("\\", "") if tail else ""
    unit = tail["unit"] if tail else ""
    rest = line[tail.end() :] if tail else line
    glued = (
        tail is not None and tail[0][-1:].isalpha() and (rest[:1].isascii() and rest[:1].isalpha())
    )
    if glued or (blank and what.strip() in ("k", "m", "p", "t")):
        what, unit, rest = "", "", line
    while (match := CLOSER.match(rest)) is not None:
        rest = rest[match.end() :]
    if unit == "点" and rest[:1] and rest[0] in DIGIT:
        return None
    said_so = (what + unit).strip()
    goes_on = not said_so or not rest[:1].isdigit() or unit.strip().lower() in ("x", "点")
    if rest and goes_on and UNREADABLE_AFTER.match(rest):
        return None
    if (match := WAY_AFTER.match(rest)) is not None and not unit:
        return f"{power} {what} {match[0]}", ""
    return (power + (f" {what}" if what.strip() else "")), (f" {unit}" if unit else "")
