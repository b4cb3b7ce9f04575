r"""The letters that an answer to a multiple-choice question gives.

Read as letters (blanks, width and the lead-ins `答案是`, `故选`, `The answer is` don't matter):

- letters alone: `A`, `ac`, `A、C`, `A，C`, `A; C`, `A/C`, `A和C`, `A and C`, `(A)(C)`, `\text{A}`;
- letters as labels: `A. text`, `A：text`, `A、text`, `(A) text`, `A (text)`, and lists of these;
- the text of exactly one option, or of several, one after the other, also beside its letter
  (`A - text`, `text (A)`);
- a word for true or false, where exactly one option is such a word.

Everything else is refused. `ambiguous`: several letters that are not a plain list (`A或B`,
`A/B/C 之一`, `不选A，选C`), a letter with the text of another option, a text that is one option and
names the letter of another, a letter with a text that denies its option, doubts it or has nothing
in common with it. `no_answer`: the rest, such as prose, a letter that is no option, and a
letter given twice (`AA`).
"""

import re
from collections import Counter
from collections.abc import Mapping
from functools import lru_cache
from typing import Final, NamedTuple

from dianjin_ext.answers.denial import denials, is_unlike, turns_around
from dianjin_ext.answers.labels import LABEL_SETS, read_label
from dianjin_ext.answers.reading import MAX_LENGTH, Reading
from dianjin_ext.answers.text import drop_lead, key, plain, plain_key, unquoted

DEFAULT_LETTERS: Final = "ABCDEFG"
"""The letters that count where a row doesn't give its options."""

