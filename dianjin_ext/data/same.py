"""When two rows ask the same question, and when their gold answers agree."""

import re
import unicodedata
from collections.abc import Mapping
from hashlib import blake2b

from dianjin_ext.answers.numbers import read_number
from dianjin_ext.data.rows import TrainingRow

# What does not tell questions apart; signs that belong to a number or an amount do.
_NOISE = re.compile(r"(?:(?!(?<=\d)\.(?=\d)|[%‰$€£¥]|-(?=\d))[\W_])+")
_OPTION = re.compile(r"^\s*[(（]?([A-J])[)）.、．:：]\s*(.+)$")


def normalise(text: str) -> str:
    """Return one width, lower case, no blanks, and no punctuation outside of numbers."""
    return _NOISE.sub("", unicodedata.normalize("NFKC", text).casefold())


def question_key(row: TrainingRow) -> bytes | None:
    """Return a digest that rows with the same question share, whatever the order of the options.

    The question is `extra_info.question` with `extra_info.choices` where a row has both. Else it is
    the whole prompt, since many data sets ask the same words about different texts; in it, lines
    such as `A. 存货` are options. None where a row has neither.
    """
    stem, options = _parts(row)
    return None if stem is None else _digest([normalise(stem), *sorted(options.values())])


def gold_key(row: TrainingRow) -> bytes:
    """Return a digest that equal gold answers of the same question share.

    Letters of options count as the texts of these options, so that their order plays no part.
    """
    gold, (_, options) = row.ground_truth, _parts(row)
    letters = list(gold) if isinstance(gold, str | list | tuple) else []
    if letters and all(isinstance(c, str) and c in options for c in letters):
        return _digest(sorted(options[letter] for letter in letters))
    number = read_number(str(gold)).value  # `5` and `5.0` agree
    if number is not None and number.high is None and number.bare and not number.currency:
        return _digest([str(number.value)])
    return _digest([normalise(str(gold))])


def _parts(row: TrainingRow) -> tuple[str | None, dict[str, str]]:
    """Return the question without its options, and the options by their letters, normalised."""
    question, choices = row.extra_info.get("question"), row.extra_info.get("choices")
    if isinstance(question, str) and isinstance(choices, Mapping) and choices:
        given = {letter: str(text) for letter, text in choices.items() if text is not None}
        return question, {letter: normalise(text) for letter, text in given.items()}
    text = "\n".join(message["content"] for message in row.prompt) or question
    if not isinstance(text, str):
        return None, {}
    lines = [(line, _OPTION.match(line)) for line in text.splitlines()]
    stem = "\n".join(line for line, option in lines if option is None)
    return stem, {option[1]: normalise(option[2]) for _, option in lines if option is not None}


def _digest(parts: list[str]) -> bytes:
    text = "\0".join(parts)
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
