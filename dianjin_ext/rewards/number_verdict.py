"""Whether a number is the gold number of its row, and the text that its spellings share.

Where the row or its question says in what the number is meant (`factor`), a number that doesn't say
so itself is meant in that; see `dianjin_ext.answers.question`.
"""

from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import NamedTuple

from dianjin_ext.answers.numbers import Number
from dianjin_ext.answers.question import Asked
from dianjin_ext.rewards.number_policy import canonical, matching_factor, rounded
from dianjin_ext.rewards.policy import NumberPolicy


class Meaning(NamedTuple):
    """What an answer may mean.

    Attributes:
        told: The number in the gold number's terms, as the two are compared.
        worth: The number itself: 5,000,000 for `5` where it is meant in millions.
    """

    told: Number
    worth: Number


def right_number(
    answer: Number, gold: Number, policy: NumberPolicy, question: Asked
) -> bool | None:
    """Whether an answer is right; None where a fall stands against a rise of the same size."""
    return _verdict(answer, gold, policy, question)[0]


def shared_text(answer: Number, gold: Number, policy: NumberPolicy, question: Asked) -> str:
    """Return one text for all spellings of an answer: `0.125` for 0.125, 12.5 %, 1/8.

    No answer that is right has the same text as one that is wrong. So the value is rounded as the
    policy says only where the rounded one would get the same verdict, and where the bare number
    would get another, the text has what it is counted in: `5 USD`, where 5元 was right.
    """
    if question.factor is None and _is_plain(answer, policy):
        return canonical(answer)
    right, worth = _verdict(answer, gold, policy, question)
    # where the answer stands bare itself, its verdict is that of its worth
    known = _worth(answer, question) if answer.bare and not _counted_or_falls(answer) else None
    for value in (rounded(worth, policy.decimals), worth):
        if value == known or right_number(_bare(value, question), gold, policy, question) == right:
            return canonical(value)
    return f"{canonical(worth)} {_counted(answer)}"


def text_of_wrong(
    answer: Number, golds: Iterable[Number], policy: NumberPolicy, question: Asked
) -> str:
    """Return one text for all spellings of a number that is none of several gold numbers."""
    worth = _worth(answer, question)
    bare = _bare(worth, question)
    alone = not any(right_number(bare, gold, policy, question) for gold in golds)
    return canonical(worth) if alone else f"{canonical(worth)} {_counted(answer)}"


def _bare(worth: Number, question: Asked) -> Number:
    """Return a number of some worth as it is written where nothing stands around it."""
    bare = Number(worth.value, Fraction(0), high=worth.high)
    return bare if question.factor is None else bare.times(1 / question.factor)


def _worth(answer: Number, question: Asked) -> Number:
    return answer.times(question.factor or 1) if answer.bare else answer


def _counted(answer: Number) -> str:
    counted = " ".join(filter(None, (answer.currency, answer.unit, answer.per)))
    return counted or f"{answer.scale}/{answer.rate}"


def _counted_or_falls(answer: Number) -> bool:
    return bool(answer.currency or answer.unit or answer.per or answer.falls)


def _is_plain(answer: Number, policy: NumberPolicy) -> bool:
    """Whether an answer is compared by nothing but its value, which needs no rounding."""
    if _counted_or_falls(answer) or answer.worded:
        return False
    if policy.percent != "exact" or policy.unit == "gold_hint":
        return False
    places = policy.decimals
    return places is None or (not answer.high and 10**places % answer.value.denominator == 0)


def _verdict(
    answer: Number, gold: Number, policy: NumberPolicy, question: Asked
) -> tuple[bool | None, Number]:
    """Return whether an answer is right, and what it is worth as it was understood."""
    for meant in _meanings(answer, gold, question.factor):
        factor = matching_factor(meant.told, gold, policy)
        if factor is not None:
            return True, meant.worth.times(factor)
        if answer.falls or gold.falls:
            factor = matching_factor(meant.told.times(-1), gold, policy)
            if factor is not None:
                return (True if question.fall else None), meant.worth.times(-factor)
    return False, _worth(answer, question)


def _meanings(answer: Number, gold: Number, factor: Fraction | None) -> Iterator[Meaning]:
    """Yield what the answer may mean, where the row has a scale: `factor`."""
    if factor is None:
        yield Meaning(answer, answer)
    elif gold.bare and answer.bare:
        yield Meaning(answer, answer.times(factor))
        if answer.currency and not gold.currency:
            # `$5,466,312,000`, where `in millions` was asked for
            yield Meaning(answer.times(1 / factor), answer)
    elif answer.bare and gold.rate != 1 and factor * gold.rate == 1:
        yield Meaning(answer, answer)
        # `12.5`, where 12.5 % was asked for in per cent
        yield Meaning(answer.times(factor), answer.times(factor))
    elif answer.bare and gold.rate == 1:
        yield Meaning(answer.times(factor), answer.times(factor))
    elif gold.bare and (answer.rate == 1 or factor < 1):
        yield Meaning(answer.times(1 / factor), answer)
    else:
        yield Meaning(answer, answer)