_SEPARATOR = re.compile(r"[、,;/&\s]+|以?及|和|与|\band\b", re.IGNORECASE)
_TOKEN = re.compile(r"[(\[【]?([A-Za-z]+)[)\]】]?")
_ITEM = re.compile(
    r"(?<=[A-Za-z)])"
    r"(?: ?(?:(?:[两二三四五六]|[2-6] ?)?个?选?项|[是为](?:正确|本题)?的?(?:答案|选项))"
    r"| ?(?:[两二三四五六]?个?选?项)?(?:均|都|全部?)?[是为]?(?:正确|对)(?:的|答案|选项|说法)*"
    r"| is the (?:(?:correct |right )?answer|(?:correct|right) (?:choice|option|one))"
    r"| (?:is|are) (?:both |all )?(?:correct|right))$",
    re.IGNORECASE,
)
_JOINED = re.compile(r"[A-Z](?:(?:\.| ?\+ ?)[A-Z])+")
_OPTION = re.compile(
    r"(?<=[A-Za-z])选?项(?= ?[、,:和与及])|(?<=[A-Za-z] )选项(?= ?[、,:和与及])|^both (?=[A-Z] )",
    re.I,
)
_TICKS: Final = " √✓✔✅"
_ARRAY = re.compile(r"[\[{(][\sA-Za-z,，、;'\"“”‘’]+[\])}]|(?:['\"“‘][A-Za-z]['\"”’][,，、; ]*)+")
_ITEM_ENDS: Final = "项案确对的法rten"
_UNQUOTED = str.maketrans("", "", "[]{}()'\"“”‘’")
_LABEL = re.compile(
    r"(?:^|[,;、。\n] ?| (?=[(\[]))"
    r"(?:[(\[]([A-Za-z])[)\]] ?[.:、]?|([A-Z])\)|([A-Z]) ?[.:、]|([a-z])[.:)](?=\s|[^\x00-\x7f]))"
)
_ONLY_LETTERS = re.compile(r"[A-Z](?:[、,;/&\s]+[A-Z])*")
_BESIDE = (
    re.compile(  # `A -5%` has a sign
        r"[(\[]?(?P<letter>[A-Za-z])[)\]]?(?: [–—-] | ?[.:、,–—] ?|-(?![0-9.])| )(?P<text>.+)",
        re.DOTALL,
    ),
    re.compile(r"(?P<letter>[A-Za-z]) ?\((?P<text>.+)\)", re.DOTALL),
    re.compile(r"(?P<text>.+?) ?[(\[](?:[Oo]ption |选项 ?)?(?P<letter>[A-Za-z])[)\]]", re.DOTALL),
)
_LISTS = (re.compile(r"[;\n]"), re.compile(r"[、,;\n]"))
_AND = re.compile(r"[、,;\n]|以?及|和| and ")
_BRACKETED_TEXT = re.compile(r"([A-Za-z]) ?\((.+)\)", re.DOTALL)
# A letter that stands alone; A股, B类, C轮 and A-share are words.
_ALONE = re.compile(r"(?<![A-Za-z0-9])[A-Z](?![A-Za-z0-9股类轮级-])")
# What turns down a label whose option isn't known: such words may as well be the option's own.
_REFUSAL = re.compile(
    r"[×✗✘❌]|^不$|不(?:正确|对|选|应|能|符|属|成立|可选|可取|合适|准确|是)"
    r"|并?非(?:正确|本题)|^非|错误|错$|有误|排除|除外|剔除|淘汰|无法"
    r"|^(?:not|never|cannot|wrong|false|incorrect)\b"
    r"|\b(?:is|are)(?:n't| not| wrong| false| incorrect)\b"
    r"|\bnot (?:correct|right|true|the answer|this)\b"
    r"|\b(?:excluded|eliminated|rejected|ruled out)\b"
    r"|\b(?:wrong|false|incorrect)\W*$",
    re.IGNORECASE,
)
_POLARITY = {"true": "+", "yes": "+", "false": "-", "no": "-"}
_TRUTHS = {
    key(word): _POLARITY[label]
    for name in ("true_false", "yes_no")
    for label, words in LABEL_SETS[name].items()
    for word in words
}
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
    known = _options(tuple(options.items())) if options else _NO_OPTIONS
    whole = plain(text).replace("$", "")
    cleaned = unquoted(drop_lead(whole).rstrip(" .。!")).rstrip(" .。!")
    cleaned = cleaned.rstrip(_TICKS) or cleaned
    if "项" in cleaned or cleaned[:1] in "bB":
        cleaned = _OPTION.sub("", cleaned)
    if cleaned[-1:] in _ITEM_ENDS:
        cleaned = _ITEM.sub("", cleaned)
    if _JOINED.fullmatch(cleaned):
        cleaned = cleaned.replace(".", "、").replace(" + ", "、").replace("+", "、")
    elif _ARRAY.fullmatch(cleaned):
        cleaned = cleaned.translate(_UNQUOTED)
    by_letter = _beside(cleaned, known) if known.lettered else ""
    by_letter = by_letter or _letters(cleaned, known.letters)
    by_letter = by_letter or _beside(cleaned, known) or _listed(whole, known)
    by_letter = by_letter or _labelled(cleaned, known)
    by_text = _option(whole, known)
    if by_letter and by_text and by_letter != by_text:
        return _AMBIGUOUS
    found = by_letter or by_text or _option(cleaned, known) or _by_truth(whole, known)
    if found == "?" or (not found and len(set(_ALONE.findall(cleaned)) & set(known.letters)) > 1):
        return _AMBIGUOUS
    return Reading("".join(sorted(found))) if found else _NO_ANSWER


class _Options(NamedTuple):
    """Options in the form in which they are compared.

    `denials` has how often an option's own text has what else would deny or doubt it; `by_text` and
    `by_truth` leave out what several options have in common; `lettered` is whether an option is a
    list of letters (`A和B`), so that a label and its text look like one list.
    """

    letters: str
    lettered: bool
    keys: Mapping[str, str]
    denials: Mapping[str, tuple[int, int]]
    by_text: Mapping[str, str]
    by_truth: Mapping[str, str]


_NO_OPTIONS = _Options(DEFAULT_LETTERS, False, {}, {}, {}, {})


