"""The letters that name options."""

import re
import unicodedata
from collections.abc import Mapping

LETTERS = "ABCDEFGHIJ"
"""Option letters a question may use; verl's rows have one column for each."""

_BETWEEN = re.compile(r"[\s,、;/|+和及&.。()\[\]【】\"']|and", re.IGNORECASE)
_WITH_TEXT = re.compile(r"\s*\(?([A-Za-z])[).、:\s]\s*")


def gold_letters(answer: str, choices: Mapping[str, str]) -> str | None:
    """Return the letters of a gold answer in alphabetical order, such as `AC`.

    Read are letters with anything usual between and around them (`A、C`, `a|c`, `（Ａ）`,
    `["A", "C"]`), and the text of one option, alone or after its letter. None where it names no
    option, or one twice.
    """
    plain = unicodedata.normalize("NFKC", answer)
    letters = _BETWEEN.sub("", plain).upper()
    if letters and set(letters) <= set(choices) and len(set(letters)) == len(letters):
        return "".join(sorted(letters))
    named = [letter for letter, text in choices.items() if text.strip() == answer.strip()]
    if not named and (mark := _WITH_TEXT.match(plain)):
        text = unicodedata.normalize("NFKC", choices.get(mark[1].upper(), "")).strip()
        named = [mark[1].upper()] if text and text == plain[mark.end() :].strip() else []
    return named[0] if len(named) == 1 else None
