"""Whether the text that stands at a label says what the label's option says."""

import re

from dianjin_ext.answers.text import plain, plain_key

_CHINESE = re.compile("[一-鿿]")
# How a word begins: `bonds` is much like `bond`; `the` and `i` say nothing.
_WORD = re.compile(
    r"(?<![a-z0-9])(?!(?:the|and|for|with|that|this|are|was)(?![a-z0-9]))[a-z0-9]{3,4}"
)
_SHORT_WORD = re.compile(r"(?<![a-z0-9])[a-z0-9]+")
# What denies the words around it: a text that says its option has as much of it.
_DENIAL = re.compile(
    r"[不没未非无否勿误错除剔✗✘❌~]|×(?=\W*$)|\\(?:sout|x?cancel)|(?<![A-Za-z0-9])[xX]$"
    r"|n['’]t\b|\b(?:not?|non|none|nope|never|nothing|neither|nor|cannot|without|except|wrong|false"
    r"|incorrect|fails?|failed|hardly|barely|unlikely|opposite|contrary|excluded|eliminated"
    r"|rejected|ruled out)\b",
    re.IGNORECASE,
)
# What doubts them, or adds another answer: no more of it than the option has.
_DOUBT = re.compile(
    r"[或吗?]|\b(?:or|but|any|out|maybe|perhaps|guess|(?:un)?sure)\b", re.IGNORECASE
)


def turns_around(words: str, own: str, usual: tuple[int, int]) -> bool:
    """Whether `words` deny or doubt what the text says that has the key `own`.

    Args:
        words: A `plain` text.
        own: The `key` of the other text.
        usual: The other text's `denials`.
    """
    if own.startswith(plain_key(words)):
        return False
    denied, doubted = denials(words)
    usually, usually_doubted = usual
    if doubted > usually_doubted:
        return True
    if bool(_CHINESE.search(words)) == bool(_CHINESE.search(own)):
        return denied != usually
    return denied > 0 and usually == 0  # a translation denies in its own way


def denials(text: str) -> tuple[int, int]:
    """Return how often a text denies and doubts."""
    text = plain(text)
    return len(_DENIAL.findall(text)), len(_DOUBT.findall(text))


def is_unlike(words: str, own: str) -> bool:
    """Whether two texts of one language have no two characters, or no word, in common.

    The arguments are as in `turns_around`.
    """
    said = plain_key(words)
    if not said:
        return False
    chinese = bool(_CHINESE.search(said))
    if chinese != bool(_CHINESE.search(own)):
        return len(said) == 1
    if chinese:
        width = min(2, len(own), len(said))
        return not any(said[i : i + width] in own for i in range(len(said) - width + 1))
    if words.isupper():  # an abbreviation
        return False
    said = plain(words).casefold()
    return not any(word in own for word in _WORD.findall(said) or _SHORT_WORD.findall(said))