@lru_cache(maxsize=4096)  # a row is read for its gold answer and for each of its rollouts
def _options(items: tuple[tuple[str, str], ...]) -> _Options:
    keys = {letter: key(text.replace("$", "")) for letter, text in items}
    truths = {letter: truth for letter, text in items if (truth := _truth(text))}
    usual = {letter: denials(text) for letter, text in items}
    letters = "".join(keys)
    lettered = any(_letters(plain(text), letters) for _, text in items)
    return _Options(letters, lettered, keys, usual, _unique(keys), _unique(truths))


def _unique(texts: Mapping[str, str]) -> dict[str, str]:
    """Return text to letter for the texts that only one letter has."""
    counts = Counter(texts.values())
    return {text: letter for letter, text in texts.items() if counts[text] == 1}


def _letters(text: str, allowed: str) -> str:
    """Return the letters of a plain list, or nothing."""
    parts = [
        part
        for part in _SEPARATOR.split(text.replace(")(", ") (").replace("】【", "】 【"))
        if part
    ]
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


def _labelled(text: str, known: _Options) -> str:
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
        marks = [mark for mark in marks if mark[0] == 0 or mark[2] in known.letters]
        ends = [start for start, _, _ in marks[1:]] + [len(text)]
        pairs = [
            (letter, text[end:stop].strip())
            for (_, end, letter), stop in zip(marks, ends, strict=True)
        ]
    found = "".join(letter for letter, _ in pairs)
    if len(set(found)) != len(found) or not set(found) <= set(known.letters):
        return ""
    if len(pairs) > 1 and not all(words for _, words in pairs):
        return ""
    return found if all(_agrees(letter, words, known) for letter, words in pairs) else "?"


def _agrees(letter: str, words: str, known: _Options) -> bool:
    """Whether `words` may stand after the label `letter`."""
    words = words.rstrip(_TICKS) or words
    said = plain_key(words)
    if known.keys.get(letter) == said:
        return True
    truth = _TRUTHS.get(said.removesuffix("的"), "")
    if truth:
        return known.by_truth.get(truth) == letter
    if _ONLY_LETTERS.fullmatch(words) or (words.isupper() and _letters(words, known.letters)):
        return False
    own = known.keys.get(letter)
    if own is None:
        if _REFUSAL.search(words):
            return False
    elif (
        _names_another(said, letter, known)
        or is_unlike(words, own)
        or turns_around(words, own, known.denials[letter])
    ):
        return False
    others = set(_ALONE.findall(words)) - {letter}
    return not others & set(known.letters)


def _beside(text: str, known: _Options) -> str:
    """Return the letter beside which its option's text stands, or nothing."""
    for pattern in _BESIDE if known.keys else ():
        match = pattern.fullmatch(text)
        if match is not None:
            letter = match["letter"].upper()
            if known.keys.get(letter) == plain_key(match["text"]):
                return letter
    return ""


def _names_another(said: str, letter: str, known: _Options) -> bool:
    own = known.keys.get(letter, "")
    return any(
        said == text or (len(text) > 1 and text in said and text not in own)
        for text in known.keys.values()
    )


def _option(text: str, known: _Options) -> str:
    """Return the letter of the one option that `text` spells out, or nothing."""
    return known.by_text.get(plain_key(text), "") if known.by_text else ""


def _listed(text: str, known: _Options) -> str:
    """Return the letters of the options that `text` lists, each by its text, or nothing."""
    for separator in _LISTS if known.keys else ():
        parts = [part.strip() for part in separator.split(text)]
        letters = [_option(part, known) or _beside(part, known) for part in parts]
        if all(letters) and len(set(letters)) == len(letters):
            return "".join(letters)
    letters = [_option(part.strip(), known) for part in _AND.split(text)] if known.keys else []
    return "".join(letters) if all(letters) and len(set(letters)) == len(letters) else ""


def _by_truth(text: str, known: _Options) -> str:
    """Return the letter of the one option with the verdict that `text` is, or nothing."""
    return known.by_truth.get(_truth(drop_lead(text)), "") if known.by_truth else ""


def _truth(text: str) -> str:
    """Return `+` for a word that means true, `-` for one that means false, else nothing."""
    return _POLARITY.get(read_label(text, ("true_false", "yes_no")).value or "", "")
