"""Closed sets of labels, each label with the words that stand for it.

A label is read only if a word of the set is the whole text, so `不合规` is never read as `合规` and
`not bullish` is nothing at all. Sets are kept apart: whether `是` means `合规` depends on the
question.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from dianjin_ext.answers.reading import MAX_LENGTH, Reading
from dianjin_ext.answers.text import drop_lead, key, plain

LABEL_SETS: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "yes_no": {
        "yes": ("yes", "是", "是的"),
        "no": ("no", "否", "不是"),
    },
    "true_false": {
        "true": ("true", "correct", "对", "正确", "√", "✓", "✔"),
        "false": ("false", "incorrect", "wrong", "错", "错误", "不对", "不正确", "×", "✗", "✘"),
    },
    "compliance": {
        "compliant": ("compliant", "合规", "符合规定"),
        "non-compliant": (
            "non-compliant",
            "noncompliant",
            "not compliant",
            "不合规",
            "违规",
            "不符合规定",
        ),
    },
    "sentiment": {
        "bearish": ("bearish", "利空", "看跌", "看空", "negative", "消极", "负面"),
        "neutral": ("neutral", "中性"),
        "bullish": ("bullish", "利好", "看涨", "看多", "positive", "积极", "正面"),
    },
}
"""Set name to label to the words for it."""

_WORDS = {
    name: {key(word): label for label, words in labels.items() for word in words}
    for name, labels in LABEL_SETS.items()
}
_SEPARATOR = re.compile(r"[/|,、;\s]+|或者?|和|\bor\b|\band\b", re.IGNORECASE)


def read_label(text: str, names: Iterable[str]) -> Reading[str]:
    """Read `text` as one label of one of the sets `names`, such as `("yes_no", "compliance")`.

    The sets must have no word in common. Two different labels side by side are `ambiguous`;
    anything else that is not exactly one word of the sets is `no_answer`.
    """
    if len(text) > MAX_LENGTH:
        return Reading(None, "no_answer")
    sets = [_WORDS[name] for name in names]
    text = drop_lead(plain(text))
    whole = _lookup(key(text), sets)
    if whole is not None:
        return Reading(whole)
    parts = {_lookup(key(part), sets) for part in _SEPARATOR.split(text)}
    return Reading(None, "ambiguous" if len(parts - {None}) > 1 else "no_answer")


def label_set(text: str, names: Iterable[str]) -> str | None:
    """Return which of the sets `names` has `text` as a word, or None."""
    return next((name for name in names if read_label(text, (name,)).value is not None), None)


def _lookup(word: str, sets: list[dict[str, str]]) -> str | None:
    return next((labels[word] for labels in sets if word in labels), None)
