"""Numbers: the answer is the gold number.

Both are read as in `dianjin_ext.answers.numbers`, and compared as `policy.numbers` says, exactly.
The sign always counts, and powers of ten are never forgiven. By default, a percent sign divides by
100 and a scale multiplies on either side; units and currencies must not contradict each other; and
two values are equal when they are the same after rounding to five decimals, half to even, which is
how FinQA's own evaluator compares (https://github.com/czyssrs/FinQA); a gold number that would
become 0 is not rounded. `tatqa` and `convfinqa`, whose gold numbers are rounded themselves, round
the answer to the decimals of the gold number. An approximate answer (`约5`) counts as its number. A
range equals nothing but the same range.

Of FinQA's two gold answers, `exe_ans` is the one to use: it is what the program gives (3.8), while
`answer` (380) may be rounded, or in per cent without saying so.

Where the row's `scale` or its question says in what the number is meant (`in millions`, 多少万元),
a number that doesn't say so itself is meant in that, gold or answer; see
`dianjin_ext.answers.question`. Words that say that a number falls make it negative; against a
positive gold number it is right where the question asks how far something fell, else `ambiguous`.

What touches the box belongs to the number (`dianjin_ext.answers.around`). Without a box, which only
`lenient` takes, the answer may be stated in prose (`dianjin_ext.answers.statement`). A gold answer
of yes or no, which FinQA has too, is compared as a label.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from dianjin_ext.answers.around import read_boxed
from dianjin_ext.answers.labels import read_label
from dianjin_ext.answers.leading import falls_in
from dianjin_ext.answers.markers import EXPLICIT, WINDOW
from dianjin_ext.answers.numbers import Number, read_number
from dianjin_ext.answers.question import NOTHING, Asked, asked
from dianjin_ext.answers.reading import Reading
from dianjin_ext.answers.sole import read_sole
from dianjin_ext.answers.statement import read_statement
from dianjin_ext.rewards.base import Score
from dianjin_ext.rewards.docmath import score_as_docmath
from dianjin_ext.rewards.finqa import score_as_finqa
from dianjin_ext.rewards.format import Extract, compare, extract
from dianjin_ext.rewards.number_policy import canonical, rounded, same_number
from dianjin_ext.rewards.number_verdict import right_number, shared_text
from dianjin_ext.rewards.policy import NumberPolicy, Policy
from dianjin_ext.rewards.registry import register_reward
from dianjin_ext.rewards.tatqa_em import score_as_tatqa

_Answer = Number | str

_DIGITS = re.compile("(?=[0-9])[0-9.,]{1,40}")
_EXACT = NumberPolicy(decimals=None)
_ROUGHLY = NumberPolicy(decimals=None, rel_tol=0.01, percent="either", unit="gold_hint")


@register_reward(
    "finqa",
    "docmath",
    "xbrl_math",
    "numeric",
    gold="one quantity such as '-1,234.5', '12.5%', '$5.2 million' or '5万元', or yes or no",
    judges_layout=True,
)
def score_numeric(
    response: str, ground_truth: Any, *, extra_info: Mapping[str, Any], policy: Policy, **_: Any
) -> Score:
    """Score an answer that is one number.

    Args:
        response: The text of the model.
        ground_truth: A number, or the text of one.
        extra_info: `scale` and `question`, where the row has them (see the module).
        policy: How the response is read, and when numbers are equal.
    """
    found = extract(response, policy)
    numbers = policy.numbers
    if numbers.parity == "docmath":
        return score_as_docmath(found, ground_truth)
    if numbers.parity == "finqa":
        return score_as_finqa(found, ground_truth)
    if numbers.parity == "tatqa":
        scale = extra_info.get("scale")
        return score_as_tatqa(found, [ground_truth], scale, told=numbers.scale == "question")
    gold: Any = _read_gold(str(ground_truth))
    question = question_of(extra_info, numbers)
    return compare(
        found,
        gold,
        lambda found: _read_extract(found, extra_info.get("question")),
        right=lambda answer, gold: _right(answer, gold, numbers, question),
        show=lambda answer: _show(answer, gold, numbers, question),
    )


@register_reward(
    "convfinqa",
    gold="one quantity such as '0.13793', '12.5%' or '5', or yes or no",
    judges_layout=True,
)
def score_rounded(response: str, ground_truth: Any, *, policy: Policy, **row: Any) -> Score:
    """Score a number whose gold number is rounded: the answer is rounded to its decimals.

    The arguments are those of `score_numeric`. `numbers.round_to_gold: false` compares as there.
    """
    return score_numeric(response, ground_truth, policy=rounding(policy), **row)


def rounding(policy: Policy) -> Policy:
    """Return `policy` with `numbers.round_to_gold: decimals`, unless it says otherwise."""
    numbers = policy.numbers
    if "round_to_gold" in numbers.model_fields_set or numbers.parity is not None:
        return policy
    return policy.model_copy(update={"numbers": _rounding(numbers)})


@lru_cache(maxsize=64)
def _rounding(numbers: NumberPolicy) -> NumberPolicy:
    return numbers.model_copy(update={"round_to_gold": "decimals"})


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


def _read_extract(found: Extract, question: Any) -> Reading[_Answer]:
    if found.boxed:
        boxed = read_boxed(found.before, found.text, found.after, _read)
        if boxed.value is not None and found.later and contradicts(found.later, boxed.value):
            return Reading(None, "ambiguous")
        return boxed
    whole = _read(found.text)
    if whole.value is not None:
        return whole
    stated = read_statement(found.text, _read, _agree)
    if stated.fault != "no_answer" or EXPLICIT.search(found.text[-WINDOW:]):
        return _fallen(stated, found.text[-WINDOW:])
    sole = read_sole(found.text, question if isinstance(question, str) else "")
    return _fallen(Reading(sole.value, sole.fault), found.text)


def _fallen(reading: Reading[_Answer], text: str) -> Reading[_Answer]:
    """Turn the sign of a number that the prose around it says falls."""
    number = reading.value
    if not isinstance(number, Number) or number.value <= 0 or number.high is not None:
        return reading
    for digits in dict.fromkeys(_DIGITS.findall(text[::-1])):
        written = read_number(digits[::-1].rstrip(",.")).value
        if written is not None and written.value == number.written:
            if falls_in(text, digits[::-1].rstrip(",.")):
                return Reading(number.times(-1)._replace(falls=True))
            return reading
    return reading


def contradicts(later: str, answer: _Answer) -> bool:
    """Whether what follows an answer marks another one, but for its rounding and its scale."""
    if not EXPLICIT.search(later[-WINDOW:]):
        return False
    stated = read_statement(later, _read, _agree).value
    return stated is not None and not (
        _same(stated, answer, _ROUGHLY) or _same(answer, stated, _ROUGHLY)
    )


def _agree(one: _Answer, other: _Answer) -> bool:
    return _same(one, other, _EXACT)


def question_of(extra_info: Mapping[str, Any], policy: NumberPolicy) -> Asked:
    """Return what a row says of its number, as far as a policy heeds it."""
    question = asked(extra_info)
    return question if policy.scale == "question" else question._replace(factor=NOTHING.factor)


def _right(answer: _Answer, gold: _Answer, policy: NumberPolicy, question: Asked) -> bool | None:
    if isinstance(answer, str) or isinstance(gold, str):
        return answer == gold
    return right_number(answer, gold, policy, question)


def _same(answer: _Answer, gold: _Answer, policy: NumberPolicy) -> bool:
    if isinstance(answer, str) or isinstance(gold, str):
        return answer == gold
    return same_number(answer, gold, policy)


def _show(answer: _Answer, gold: _Answer, policy: NumberPolicy, question: Asked) -> str:
    if isinstance(answer, str):
        return answer
    if isinstance(gold, str):
        return canonical(rounded(answer, policy.decimals))
    return shared_text(answer, gold, policy, question)
