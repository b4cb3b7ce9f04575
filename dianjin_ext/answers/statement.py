r"""The answer that prose states, for responses without a box.

It is looked for in the last 4,000 characters, and only there. Two kinds of sentences state it: the
last one with an explicit marker, `answer is` (also `are`, `was`, `would be`, `will be`, `equals`,
`=`, `:`), a heading `Answer` or `答案`, a line `#### 5`, `答案是` (`为`, `：`, `=`), `答：`; the
very last one of the text, if it concludes: `therefore`, `thus`, `hence`, `so`, `consequently`, `in
conclusion`, `因此`, `所以`, `故`, `综上`. Where both state something, they must agree; so must all
explicit ones, unless the text says in between that it corrects itself. Else the answer is
`ambiguous`, as it is where the last one is taken back further on (`On second thought`, `更正`).

A sentence must end in the answer: right after the marker, or after the last `is`, `was`, `be`,
`equals`, `=`, `≈`, `是`, `为`, `等于`, `:` of the sentence. A period may follow (`in 2017`,
`after 2 years`), `for`, `per`, `on`, `by`, `at` or `annually` with words without digits, `when
rounded to two decimal places`, and after a comma or `because` words that state no second answer.

There is no answer in a sentence that is a question, a condition or a negation, in one that states
several quantities, nor where other words stand before the quantity. Where a sentence can't be read,
no other is looked at.
"""

import operator
import re
from collections.abc import Callable
from typing import Final, TypeVar

from dianjin_ext.answers.doubt import CONDITION, DOUBT, RETRACTION
from dianjin_ext.answers.markers import CONCLUSION, EXPLICIT, WINDOW, is_others
from dianjin_ext.answers.reading import Reading

T = TypeVar("T")

_LONGEST, _LONGEST_CONCLUSION = 200, 800
_MOST: Final = 20
"""Marked answers that are compared; of more, the last."""

_BEGIN = re.compile(r"(?:[\s:：]|\*\*|\\\[|\$\$)*")
_END = re.compile(
    r"[。！？!?\n]|(?=【(?:解析|分析|解答|详解|点评|考点))|(?<!approx)(?<!U\.S)\.(?=[\s*]|$)",
    re.IGNORECASE,
)
_MARKS_OF_END = re.compile("[!！?？]+")
_DRESS = re.compile(r"\*\*|</?(?:b|strong|em|i|u|p|br ?/?)>")
_COPULA = re.compile(
    r"\b(?:is|are|was|were|be|equals?)\b|\bequal\s+to\b|[=≈:：]|\\approx"
    r"|等于|(?<![因认作成行])为|(?<!不)是",
    re.IGNORECASE,
)
_COMMA = re.compile("[,，;；]")
_QUANTITY = re.compile(r"[\s(*$¥￥€£≈~+-]*(?:\\\$|[A-Z]{1,3}\$?\s?|about |approximately |约)?[0-9]")
_JOINT = re.compile(r"\band\b|[,;]\s|[，；和]", re.IGNORECASE)
_TAIL = re.compile(
    r"\s(?:(?:in|for|after|over|by|at the end of) (?:the )?(?:year )?[0-9]{1,4}\b(?: [a-z]+)?\s?)?"
    r"(?:annually|(?:for|per|on|by|at(?! least| most| first))\b"
    r"(?:(?!\b(?:surface|face|paper|glance|sight)\b)[^0-9;；])*)?$",
    re.IGNORECASE,
)
_ROUNDED = re.compile(
    r",?\s?\(?(?:when |as |and )?(?:rounded|to)(?: (?:off|up|down))?(?: to)?(?: the)?(?: nearest)?"
    r"(?: (?:[0-9]|one|two|three|four))?(?: [a-z]+){0,2}?"
    r" (?:places?|points?|digits?|decimals?|cent|dollar|percent|number|integer|million|tenth"
    r"|hundredth|thousand)\)?\s*$|[,，(（]\s?(?:保留|四舍五入)[^,，。]{0,20}$",
    re.IGNORECASE,
)
_ASIDE = re.compile(
    r"\s*(?:[,，;；]|——|\s[—–-]\s|\s(?P<why>because|since|as|given|due)\b|(?P<why2>因为|由于))",
    re.IGNORECASE,
)
_WHICH = re.compile(
    r"[,，]\s(?:which|that) (?:is|was|represents|means|gives|corresponds to|denotes)"
    r" (?:the|an?|our|your|what|how)\b",
    re.IGNORECASE,
)
_SECOND = re.compile(
    r"\b(?:or|and|unless|if|but|however|except|maybe|perhaps|also|plus)\b|[或但]|除非|如果|不过"
    r"|\bnot(?=\W*$| (?:sure|certain|really|quite|necessarily|entirely|correct|right|true|it"
    r"|the (?:final|right|correct|answer))\b)"
    r"|^\W*(?:no\b|nope|rather|instead|wrong|incorrect|false|不对|错|应[为是该])|也(?![就即])|还[有应]",
    re.IGNORECASE,
)
_DIGIT = re.compile("[0-9]")
_FIELD = re.compile(
    r"\"((?:[^\"\\\n]|\\.){0,300})\"|'([^'\n]{0,300})'|(\[[^\]\n]{0,300}\]|[-\w.%]{1,60})"
)


