"""When two questions are the same, or may be, and when their gold answers agree."""

import re
import unicodedata
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

from dianjin_ext.answers.numbers import read_number
from dianjin_ext.questions.duplicates import normalize

# What does not tell questions apart; signs that belong to a number or an amount do.
_NOISE = re.compile(r"(?:(?!(?<=\d)\.(?=\d)|[%‰$€£¥]|-(?=\d))[\W_])+")
_NUMBER = re.compile(
    r"-?[0-9]+(?:\.[0-9]+)?|[零〇一二两三四五六七八九十百千]+(?=[年月日元期倍股万亿%个])"
)
_OPTION = re.compile(r"^\s*[(（]?([A-J])[)）.、．:：]\s*(.+)$")


def normalise(text: str) -> str:
    """Return one width, lower case, no blanks, and no punctuation outside of numbers."""
    return _NOISE.sub("", unicodedata.normalize("NFKC", text).casefold())


def question_key(stem: str, options: Mapping[str, str], context: str = "") -> bytes:
    """Return a digest that the same questions share, whatever the order of the options."""
    return _digest([normalise(stem), *sorted(map(normalise, options.values())), normalise(context)])


def gold_key(gold: Any, options: Mapping[str, str]) -> bytes:
    """Return a digest that equal gold answers of the same question share.

    Letters of options count as the texts of these options, so that their order plays no part.
    """
    letters = list(gold) if isinstance(gold, str | list | tuple) else []
    if letters and all(isinstance(c, str) and c in options for c in letters):
        return _digest(sorted(normalise(options[letter]) for letter in letters))
    number = read_number(str(gold)).value  # `5` and `5.0` agree
    if number is not None and number.high is None and number.bare and not number.currency:
        return _digest([str(number.value)])
    return _digest([normalise(str(gold))])


def near_key(stem: str, options: Mapping[str, str], context: str = "") -> bytes:
    """Return a digest that questions share if they can be the same in other words.

    They have the same options, the same numbers and the same context: `in 2019` for `in 2018`, or
    another option, makes another question.
    """
    numbers = sorted(_NUMBER.findall(unicodedata.normalize("NFKC", stem)))
    given = sorted(normalise(option) for option in options.values())
    return _digest([*numbers, "", *given, "", normalise(context)])


def near_text(stem: str, options: Mapping[str, str]) -> str:
    """Return what is compared of a question: never its context."""
    return normalize("\n".join([stem, *sorted(options.values())]))


def split_prompt(prompt: str) -> tuple[str, dict[str, str]]:
    """Return a prompt without the lines that are options, such as `A. 存货`, and these options."""
    lines = [(line, _OPTION.match(line)) for line in prompt.splitlines()]
    stem = "\n".join(line for line, option in lines if option is None)
    return stem, {option[1]: option[2] for _, option in lines if option is not None}


def _digest(parts: list[str]) -> bytes:
    text = "\0".join(parts)
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
