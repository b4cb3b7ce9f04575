"""Numbers: the answer is the gold number.

Both are read as in `dianjin_ext.answers.numbers`, and compared as `policy.numbers` says, exactly.
The sign always counts, and powers of ten are never forgiven. By default, a percent sign divides by
100 and a scale multiplies on either side; units and currencies must not contradict each other; and
two values are equal when they are the same after rounding to five decimals, half to even, which is
how FinQA's own evaluator compares (https://github.com/czyssrs/FinQA); a gold number that would
become 0 is not rounded. An approximate answer (`约5`) counts as its number. A range equals nothing
but the same range.

Of FinQA's two gold answers, `exe_ans` is the one to use: it is what the program gives (3.8), while
`answer` (380) may be rounded, or in per cent without saying so.

A percent sign, a scale or a currency right after the box belongs to the number. Without a box,
which only `lenient` takes, the answer may be stated in prose (`dianjin_ext.answers.statement`). A
gold answer of yes or no, which FinQA has too, is compared as a label.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from dianjin_ext.answers.labels import read_label
from dianjin_ext.answers.numbers import Number, read_number
from dianjin_ext.answers.reading import Reading
from dianjin_ext.answers.statement import read_statement
from dianjin_ext.answers.units import CURRENCY_SIGNS, CURRENCY_WORDS, RATES, SCALES, alternatives
from dianjin_ext.rewards.base import Score
from dianjin_ext.rewards.docmath import score_as_docmath
from dianjin_ext.rewards.format import Extract, compare, extract
from dianjin_ext.rewards.number_policy import canonical, same_number
from dianjin_ext.rewards.policy import NumberPolicy, Policy
from dianjin_ext.rewards.registry import register_reward

_Answer = Number | str

_EXACT = NumberPolicy(decimals=None)
_SCALE_WORDS = [word for word in SCALES if not (word.isascii() and len(word) == 1)]
_CURRENCY_WORDS = [*CURRENCY_WORDS, *(sign for sign in CURRENCY_SIGNS if sign.isalpha())]
_AFTER = re.compile(
    r"\s{0,9}(?:\$|\\\))?(?:\s|~|\\[,; ]){0,9}(?:\\text\{\s?)?\\?"
    rf"((?:％|{alternatives([*RATES, *_SCALE_WORDS])})?\s?(?:{alternatives(_CURRENCY_WORDS)})?)",
    re.IGNORECASE,
)


@register_reward(
    "finqa",
    "convfinqa",
    "tatqa",
    "docmath",
    "xbrl_math",
    "numeric",
    gold="one quantity such as '-1,234.5', '12.5%', '$5.2 million' or '5万元', or yes or no",
)
def score_numeric(
    response: str, ground_truth: Any, *, extra_info: Mapping[str, Any], policy: Policy, **_: Any
) -> Score:
    """Score an answer that is one number.

    Args:
        response: The text of the model.
        ground_truth: A number, or the text of one.
        extra_info: Not used.
        policy: How the response is read, and when numbers are equal.
    """
    found = extract(response, policy)
    numbers = policy.numbers
    if numbers.parity == "docmath":
        return score_as_docmath(found, ground_truth)
    gold: Any = _read_gold(str(ground_truth))
    return compare(
        found,
        gold,
        _read_extract,
        right=lambda answer, gold: _same(answer, gold, numbers),
        show=lambda answer: answer if isinstance(answer, str) else canonical(answer, numbers),
    )


def _read(text: str) -> Reading[_Answer]:
    """Read a quantity, or yes or no."""
    number = read_number(text)
    if number.fault == "no_answer":
        label = read_label(text, ("yes_no",))
        return Reading(label.value, label.fault)
    return Reading(number.value, number.fault)


@lru_cache(maxsize=4096)  # a gold answer is read for each of its rollouts
def _read_gold(text: str) -> _Answer | None:
    return _read(text).value


def _read_extract(found: Extract) -> Reading[_Answer]:
    if found.boxed:
        after = _AFTER.match(found.after) if found.after else None
        return _read(f"{found.text} {after[1]}" if after and after[1] else found.text)
    whole = _read(found.text)
    return whole if whole.value is not None else read_statement(found.text, _read, _agree)


def _agree(one: _Answer, other: _Answer) -> bool:
    return _same(one, other, _EXACT)


def _same(answer: _Answer, gold: _Answer, policy: NumberPolicy) -> bool:
    if isinstance(answer, str) or isinstance(gold, str):
        return answer == gold
    return same_number(answer, gold, policy)
