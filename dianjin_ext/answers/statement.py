r"""The answer that prose states, for responses without a box.

It is looked for in the last 4,000 characters, and only there. Two kinds of sentences state it: the
last one with an explicit marker, `answer is` (also `are`, `was`, `would be`, `will be`, `equals`,
`=`, `:`), a heading `Answer` or `答案`, `####`, `答案是` (`为`, `：`, `=`), `答：`; and the very
last one of the text, if it concludes: `therefore`, `thus`, `hence`, `so`, `consequently`, `in
conclusion`, `因此`, `所以`, `故`, `综上`. Where both state something, they must agree; else the
answer is `ambiguous`.

A sentence must end in the answer: right after the marker, or after the last `is`, `was`, `be`,
`equals`, `=`, `≈`, `是`, `为`, `等于`, `:` of the sentence. A period may follow (`in 2017`,
`after 2 years`), and `for`, `per`, `on`, `by`, `at` or `annually` with words without digits.

There is no answer in a sentence that is a question, a condition or a negation, in one that states
several quantities or that is taken back further on (`Wait`, `更正`), nor where other words stand
before the quantity (`a loss of $5`, which might be meant as −5). Where a sentence can't be read, no
other is looked at.
"""

import operator
import re
from collections import deque
from collections.abc import Callable
from typing import Final, TypeVar

from dianjin_ext.answers.reading import Reading

T = TypeVar("T")

WINDOW: Final = 4000
"""Characters at the end of a text in which its statement is looked for."""

_LONGEST, _LONGEST_CONCLUSION = 200, 800
# A text ends where its model ended it; some samplers go on, and keep these tokens.
_ENDS_OF_TEXT = ("<|endoftext|>", "<|eot_id|>", "<｜end▁of▁sentence｜>")
_TURNS = re.compile(r"<\|im_(?:end|start)\|>")

_EXPLICIT = re.compile(
    # without a leading \b and IGNORECASE, `re` skips to the first characters at once
    r"[Aa](?:nswer|NSWER)(?i:\s+to\s+(?:the|this)\s+(?:question|problem))?\s*"
    r"(?:(?i:is|are|was|would\s+be|will\s+be|equals)\b:?|[:=])"
    r"|####|(?:#\s?|\*\*)(?:[Ff]inal |最终)?(?:[Aa]nswer|答案)(?:\*\*)?[ \t]*\n"
    r"|答案\s*(?:[是为:：=]|应[是为该]+|(?=约|大约))|答(?<![回问解]答)[:：]"
)
_CONCLUSION = re.compile(
    r"\b(?:therefore|thus|hence|so|in\s+conclusion|consequently)\b|因此|所以|(?<!事)故(?![事障])|综上(?:所述)?",
    re.IGNORECASE,
)
_BEGIN = re.compile(r"(?:[\s:：]|\*\*|\\\[|\$\$)*")
_END = re.compile(r"[。！？!?\n]|(?<!approx)(?<!U\.S)\.(?=[\s*]|$)", re.IGNORECASE)
_COPULA = re.compile(
    r"\b(?:is|are|was|were|be|equals?)\b|\bequal\s+to\b|[=≈:：]|\\approx"
    r"|等于|(?<![因认作成])为|(?<!不)是",
    re.IGNORECASE,
)
_DOUBT = re.compile(
    r"\b(?:not|cannot|if|unless|whether|wrong|incorrect|false|doubt"
    r"|unlikely|nobody|naive|claim(?:s|ed)?|assume[sd]?|suppos(?:e|ing))\b|n['’]t\b"
    r"|不是|并非|错|如果|若|假设|假如|是否|有人|误以为",
    re.IGNORECASE,
)
_RETRACTION = re.compile(
    r"\b(?:actually|correction|wait|sorry|oops|scratch that)\b|更正|等等|等一下|不对|抱歉",
    re.IGNORECASE,
)
_QUANTITY = re.compile(r"[\s(*$¥￥€£≈~+-]*(?:\\\$|[A-Z]{1,3}\$?\s?|about |approximately |约)?[0-9]")
_JOINT = re.compile(r"\band\b|[,;]\s|[，；和]", re.IGNORECASE)
_TAIL = re.compile(
    r"\s(?:(?:in|for|after|over|by|at the end of) (?:the )?(?:year )?[0-9]{1,4}\b(?: [a-z]+)?\s?)?"
    r"(?:annually|(?:for|per|on|by|at(?! least| most))\b[^0-9]*)?$",
    re.IGNORECASE,
)


def read_statement(
    text: str, read: Callable[[str], Reading[T]], same: Callable[[T, T], bool] = operator.eq
) -> Reading[T]:
    """Read what `text` states as its answer (see the module).

    Args:
        text: The answer of a response, in prose.
        read: Reads an answer from end to end, such as `read_number`.
        same: Whether two answers agree.
    """
    window = _window(text)
    explicit = _last(_EXPLICIT, window)
    end = max(explicit.end() if explicit else 0, len(window) - _LONGEST_CONCLUSION)
    conclusion = _last(_CONCLUSION, window, end)
    stated = concluded = Reading[T](None, "no_answer")
    if explicit is not None:
        if _RETRACTION.search(window, explicit.end()):
            return Reading(None, "no_answer")
        stated = _read(_clause(_sentence(window, explicit), explicit=True), read)
    if conclusion is not None:
        concluded = _read(_clause(_sentence(window, conclusion, last=True), explicit=False), read)
    if stated.value is not None and concluded.value is not None:
        return stated if same(stated.value, concluded.value) else Reading(None, "ambiguous")
    return concluded if explicit is None else stated


def _last(pattern: re.Pattern[str], text: str, start: int = 0) -> re.Match[str] | None:
    found = deque(pattern.finditer(text, start), maxlen=1)
    return found.pop() if found else None


def _window(text: str) -> str:
    for token in _ENDS_OF_TEXT:
        end = text.find(token)
        text = text if end < 0 else text[:end]
    return _TURNS.sub("\n", text[-WINDOW:])


def _read(clause: str, read: Callable[[str], Reading[T]]) -> Reading[T]:
    if not clause or len(clause) > _LONGEST:
        return Reading(None, "no_answer")
    reading = read(clause)
    if reading.value is None and (tail := _TAIL.search(clause)):
        return read(clause[: tail.start()])
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
    sentence = window[start:stop].replace("**", "")
    doubtful = _DOUBT.search(_END.split(before)[-1]) or _DOUBT.search(sentence)
    return "" if doubtful or window[stop : stop + 1] in ("?", "？") else sentence


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
