"""The component `repetition`: 0 for a response that never repeats itself, down to -1 for a loop.

It is minus the share of n-grams that occurred before, `1 - distinct / all` (Yeo et al. 2025,
"Demystifying Long Chain-of-Thought Reasoning in LLMs", arXiv:2502.03373, appendix C.2, and
open-r1's repetition penalty), over the whole response. Those count words between blanks, of which
Chinese has none. Here each script has n-grams of its own, so that mixed text needs no choice:

- Chinese, and everything else that is not ASCII: n-grams of characters, punctuation included,
  blanks and invisible characters not.
- English, and all other ASCII: n-grams of words, without case or punctuation. All digits are the
  same digit, so that numbering its rounds does not make a loop look new; a run of more than 16
  letters and digits is several words.
- The rest: of ASCII marks, blanks and invisible characters, those beyond four a word and one a
  character count as repeated n-grams. A response of nothing but `!` or newlines is a loop too.

Of a longer response, the last `MAX_READ` characters count: a loop seldom ends.
"""

import re
from itertools import islice
from typing import Final

from pydantic import PositiveInt

from dianjin_ext.rewards.components import Sample, register_component
from dianjin_ext.rewards.policy import Model

MAX_READ: Final = 131_072
"""Characters of a text that shaping components read; bounds the time for hostile input."""

INVISIBLE: Final = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0"
)
"""Characters that are not seen, as the inside of a regular expression's set."""

_BLANK_OR_INVISIBLE = re.compile(
    f"[\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000{INVISIBLE}]+"
)
_ASCII, _NOT_ASCII = bytes(range(128)), bytes(range(128, 256))
_ALNUM = bytes(code for code in _ASCII if chr(code).isalnum())
_FOLD = bytes(  # to small letters, zeros and blanks
    ord("0" if chr(code).isdigit() else chr(code).lower() if chr(code).isalpha() else " ")
    for code in _ASCII
).ljust(256)
_IN_WORDS = b",.'"  # 1,234.5 and don't are one word
_WORD = re.compile(rb"[0a-z]{1,16}")
_REST_PER_WORD = 4


class RepetitionSettings(Model):
    """Lengths of n-grams.

    The defaults were chosen so that good reasoning loses about as much in either language: 0.05 to
    0.07 on average (GPT-4's on FinanceMath, and explanations of CFLUE's answers). open-r1 takes 3
    words, which costs the same reasoning two to three times as much, and a loop no more.

    Attributes:
        characters: Length in characters, for Chinese; four are two words.
        words: Length in words, for English.
    """

    characters: PositiveInt = 4
    words: PositiveInt = 5


@register_component("repetition", RepetitionSettings)
def repetition_penalty(sample: Sample, settings: RepetitionSettings) -> float:
    """Return minus the share of repeated n-grams, in [-1, 0]; 0 for a text shorter than one."""
    text = sample.text[-MAX_READ:]
    utf8 = text.encode("utf-8", "replace")
    # In UTF-8 no byte of another character is an ASCII one; deleting bytes beats re.sub.
    latin, beyond = utf8.translate(None, _NOT_ASCII), utf8.translate(None, _ASCII).decode()
    characters = _BLANK_OR_INVISIBLE.sub("", beyond)
    words = _WORD.findall(latin.translate(_FOLD, _IN_WORDS))
    distinct, total = 0, 0
    if len(words) >= settings.words:
        total += len(words) - settings.words + 1
        shifted = (islice(words, k, None) for k in range(settings.words))
        distinct += len(set(zip(*shifted, strict=False)))
    if len(characters) >= settings.characters:
        total += len(characters) - settings.characters + 1
        distinct += _distinct(characters, settings.characters)
    rest = len(latin.translate(None, _ALNUM)) + len(beyond) - len(characters)
    total += max(rest - _REST_PER_WORD * (len(words) + 1) - len(characters), 0)
    return distinct / total - 1.0 if total else 0.0


def _distinct(text: str, n: int) -> int:
    """Return how many different substrings of `n` characters there are."""
    units = memoryview(text.encode("utf-16-le"))
    if n != 4 or len(units) > 2 * len(text):
        return len({text[i : i + n] for i in range(len(text) - n + 1)})
    # Four UTF-16 units are one 64-bit integer; a set of integers takes half the time.
    found: set[int] = set()
    for start in range(0, 8, 2):
        stop = len(units) - (len(units) - start) % 8
        found.update(units[start:stop].cast("Q"))
    return len(found)
