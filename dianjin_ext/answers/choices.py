r"""The letters that an answer to a multiple-choice question gives.

Read as letters (blanks, width and the lead-ins `答案是`, `故选`, `The answer is` don't matter):

- letters alone: `A`, `ac`, `A、C`, `A，C`, `A; C`, `A/C`, `A和C`, `A and C`, `(A)(C)`, `\text{A}`;
- letters as labels: `A. text`, `A：text`, `A、text`, `(A) text`, `A (text)`, and lists of these;
- the text of exactly one option, or of several, one after the other;
- a word for true or false, where exactly one option is such a word.

Everything else is refused. `ambiguous`: several letters that are not a plain list (`A或B`,
`A/B/C 之一`, `不选A，选C`), a letter with the text of another option, a text that is one option and
names the letter of another. `no_answer`: the rest, such as prose, a letter that is no option, and a
letter given twice (`AA`).
"""

import re
from collections.abc import Mapping
from typing import Final

from dianjin_ext.answers.labels import read_label
from dianjin_ext.answers.reading import MAX_LENGTH, Reading
from dianjin_ext.answers.text import drop_lead, key, plain

DEFAULT_LETTERS: Final = "ABCDEFG"
"""The letters that count where a row doesn't give its options."""

_SEPARATOR = re.compile(r"[、,;/&\s]+|以?及|和|与|\band\b", re.IGNORECASE)
_TOKEN = re.compile(r"[(\[]?([A-Za-z]+)[)\]]?")
_LABEL = re.compile(
    r"(?:^|[,;、。\n] ?)"
    r"(?:[(\[]([A-Za-z])[)\]] ?[.:、]?|([A-Z])\)|([A-Z]) ?[.:、]|([a-z])[.:)](?=\s|[^\x00-\x7f]))"
)
_BRACKETED_TEXT = re.compile(r"([A-Za-z]) ?\((.+)\)", re.DOTALL)
# A letter that stands alone; A股, B类, C轮 and A-share are words.
_ALONE = re.compile(r"(?<![A-Za-z0-9])[A-Z](?![A-Za-z0-9股类轮级-])")
_TEXT_SEPARATOR = re.compile(r"[、,;\n]")
_REFUSALS = frozenset({"不选", "排除", "非", "not"})
_POLARITY = {"true": "+", "yes": "+", "false": "-", "no": "-"}
_NO_ANSWER: Reading[str] = Reading(None, "no_answer")
_AMBIGUOUS: Reading[str] = Reading(None, "ambiguous")


def read_choices(text: str, options: Mapping[str, str] | None = None) -> Reading[str]:
    """Read `text` as a set of option letters.

    Args:
        text: The content of the box, or a gold answer.
        options: Capital letter to option text, where the row has them; only its letters count
            then. Without it, A to G count.

    Returns:
        The letters in alphabetical order, such as `AC`, or the fault (see the module).
    """
    if len(text) > MAX_LENGTH:
        return _NO_ANSWER
    allowed = "".join(options) if options else DEFAULT_LETTERS
    cleaned = drop_lead(plain(text).replace("$", "")).rstrip(" .。!")
    if len(cleaned) > 1 and cleaned[-1] == "项":
        cleaned = cleaned[:-1]
    by_letter = _letters(cleaned, allowed) or _labelled(cleaned, allowed, options or {})
    by_text = _option_text(text, options) if options else ""
    if by_letter and by_text and by_letter != by_text:
        return _AMBIGUOUS
    found = by_letter or by_text
    if found == "?" or (not found and len(set(_ALONE.findall(cleaned)) & set(allowed)) > 1):
        return _AMBIGUOUS
    return Reading("".join(sorted(found))) if found else _NO_ANSWER


def _letters(text: str, allowed: str) -> str:
    """Return the letters of a plain list, or nothing."""
    parts = [part for part in _SEPARATOR.split(text.replace(")(", ") (")) if part]
    found = ""
    for part in parts:
        token = _TOKEN.fullmatch(part)
        if token is None:
            return ""
        run = token[1]
        # `ac` alone is letters; `bad`, or `be` among others, is a word.
        if not run.isupper() and len(run) > 1 and (len(parts) > 1 or list(run) != sorted(run)):
            return ""
        found += run.upper()
    if len(set(found)) != len(found) or not set(found) <= set(allowed):
        return ""
    return found


def _labelled(text: str, allowed: str, options: Mapping[str, str]) -> str:
    """Return the letters of labels with their texts, `?` if they contradict, or nothing."""
    bracketed = _BRACKETED_TEXT.fullmatch(text)
    if bracketed is not None:
        pairs = [(bracketed[1].upper(), bracketed[2])]
    else:
        marks = [
            (mark.start(), mark.end(), (mark[1] or mark[2] or mark[3] or mark[4]).upper())
            for mark in _LABEL.finditer(text)
        ]
        if not marks or marks[0][0] != 0:
            return ""
        marks = [mark for mark in marks if mark[0] == 0 or mark[2] in allowed]
        ends = [start for start, _, _ in marks[1:]] + [len(text)]
        pairs = [
            (letter, text[end:stop].strip())
            for (_, end, letter), stop in zip(marks, ends, strict=True)
        ]
    found = "".join(letter for letter, _ in pairs)
    if len(set(found)) != len(found) or not set(found) <= set(allowed):
        return ""
    if len(pairs) > 1 and not all(words for _, words in pairs):
        return ""
    return found if all(_agrees(*pair, allowed, options) for pair in pairs) else "?"


def _agrees(letter: str, words: str, allowed: str, options: Mapping[str, str]) -> bool:
    """Whether `words` may stand after the label `letter`."""
    said = key(words)
    if letter in options and said == _option_key(options[letter]):
        return True
    if any(said == _option_key(option) for option in options.values()):
        return False
    truth = _truth(words)
    if truth:
        return letter in options and _truth(options[letter]) == truth
    if said in _REFUSALS:
        return False
    others = set(_ALONE.findall(words)) - {letter}
    return not others & set(allowed)


def _option_text(text: str, options: Mapping[str, str]) -> str:
    """Return the letters of the options that `text` spells out, or nothing."""
    by_text: dict[str, str] = {}
    for letter, option in options.items():
        said = _option_key(option)
        by_text[said] = by_text.get(said, "") + letter
    cleaned = plain(text).replace("$", "")
    hits = [by_text.get(key(part), "") for part in (cleaned, drop_lead(cleaned))]
    for hit in hits:
        if hit:
            return hit if len(hit) == 1 else ""
    parts = [by_text.get(key(part), "") for part in _TEXT_SEPARATOR.split(cleaned)]
    if len(parts) > 1 and all(len(part) == 1 for part in parts) and len(set(parts)) == len(parts):
        return "".join(sorted(parts))
    return _verdict(cleaned, options)


def _verdict(text: str, options: Mapping[str, str]) -> str:
    """Return the letter of the option that says true or false as `text` does, or nothing."""
    said = _truth(text)
    hits = [letter for letter, option in options.items() if said and _truth(option) == said]
    return hits[0] if len(hits) == 1 else ""


def _truth(text: str) -> str:
    return _POLARITY.get(read_label(text, ("true_false", "yes_no")).value or "", "")


def _option_key(option: str) -> str:
    return key(option.replace("$", ""))
