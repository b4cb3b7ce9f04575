"""The options of a multiple-choice question, in any of the forms that data sets give them."""

import math
import re
from collections.abc import Mapping, Sequence
from string import ascii_uppercase
from typing import Any, Final

from dianjin_ext.answers.arrays import listed

EXPECTED: Final = (
    "expected letter to text ({A: …, B: …}), a list of texts, or a list of {label: A, text: …}"
)
"""Completes a message about options that can't be read."""

_LABELS: Final = ("label", "key", "letter", "id", "option")
_TEXTS: Final = ("text", "content", "value", "choice")
_OWN_LABEL = re.compile(r"\s*[(（]?([A-Za-z])[)）.．、:：]\s*")


def read_options(choices: Any) -> dict[str, str] | None:
    """Return capital letter to text; empty without options, None where they can't be read.

    Args:
        choices: None; letter to text (in parquet with None or NaN for letters that the row lacks);
            a list of texts, in the order of their letters, each with its letter in front or none;
            a list of pairs of a letter and a text, of mappings with a label and a text, or each of
            one letter to its text; or `{label: […], text: […]}`. Arrays of
            numpy are taken for lists.
    """
    if choices is None:
        return {}
    choices = listed(choices)
    if isinstance(choices, Mapping):
        labels, texts = listed(choices.get("label")), listed(choices.get("text"))
        if isinstance(labels, list | tuple) and isinstance(texts, list | tuple):
            return _labelled(list(zip(labels, texts, strict=False)), len(labels) == len(texts))
        return _labelled([(k, v) for k, v in choices.items() if not _missing(v)], True)
    if not isinstance(choices, list | tuple):
        return None
    items = [listed(item) for item in choices if not _missing(item)]
    if all(isinstance(item, Mapping) for item in items):
        return _labelled([_pair(item) for item in items], True)
    if items and all(isinstance(item, list | tuple) and len(item) == 2 for item in items):
        return _labelled([(item[0], item[1]) for item in items], True)
    if len(items) > len(ascii_uppercase) or not all(map(_is_text, items)):
        return None
    return dict(zip(ascii_uppercase, _without_labels([str(item) for item in items]), strict=False))


def _labelled(pairs: Sequence[tuple[Any, Any]], complete: bool) -> dict[str, str] | None:
    options = {}
    for label, text in pairs:
        if not isinstance(label, str) or not _is_text(text):
            return None
        letter = label.strip().rstrip(".．、:：)）").upper()
        if len(letter) != 1 or letter not in ascii_uppercase or letter in options:
            return None
        options[letter] = str(text)
    return options if complete else None


def _pair(item: Mapping[str, Any]) -> tuple[Any, Any]:
    given = {key: text for key, text in item.items() if not _missing(text)}
    if len(given) == 1:  # `{A: …}`; in parquet with None for all other letters
        return next(iter(given.items()))
    return _one(item, _LABELS), _one(item, _TEXTS)


def _one(item: Mapping[str, Any], names: Sequence[str]) -> Any:
    return next((item[name] for name in names if name in item), None)


def _without_labels(texts: list[str]) -> list[str]:
    """Return texts without the letters in front of them, if all have the right ones."""
    marks = [_OWN_LABEL.match(text) for text in texts]
    own = [mark[1].upper() if mark else "" for mark in marks]
    if own != list(ascii_uppercase[: len(own)]):
        return texts
    return [text[mark.end() :] for text, mark in zip(texts, marks, strict=True) if mark]


def _is_text(value: Any) -> bool:
    return isinstance(value, str | int | float) and not isinstance(value, bool)


def _missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))
