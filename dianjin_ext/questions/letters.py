"""The letters that name options."""

import re
from collections.abc import Mapping

LETTERS = "ABCDEFGHIJ"
"""Option letters a question may use; verl's rows have one column for each."""

_BETWEEN = re.compile(r"[\s,，、;；/和及&.。]|and", re.IGNORECASE)


def gold_letters(answer: str, choices: Mapping[str, str]) -> str | None:
    """Return the letters of a gold answer in alphabetical order, such as `AC`.

    Read are letters with anything usual between them (`A、C`, `a,c`), and the text of one option.
    None where it names no option, or one twice.
    """
    letters = _BETWEEN.sub("", answer).upper()
    if letters and set(letters) <= set(choices) and len(set(letters)) == len(letters):
        return "".join(sorted(letters))
    named = [letter for letter, text in choices.items() if text.strip() == answer.strip()]
    return named[0] if len(named) == 1 else None
