"""Which language a text is in."""

import re
from typing import Final

from dianjin_ext.questions.question import Language

_CHINESE: Final = re.compile("[\u4e00-\u9fff]")
_WORD: Final = re.compile("[A-Za-z]{2,}")


def language_of(text: str) -> Language:
    """Return `zh` for a text with at least as many Chinese characters as Latin words, else `en`.

    A Chinese question may name funds and ratios in English, and a text of digits alone is `en`.
    """
    chinese = len(_CHINESE.findall(text))
    return "zh" if chinese and chinese >= len(_WORD.findall(text)) else "en"
