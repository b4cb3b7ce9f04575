"""TAT-QA's published exact match, for comparing with published tables, never as a reward.

Restated from `tatqa_metric.py` and `tatqa_utils.py` of https://github.com/NExTplusplus/TAT-QA.
Answer and gold answer become one text each: the items are sorted, a number is rounded to two
decimals and multiplied by its scale, and a text gets the scale behind it; then case, punctuation,
`a`, `an`, `the` and blanks are dropped. A single number without a percent sign and a scale may also
be meant unrounded: 0.2342 is right for 23.42 per cent. Its faults are kept: `(1,340)` is positive,
because of the comma; of `1e5` the 1 counts; `.5` is no number; an answer of punctuation only is
right for a gold answer of punctuation only; a number that names its scale is multiplied by the
predicted one once more.

The published evaluator is given a list and its scale. Here they are read out of the text of
`dianjin_ext.rewards.format.published_text`: a list in brackets and quotation marks; items between
semicolons, where the gold answer has several; else one item. The scale is the row's, which our
prompts name, where the answer names none itself. Under `numbers.scale: none` it must name it.
"""

import math
import re
import string
from collections.abc import Callable, Sequence
from typing import Any, Final

from dianjin_ext.rewards.base import Score, verdict, zero
from dianjin_ext.rewards.format import Extract, published_text

_LONGEST: Final = 2000
"""Characters of an answer, and of a gold answer; a longer one is right for none."""

_SCALES: Final = {"hundred": 100, "thousand": 10**3, "million": 10**6, "billion": 10**9}
_DRESS: Final = str.maketrans("", "", "'\"\\$€£¥%(),[]")
_PUNCTUATION: Final = str.maketrans("", "", string.punctuation)
_DIGITS: Final = re.compile(r"([+-]?\d+(?:\.\d+)?)|[+-]?\.\d+")
_NEGATIVE: Final = re.compile(r"\([\d.\s]+\)")
_PERCENT: Final = re.compile(r"[\d.\s]%")  # of a run of digits before it, the last
_WORD: Final = re.compile(r"[\d.]\s?[a-zA-Z]+")
_ARTICLE: Final = re.compile(r"\b(?:an?|the)\b")


def score_as_tatqa(
    found: Extract,
    golds: Sequence[Any],
    scale: Any,
    *,
    told: bool,
    split: Callable[[str], Sequence[str]] = lambda text: (),
) -> Score:
    """Score an extract by the published rule.

    Args:
        found: What `dianjin_ext.rewards.format.extract` returned.
        golds: The items of the gold answer; none is unusable.
        scale: That of the row; empty or None for none.
        told: Whether an answer that names no scale is meant in the row's.
        split: Reads the list that a text gives; empty where it gives none.
    """
    if not golds:
        return zero("gold_unusable", layout=found.format)
    if found.fault:
        return zero(found.fault)
    text = published_text(found)
    if not text.strip():
        return zero("no_answer", layout=1.0)
    items = split(text) or [text]
    scale = scale if isinstance(scale, str) else ""
    meant = scale if told and not any(map(_names_scale, items)) else ""
    texts = texts_of(items, meant)
    same = next((said for said in texts if said in texts_of(golds, scale)[:1]), None)
    pred = texts[-1] if texts and texts[-1] else text
    return verdict(same is not None, " ".join((same or pred).split()))


def texts_of(items: Sequence[Any], scale: str) -> list[str]:
    """Return the texts that stand for an answer; the first is the one with its scale.

    Of a gold answer the first counts alone. Empty where the answer is too long.
    """
    texts = [str(item) for item in _sorted(items)]
    if sum(map(len, texts)) > _LONGEST:
        return []
    try:
        joined = [" ".join(_scaled(text, scale) for text in texts)]
        if len(texts) == 1 and not scale and "%" not in texts[0] and _is_number(texts[0]):
            value = _number(texts[0])
            joined += [] if value is None else [f"{value:.4f}"]
        return [_normal(text) for text in joined]
    except (OverflowError, ValueError):  # more digits than Python converts
        return []


def _names_scale(item: str) -> bool:
    return "%" in item or (_is_number(item) and len(item.translate(_DRESS).split()) > 1)


def _sorted(items: Sequence[Any]) -> list[Any]:
    try:
        return sorted(items)
    except TypeError:  # texts and numbers
        return sorted(items, key=str)


def _scaled(text: str, scale: str) -> str:
    value = _number(text) if _is_number(text) else None
    if value is None:
        return f"{text} {scale}" if scale else text
    if "%" in text:
        return f"{value:.4f}"
    return f"{round(value, 2) * _factor(scale):.4f}"


def _is_number(text: str) -> bool:
    """Whether the first word is a number and the second, if there is one, names a scale."""
    words = text.translate(_DRESS).split()
    try:
        return bool(words) and not math.isnan(float(words[0])) and _second(words) != 1
    except ValueError:
        return False


def _second(words: list[str]) -> float | None:
    return _factor(words[1]) if len(words) > 1 else None


def _number(text: str) -> float | int | None:
    found = _DIGITS.search(text.translate(_DRESS))
    digits = found and found[1]
    if not digits:
        return None
    value = float(digits) if "." in digits else int(digits)
    word = _WORD.search(text)
    value *= _factor(word[0]) if word else 1
    value *= -1 if _NEGATIVE.search(text) else 1
    return round(value * (0.01 if _PERCENT.search(text) else 1), 4)


def _factor(scale: str) -> float | int:
    scale = scale.lower()
    named = (factor for word, factor in _SCALES.items() if word in scale)
    return next(named, 0.01 if "percent" in scale else 1)


def _normal(text: str) -> str:
    """Return a text in the form that is compared, word by word."""
    words = []
    for word in text.lower().split(" "):
        if _is_number(word):
            word = str(_number(word))
        else:
            word = word.translate(_PUNCTUATION)
            word = str(_number(word)) if _is_number(word) else word
        words.extend(_ARTICLE.sub(" ", word).split())
    return " ".join(words)
