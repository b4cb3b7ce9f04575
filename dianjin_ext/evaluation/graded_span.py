r"""Where the graded answer stands in a response.

Of a box it is the content. Of prose it is what, read as a whole answer, is the answer that was
graded, in the last sentence that states it: `5.2 million` of `The answer is $5.2 million.`; where
no part of the sentence reads so, the sentence. What can't be found is nothing: a span is never a
guess.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from dianjin_ext.answers.boxed import last_box
from dianjin_ext.answers.labels import LABEL_SETS
from dianjin_ext.answers.markers import EXPLICIT
from dianjin_ext.answers.options import read_options
from dianjin_ext.answers.units import RATES, SCALES, alternatives
from dianjin_ext.evaluation.reads import Reads
from dianjin_ext.rewards.format import extract, parts_of
from dianjin_ext.rewards.policy import Policy

Span = tuple[int, int]

LEAD: Final = "Reasoning goes on.\n"
"""Before a sentence, so that it is read as one that states something, not as a bare answer."""

_WINDOW: Final = 4000
_MOST_SENTENCES, _MOST_FIRST, _MOST_CANDIDATES = 30, 2, 60
_SENTENCE = re.compile(r"(?:[^。！!？?\n.]|\.(?!\s|$))+[。！!？?.]*")
_NUMBER = (
    rf"[(\-−–+]?\s?(?:US|HK|C|A)?[$€£¥￥]?\s?[-−–]?[0-9](?:[0-9,，]*[0-9])?(?:\.[0-9]+)?"
    rf"(?:\s?/\s?[0-9.]+)?(?:\s?(?:{alternatives(SCALES)}))?(?:\s?(?:{alternatives(RATES)}))?"
)
_NUMBERS = re.compile(rf"{_NUMBER}\)?|\.[0-9]+\s?%?", re.IGNORECASE)
_DIGITS = re.compile(r"[-−–]?[0-9](?:[0-9,]*[0-9])?(?:\.[0-9]+)?(?:\s?[%％‰])?")
_LETTER = r"[A-Za-z]{1,7}"
_LETTERS = re.compile(
    rf"(?<![A-Za-z])[(（]?{_LETTER}(?:\s?(?:[、,，/&和与及]|\band\b)\s?{_LETTER})*[)）]?(?![A-Za-z])"
)
_ONE_LETTER = re.compile(r"(?<![A-Za-z])[A-Z](?![A-Za-z])")
_WORDS = {word for words in LABEL_SETS.values() for some in words.values() for word in some}


def span(response: str, *, reads: Reads, pred: str, by_rules: bool = True) -> Span | None:
    """Return where the graded answer begins and ends, in characters of the response.

    Args:
        response: The whole text of the model.
        reads: The readers of its row.
        pred: The answer that was graded.
        by_rules: Whether the rules read it, not a judge or a model that extracts.

    Returns:
        The span; None where no answer was read, or it can't be shown to stand in one place.
    """
    if not pred:
        return None
    policy = reads.policy
    found = extract(response, policy, needs_box=False)
    if policy.strictness in ("dianjin", "dianjin_eval"):
        return _trimmed(response, *_last(response, "\\boxed{", found.text))
    if found.fault:
        return None
    if not by_rules and reads.kind != "open" and reads.response(response) != pred:
        return _said_last(response, found.text, pred, reads)
    if found.boxed:
        place = _in_box(response, policy) or _last_marked(response, found.text)
        return place and _trimmed(response, *place)
    begin = response.rfind(found.text)
    if begin < 0:  # marks of other models were taken out of it
        return None
    inside = answer_in(found.text, pred, reads)
    return inside and (begin + inside[0], begin + inside[1])


def _said_last(response: str, answer: str, pred: str, reads: Reads) -> Span | None:
    """Return where a response has an answer last that somebody else than the rules read in it."""
    if answer[: len(pred)] == pred:  # a judge read all of it
        begin = response.rfind(answer)
        return _trimmed(response, begin, begin + len(answer))
    skipped = max(0, len(response) - _WINDOW)
    for first, last in _candidates(response[skipped:], reads):
        if reads.answer(response[skipped + first : skipped + last]) == pred:
            return _trimmed(response, skipped + first, skipped + last)
    return None


def answer_in(text: str, pred: str, reads: Reads) -> Span | None:
    """Return where the prose `text` gives the answer `pred`."""
    if reads.kind == "open":
        return _trimmed(text, 0, len(text))
    if reads.answer(text) == pred:
        return _within(text, 0, len(text), pred, reads)
    if reads.kind == "math":
        begin = text.rfind(pred)
        return (begin, begin + len(pred)) if begin >= 0 else None
    skipped = max(0, len(text) - _WINDOW)
    sentences = [match.span() for match in _SENTENCE.finditer(text, skipped)]
    before = [skipped, *(begin for begin, _ in sentences)]
    last = list(zip(before, sentences, strict=False))[: -_MOST_SENTENCES - 1 : -1]
    for earlier, (begin, end) in last:  # the marker may stand in a line of its own
        for start in (begin, earlier):
            if reads.prose(LEAD + text[start:end]) == pred:
                return _within(text, start, end, pred, reads)
    for begin, end in sentences[:_MOST_FIRST]:  # `B`, and an explanation below it
        if pred in (reads.prose(text[begin:end]), reads.answer(text[begin:end])):
            return _within(text, begin, end, pred, reads)
    return None


def _within(text: str, begin: int, end: int, pred: str, reads: Reads) -> Span | None:
    """Return the part of a sentence that alone is the answer, or all of it."""
    sentence = text[begin:end]
    parts = list(_candidates(sentence, reads))
    for wanted in dict.fromkeys((pred, pred.lstrip("-"))):  # `fell by 5%` is -0.05
        found = _outermost(part for part in parts if reads.answer(sentence[slice(*part)]) == wanted)
        if found:
            first, last = _telling(sentence, found, pred, reads)
            return _trimmed(text, begin + first, begin + last)
    return _trimmed(text, begin, end)


def _outermost(places: Iterable[Span]) -> list[Span]:
    """Return spans without those that lie in an earlier one."""
    kept: list[Span] = []
    for first, last in places:
        if not any(begin <= first and last <= end for begin, end in kept):
            kept.append((first, last))
    return kept


def _telling(sentence: str, found: Sequence[Span], pred: str, reads: Reads) -> Span:
    """Return the part without which the sentence states no longer what it does; else the first."""
    for first, last in found if len(found) > 1 else ():
        if reads.prose(f"{LEAD}{sentence[:first]}…{sentence[last:]}") != pred:
            return first, last
    return found[0]


def _candidates(sentence: str, reads: Reads) -> Iterator[Span]:
    """Yield what may be an answer in a sentence, from its end; longer ones first."""
    marks = (_LETTERS, _ONE_LETTER) if reads.kind == "choice" else (_NUMBERS, _DIGITS)
    found = {match.span() for mark in marks for match in mark.finditer(sentence)}
    said = sentence.rstrip().rstrip(".。")
    found |= {(mark.end(), len(said)) for mark in EXPLICIT.finditer(said)}
    yield from _from_the_end(found)
    options = read_options(reads.extra_info.get("choices")) or {}
    own = reads.extra_info.get("labels") or ()
    folded = sentence.lower()
    if len(folded) == len(sentence):
        words = {word.lower() for word in (*options.values(), *_WORDS, *map(str, own)) if word}
        places = {(folded.rfind(word), len(word)) for word in words if word in folded}
        yield from _from_the_end({(begin, begin + length) for begin, length in places})


def _from_the_end(places: set[Span]) -> list[Span]:
    ordered = sorted(places, key=lambda place: (place[1], place[1] - place[0]), reverse=True)
    return ordered[:_MOST_CANDIDATES]


def _in_box(response: str, policy: Policy) -> Span | None:
    """Return where the content of the last box of the answer stands."""
    answer = parts_of(response, policy).answer or ""
    box = last_box(answer)
    if box is None:
        return None
    opening = policy.tags.answer[0] if policy.tags.answer else policy.tags.think[1]
    for before in (opening, ""):
        begin = response.rfind(before + answer)
        if begin >= 0:
            end = begin + len(before) + box.end - 1
            return end - len(box.content), end
    return None


def _last_marked(response: str, content: str) -> Span | None:
    """Return where the content of another model's mark of an answer stands."""
    for mark in ("\\boxed{", "<|begin_of_box|>", "box{", "<answer>"):
        begin, end = _last(response, mark, content)
        if begin >= 0:
            return begin, end
    return None


def _last(response: str, mark: str, content: str) -> Span:
    begin = response.rfind(mark + content)
    return (begin + len(mark), begin + len(mark) + len(content)) if begin >= 0 else (-1, -1)


def _trimmed(text: str, begin: int, end: int) -> Span | None:
    """Return a span without blanks at its ends; None of nothing."""
    if begin < 0:
        return None
    said = text[begin:end]
    begin += len(said) - len(said.lstrip())
    return (begin, begin + len(said.strip())) if said.strip() else None
