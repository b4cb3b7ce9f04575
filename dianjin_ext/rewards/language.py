r"""The component `language`: the share of the reasoning's words that are in the target language.

DeepSeek-R1's language consistency reward (arXiv:2501.12948, 2.3.2), for Chinese and English.

What is a word: a run of two or more Latin letters is one English word; `CHARACTERS_PER_WORD`
Chinese characters are one Chinese word; a run of letters of any other script is one word of a
third language. Numbers and punctuation are none.

Set aside are words that are of no language, or need not be of the target: code and inline code,
formulas and LaTeX commands, links, single letters (options, variables), and abbreviations, which
are runs that begin with two capitals (`EBITDA`, `GDP`). No more words are set aside than are left:
of those beyond, the same part is counted of each language. So reasoning can't move into a code
block, or into capitals, to escape the count.
"""

import re
from typing import Any, Final, Literal, NamedTuple

from dianjin_ext.rewards.components import Sample, register_component
from dianjin_ext.rewards.policy import Model
from dianjin_ext.rewards.repetition import INVISIBLE, MAX_READ

CHARACTERS_PER_WORD: Final = 1.6
"""Characters of a Chinese word in running text: 16.6 million characters to 10.4 million words in
the four corpora of the second SIGHAN word segmentation bakeoff (Emerson 2005, table 1)."""

_ASIDE = re.compile(
    r"""(
    ```.*?(?:```|\Z)                       # code
    | `[^`\n]*+`
    | \$\$[^$]*+\$\$                       # formulas; `$5 to $7` is none
    | \$(?![\s$])[^$\n]*+(?<!\s)\$(?!\d)
    | \\\(.*?\\[()]
    | \\\[.*?\\[][]
    | \\[A-Za-z]+                          # LaTeX commands
    | https?://[!-~]+                      # links
    )""",
    re.DOTALL | re.VERBOSE,
)
_ASIDE_MARKS = ("\\", "$", "`", "://")

# Letters beyond ASCII and Chinese; Greek ones are symbols, and accented ones belong to Latin words.
_FOREIGN_SET = (
    "\u0400-\u1dff\u1f00-\u1fff\u2c00-\u2dff\u3041-\u3096\u309d-\u30fa\u30fc-\u318f\u31a0-\u31bf"
    "\u31f0-\u31ff\ua000-\uabff\uac00-\ud7ff\ufb00-\ufdfb\ufe70-\ufefe\uff21-\uff3a\uff41-\uff5a"
    "\uff66-\uffdc"
)
_FOREIGN = re.compile(f"[{_FOREIGN_SET}\U00010000-\U0001cfff\U0001d400-\U0001d7ff]+")
_INVISIBLE = re.compile(f"[{INVISIBLE}]+")
_SUSPECT = re.compile(f"[{_FOREIGN_SET}{INVISIBLE}]")  # a set in the BMP is three times as fast

# By the high byte of a UTF-16 unit, CJK ideographs are 34 to 9F (with hexagrams at 4DC0), F9, FA.
_NOT_CHINESE = bytes({*range(256)} - {*range(0x34, 0xA0), 0xF9, 0xFA})
_CASE = bytes(
    ord(" ") if not chr(code).isalpha() else ord("A") if chr(code).isupper() else ord("a")
    for code in range(128)
).ljust(256)


class LanguageSettings(Model):
    """Which language is wanted.

    Attributes:
        target: `zh` or `en`. `auto`: the language that has more words in `question` of the row's
            `extra_info`, else in the response's answer. Where neither says, the value is 0.
    """

    target: Literal["auto", "zh", "en"] = "auto"


class Words(NamedTuple):
    """Words of a text, by language."""

    zh: float
    en: float
    other: float


@register_component("language", LanguageSettings)
def language_share(sample: Sample, settings: LanguageSettings) -> float:
    """Return the share of words in the target language, in [0, 1]; 0 without a word or reasoning.

    Of longer reasoning, the last `MAX_READ` characters count.
    """
    target = settings.target
    if target == "auto":
        question = sample.extra_info.get("question")
        found = _language(question) or _language(sample.parts.answer)
        if found is None:
            return 0.0
        target = found
    words = count_words(sample.parts.think or "")
    total = sum(words)
    return (words.zh if target == "zh" else words.en) / total if total else 0.0


def count_words(text: str) -> Words:
    """Count the words of the last `MAX_READ` characters that are not set aside."""
    text = text[-MAX_READ:]
    parts = _ASIDE.split(text) if any(mark in text for mark in _ASIDE_MARKS) else [text]
    spoken, short = _count(" ".join(parts[::2]))
    inside, shorter = _count(" ".join(parts[1::2]))
    aside = inside._replace(en=inside.en + short + shorter)
    beyond = sum(aside) - sum(spoken)
    if beyond <= 0:
        return spoken
    part = beyond / sum(aside)
    return Words(*(said + part * more for said, more in zip(spoken, aside, strict=True)))


def _count(text: str) -> tuple[Words, float]:
    """Return the words of a text, and its single letters and abbreviations."""
    zh = other = 0.0
    if not text.isascii():
        units = text.encode("utf-16-le", "replace")
        zh = len(units[1::2].translate(None, _NOT_CHINESE)) / CHARACTERS_PER_WORD
        if len(units) > 2 * len(text) or _SUSPECT.search(text):
            text = _INVISIBLE.sub("", text)
            other = float(len(_FOREIGN.findall(text)))
    # Blanks are squeezed because counting is slower than splitting.
    runs = text.encode("ascii", "replace").translate(_CASE).split()
    latin = b" " + b" ".join(runs)
    words = latin.count(b" aa") + latin.count(b" Aa") + latin.count(b" aA")
    short = len(runs) - words
    return Words(zh, float(words), other), float(short)


def _language(text: Any) -> Literal["zh", "en"] | None:
    """Return which of the two languages has more words in a text; None if neither has."""
    if not isinstance(text, str):
        return None
    words = count_words(text)
    return None if words.zh == words.en else "zh" if words.zh > words.en else "en"
