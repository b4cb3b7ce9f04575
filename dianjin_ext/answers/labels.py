"""Closed sets of labels, each label with the words that stand for it.

A label is read only if words of the set are all there is, so `不合规` is never read as `合规`, and
`not bullish` is nothing at all. There is no default label. Sets are kept apart: whether `是` means
`合规` depends on the question.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

from dianjin_ext.answers.arrays import listed
from dianjin_ext.answers.reading import MAX_LENGTH, Reading
from dianjin_ext.answers.text import QUOTES, drop_lead, key, plain

LABEL_SETS: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "yes_no": {
        "yes": ("yes", "是", "是的"),
        "no": ("no", "否", "不是"),
    },
    "true_false": {
        "true": ("true", "correct", "right", "对", "正确", "√", "✓", "✔", "✅"),
        "false": (
            "false",
            "incorrect",
            "not correct",
            "wrong",
            "错",
            "错误",
            "不对",
            "不正确",
            "×",
            "✗",
            "✘",
            "❌",
        ),
    },
    "compliance": {
        "compliant": ("compliant", "合规", "符合", "符合规定", "符合要求", "合法合规"),
        "non-compliant": (
            "non-compliant",
            "noncompliant",
            "not compliant",
            "不合规",
            "违规",
            "违反规定",
            "不符合",
            "不符合规定",
            "不符合要求",
        ),
    },
    "sentiment": {
        "bearish": (
            "bearish",
            "negative",
            "pessimistic",
            "利空",
            "看跌",
            "看空",
            "消极",
            "负面",
            "负向",
            "悲观",
        ),
        "neutral": ("neutral", "中性", "中立"),
        "bullish": (
            "bullish",
            "positive",
            "optimistic",
            "利好",
            "利多",
            "看涨",
            "看多",
            "积极",
            "正面",
            "正向",
            "乐观",
        ),
    },
}
"""Set name to label to the words for it."""


class LabelSet(NamedTuple):
    """One closed set.

    Attributes:
        words: Word, in the form of `key`, to label.
        finder: Finds the words in a text without capital letters; the longest first.
    """

    words: Mapping[str, str]
    finder: re.Pattern[str]


def _make_set(words: Mapping[str, str]) -> LabelSet:
    patterns = []
    for word in sorted(words, key=len, reverse=True):
        before = r"(?<![a-z0-9])" if word[0].isascii() and word[0].isalnum() else ""
        after = r"(?![a-z0-9])" if word[-1].isascii() and word[-1].isalnum() else ""
        patterns.append(before + r"\s?".join(map(re.escape, word)) + after)
    return LabelSet(words, re.compile("|".join(patterns)))


_SETS: Final[Mapping[str, LabelSet]] = {
    name: _make_set({key(word): label for label, words in labels.items() for word in words})
    for name, labels in LABEL_SETS.items()
}
# Words, each now a NUL, that all mean the same label: `利好（bullish）`, `no / 否`. Side by side
# they are refused: `不是 否` is a double negation.
_GLOSSED = re.compile(r"[\s().。]*\x00(?:\s?[/|,、;:=(]\s?\x00)*[\s().。]*")
# `No, it did not rise` explains; `Yes, if …`, `Yes, but …`, `是，不过…` and `yes (?)` take back.
_EXPLANATION = re.compile(
    r"(?:\.?\n|\s?(?:[,;:(。；：（，]|\.(?=\s[^\W\d])|[—–](?=\s)|\s[-—–]\s"
    r"|because |since |as |因为))"
    r"\s?(?=\w)"
)
_NOT_ONLY = re.compile(r"\bnot only\b|\bbut also\b|不仅|不但")
TAKEN_BACK: Final = re.compile(
    r"\b(?:if|unless|but|however|although|though|maybe|perhaps|not really|not quite|either"
    r"|neither|wrong|incorrect|except|assuming|provided|only when|depends?|on the other hand|wait"
    r"|actually|correction|on second thought)\b|\?"
    # `it shows no bias or opinion` takes nothing back
    r"|(?:^|[,;]\s?)or\b|\bor (?:not|maybe|perhaps|possibly|probably|at least|else|rather|so)\b"
    r"|但|不过|然而|如果|若|除非|可能|或|未必|不一定|取决于|假设|前提|错|更正|等等|不对",
    re.IGNORECASE,
)
_NO_ANSWER: Reading[str] = Reading(None, "no_answer")
_SYMBOLS = re.compile("^[\U0001f300-\U0001faff\\s]+|[\U0001f300-\U0001faff\\s]+$")
# `neutral (neither bullish nor bearish)`
_NEITHER = re.compile(
    r"(?<=\w)(?:,|，|\s?[(（])\s?(?:it is )?(?:neither [\w ]{1,30}? nor [\w ]{1,20}"
    r"|既(?:不是|非|无)[一-鿿]{1,6}[，,]?[也又](?:不是|非|无)[一-鿿]{1,6})[)）]?\.?$",
    re.IGNORECASE,
)
_NOUN = re.compile("的?(?:情[绪感])$|的$|sentiment$")
_LEAD = re.compile(
    r"(?:(?:the |overall |market |final )*(?:sentiment|label|verdict|judge?ment|conclusion|class)"
    r"(?: is|:| =)"
    r"|(?:情感|情绪|市场|最终)?(?:倾向|极性|分类|判断|判定|结论|标签|情感|情绪)(?:结果)?(?:是|为|:))\s*",
    re.IGNORECASE,
)


def read_label(text: str, names: Iterable[str]) -> Reading[str]:
    """Read `text` as one label of one of the sets `names`, such as `("yes_no", "compliance")`.

    The sets must have no word in common. See `read_word` for what is read.
    """
    return read_word(text, named_sets(names))


def named_sets(names: Iterable[str]) -> tuple[LabelSet, ...]:
    """Return the sets of `LABEL_SETS` with these names."""
    return tuple(_SETS[name] for name in names)


def read_word(text: str, sets: Sequence[LabelSet]) -> Reading[str]:
    """Read `text` as one label of one of `sets`.

    Read are a word of a set, and several that mean the same label (`利好 (bullish)`), after a
    lead-in (`答案是`, `Sentiment:`) or none; and a word that an explanation follows, after a comma,
    a colon, a dash, a stop or in brackets: `Yes, it rose`. Words of different labels of one set in
    one text are `ambiguous`, whatever stands between them; anything else is `no_answer`.
    """
    if len(text) > MAX_LENGTH:
        return _NO_ANSWER
    said = _SYMBOLS.sub("", plain(text)).strip(QUOTES).strip()
    if "nor" in said or "既" in said:
        said = _NEITHER.sub("", said) or said
    label = _label(said, sets)
    if label is None:
        bare = drop_lead(said)
        bare = _LEAD.sub("", said, count=1) if bare == said else bare
        label = _label(bare, sets) if bare != said else None
        said = bare.casefold()
    if label is not None:
        return Reading(label)
    for words, finder in sets:
        if finder.search(said) is None:
            continue
        found = {words.get(key(match[0]), "") for match in finder.finditer(said)}
        if len(found) > 1:
            return Reading(None, "ambiguous")
        if all(found) and (_GLOSSED.fullmatch(finder.sub("\0", said)) or _explained(said, finder)):
            return Reading(found.pop())
    return _NO_ANSWER


def _explained(said: str, finder: re.Pattern[str]) -> bool:
    """Whether a label stands first and what follows only explains it."""
    first = finder.match(said)
    if first is None or not (mark := _EXPLANATION.match(said, first.end())):
        return False
    rest = _NOT_ONLY.sub("", said[mark.end() :])
    return not TAKEN_BACK.search(rest)


def _label(said: str, sets: Sequence[LabelSet]) -> str | None:
    """Return the label that `said` is a word for, also as an adjective: `正面的`, `正面情绪`."""
    word = key(said)
    bare = _NOUN.sub("", word)
    for words, _ in sets:
        label = words.get(word) or words.get(bare)
        if label is not None:
            return label
    return None


def label_set(text: str, names: Iterable[str]) -> str | None:
    """Return which of the sets `names` has `text` as a word, or None."""
    return next((name for name in names if read_label(text, (name,)).value is not None), None)


def own_set(labels: Any) -> LabelSet | None:
    """Return the closed set that a row gives, or None if it can't be used as one.

    Args:
        labels: At least two labels: a list of them, or label to a list of words for it. The label
            is a word for itself. Whole numbers count as text. Labels whose words are None are left
            out (parquet stores one column for each label of the file). No two labels may share a
            word. Arrays of numpy are taken for lists.
    """
    labels = listed(labels)
    if isinstance(labels, Mapping):
        pairs = [(label, listed(words)) for label, words in labels.items() if words is not None]
    elif isinstance(labels, list | tuple):
        pairs = [(label, ()) for label in labels]
    else:
        return None
    rows = []
    for label, words in pairs:
        words = [words] if isinstance(words, str) else words
        if not isinstance(words, list | tuple):
            return None
        row = [label_text(word) for word in (label, *words)]
        if not all(row):
            return None
        rows.append(tuple(row))
    return _own_set(tuple(rows))


@lru_cache(maxsize=4096)  # a row is read for each of its rollouts
def _own_set(rows: tuple[tuple[str, ...], ...]) -> LabelSet | None:
    words: dict[str, str] = {}
    for label, *others in rows:
        for word in (label, *others):
            if not key(word) or words.setdefault(key(word), label) != label:
                return None
    return _make_set(words) if len(set(words.values())) > 1 else None


def label_text(value: Any) -> str:
    """Return a label as text; nothing for what is none.

    Whole numbers count as text, also as parquet gives those of a column that has gaps: `2.0`.
    """
    value = listed(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
