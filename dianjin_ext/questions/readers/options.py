"""What FinanceIQ, FinEval and Fin-Eva share: a question with a column for each option."""

from collections.abc import Mapping
from typing import Any

from dianjin_ext.questions.letters import LETTERS, gold_letters
from dianjin_ext.questions.readers.base import BadFieldError, text


def columns(row: Mapping[str, Any]) -> dict[str, str]:
    """Return the options of a row; a letter without a text is none.

    Raises:
        BadFieldError: A letter is missing between others, or there is one option.
    """
    given = {
        letter: str(row[letter]).strip()
        for letter in LETTERS
        if letter in row and row[letter] is not None and str(row[letter]).strip()
    }
    if given and (list(given) != list(LETTERS[: len(given)]) or len(given) < 2):
        raise BadFieldError(
            "options", f"expected the letters A, B, … in order, found {list(given)}"
        )
    return given


def gold(row: Mapping[str, Any], choices: Mapping[str, str], *fields: str) -> str | None:
    """Return the letter of a single choice; None where it is not published: no column, or blank.

    Raises:
        BadFieldError: It is no letter of the options.
    """
    answer = text(row, *fields, blank=True)
    if not answer:
        return None
    letters = gold_letters(answer, choices)
    if letters is None or len(letters) > 1:
        raise BadFieldError(
            fields[0], f"expected one letter of {''.join(choices)}, found {answer!r:.60}"
        )
    return letters