def read_statement(
    text: str,
    read: Callable[[str], Reading[T]],
    same: Callable[[T, T], bool] = operator.eq,
    *,
    markers: re.Pattern[str] = EXPLICIT,
    second: Callable[[str], object] = _DIGIT.search,
) -> Reading[T]:
    """Read what `text` states as its answer (see the module).

    Args:
        text: The answer of a response, in prose.
        read: Reads an answer from end to end, such as `read_number`.
        same: Whether two answers agree.
        markers: What marks an answer.
        second: Whether what follows the answer in its sentence may state a second one.
    """
    window = text[-WINDOW:]
    marks = list(markers.finditer(window))[-_MOST:]
    readings = [(mark, _marked(window, mark, read, second)) for mark in marks]
    # A heading `#### 3. Conclusion` marks nothing.
    readings = [(m, r) for m, r in readings if r.value is not None or not m.groupdict().get("line")]
    stated = concluded = Reading[T](None, "no_answer")
    end = 0
    if readings:
        mark, stated = readings[-1]
        end = mark.end()
        if RETRACTION.search(window, end):
            return Reading(None, "ambiguous" if stated.value is not None else "no_answer")
        if _contradicted(window, readings, same):
            return Reading(None, "ambiguous")
    end = max(end, len(window) - _LONGEST_CONCLUSION)
    conclusion = None
    for found in CONCLUSION.finditer(window, end):
        conclusion = found
    if conclusion is not None:
        sentence = _sentence(window, conclusion, last=True)
        concluded = _read(_clause(sentence, explicit=False), read, second)
    if stated.value is not None and concluded.value is not None:
        return stated if same(stated.value, concluded.value) else Reading(None, "ambiguous")
    return stated if readings else concluded


def _contradicted(
    window: str,
    readings: list[tuple[re.Match[str], Reading[T]]],
    same: Callable[[T, T], bool],
) -> bool:
    """Whether an earlier marked answer differs from the last, and nothing corrects it."""
    last, stated = readings[-1]
    if stated.value is None:
        return False
    return any(
        reading.value is not None
        and not same(reading.value, stated.value)
        and not RETRACTION.search(window, mark.end(), last.start())
        for mark, reading in readings[:-1]
    )


def _marked(
    window: str,
    mark: re.Match[str],
    read: Callable[[str], Reading[T]],
    second: Callable[[str], object],
) -> Reading[T]:
    if mark.groupdict().get("line") is not None:
        line = window[mark.end() :].split("\n", 1)[0]
        return _read(line.replace("**", "").strip(), read, second)
    if mark.groupdict().get("field") is not None:
        value = _FIELD.match(window, mark.end())
        said = (value[1] or value[2] or value[3] or "") if value else ""
        return read(said) if said else Reading(None, "no_answer")
    if mark.groupdict().get("denied") or is_others(window, mark):
        return Reading(None, "no_answer")
    sentence = _sentence(window, mark)
    reading = _read(sentence, read, second)
    if reading.value is None:
        reading = _read(_clause(sentence, explicit=True), read, second)
    for aside in _ASIDE.finditer(sentence) if reading.value is None else ():
        rest = sentence[aside.start() :]
        if not _SECOND.search(rest) and (_WHICH.match(rest) or not second(rest)):
            head = _read(_clause(sentence[: aside.start()], explicit=True), read, second)
            if head.value is not None:
                return head
    return reading


def _read(
    clause: str, read: Callable[[str], Reading[T]], second: Callable[[str], object]
) -> Reading[T]:
    if not clause or len(clause) > _LONGEST:
        return Reading(None, "no_answer")
    reading = read(clause)
    if reading.value is not None:
        return reading
    for pattern in (_TAIL, _ROUNDED):
        tail = pattern.search(clause)
        if tail and tail[0] and (cut := read(clause[: tail.start()])).value is not None:
            return cut
    for aside in _ASIDE.finditer(clause):
        rest = clause[aside.end() :]
        why = aside["why"] or aside["why2"]
        if not _SECOND.search(rest) and (why or not second(rest)):
            cut = read(clause[: aside.start()])
            if cut.value is not None:
                return cut
    return reading


def _sentence(window: str, marker: re.Match[str], *, last: bool = False) -> str:
    """Return what follows the marker in its sentence; nothing where it is no statement."""
    begin = _BEGIN.match(window, marker.end())
    start = begin.end() if begin else marker.end()
    end = _END.search(window, start)
    stop = end.start() if end else len(window)
    if last and end is not None and re.search(r"\w", window[end.end() :]):
        return ""
    before = window[max(0, marker.start() - _LONGEST) : marker.start()]
    sentence = _DRESS.sub("", window[start:stop])
    lead = _END.split(before)[-1]  # `A is wrong, so the answer is B` denies nothing of B
    doubtful = CONDITION.search(lead) or DOUBT.search(_COMMA.split(lead)[-1])
    doubtful = doubtful or DOUBT.search(_ASIDE.split(sentence, maxsplit=1)[0])
    asks = _MARKS_OF_END.match(window, stop)
    return "" if doubtful or (asks and re.search("[?？]", asks[0])) else sentence


def _clause(sentence: str, explicit: bool) -> str:
    """Return what follows the last copula of a sentence that states one quantity."""
    copulas = list(_COPULA.finditer(sentence))
    if not copulas:
        return sentence if explicit else ""
    starts = [0] * explicit + [copula.end() for copula in copulas[:-1]]
    stops = [copula.start() for copula in copulas][-len(starts) :] if starts else []
    equation = copulas[-1][0] in ("=", "≈", "\\approx")
    for start, stop in zip(starts, stops, strict=True):
        # A quantity that is said before the last one: fine where both are sides of an equation.
        if _QUANTITY.match(sentence, start) and (
            not equation or _JOINT.search(sentence, start, stop)
        ):
            return ""
    return sentence[copulas[-1].end() :]
