"""When two quantities are the same under a `NumberPolicy`, in exact arithmetic."""

from collections.abc import Iterator
from decimal import Context, Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Final

from dianjin_ext.answers.numbers import Number, round_to
from dianjin_ext.answers.units import same_currency
from dianjin_ext.rewards.policy import NumberPolicy

_ONE: Final = Fraction(1)
_WIDE: Final = Context(prec=3000)  # the default context would round to 28 digits


def same_number(answer: Number, gold: Number, policy: NumberPolicy) -> bool:
    """Whether `answer` is the gold number.

    The sign always counts, and no power of ten is forgiven but the factors that `policy` states. A
    range is the same as nothing but a range with both ends the same.
    """
    return matching_factor(answer, gold, policy) is not None


def matching_factor(answer: Number, gold: Number, policy: NumberPolicy) -> Fraction | None:
    """Return what the answer is multiplied by to be the gold number; None where it isn't that."""
    if policy.unit != "ignore" and not _same_unit(answer, gold):
        return None
    for factor in _factors(answer, gold, policy):
        if _same_ends(answer, gold, factor, policy):
            return factor
    return None


def canonical(number: Number) -> str:
    """Return one text for all spellings of a value: `0.125` for `12.5%`, `5~7` for a range."""
    text = _text(number.value)
    return text if number.high is None else f"{text}~{_text(number.high)}"


def rounded(number: Number, places: int | None) -> Number:
    """Return a number rounded half to even, unless that left 0 of it."""
    if places is None:
        return number
    value = Fraction(_rounded(number.value, places), 10**places)
    high = number.high
    if high is not None:
        high = Fraction(_rounded(high, places), 10**places)
    lost = (not value and number.value) or (number.high and not high)
    return number if lost else number._replace(value=value, high=high)


def _same_unit(answer: Number, gold: Number) -> bool:
    """Whether no unit contradicts another; a missing one doesn't."""
    if answer.currency and gold.currency and not same_currency(answer.currency, gold.currency):
        return False
    if answer.unit and gold.unit and answer.unit != gold.unit:
        return False
    if answer.per and gold.per and answer.per != gold.per:
        return False
    # `$5` and `5 shares`: both say what they count, and have nothing in common.
    told = (answer.currency or answer.unit) and (gold.currency or gold.unit)
    in_common = (answer.currency and gold.currency) or (answer.unit and gold.unit)
    return bool(in_common or not told)


def _factors(answer: Number, gold: Number, policy: NumberPolicy) -> Iterator[Fraction]:
    """Yield what the answer may be multiplied by before it is compared."""
    yield _ONE
    bare = answer.rate == answer.scale == 1 and not answer.worded
    plain = answer.rate == answer.scale == 1 and not answer.currency + answer.unit
    if policy.percent != "exact" and plain and gold.rate != 1:
        yield Fraction(1, gold.rate)
    if policy.percent == "either" and answer.rate == 100 and gold.rate == 1:
        yield Fraction(100)
    if policy.unit == "gold_hint" and bare and gold.scale != 1:
        yield Fraction(gold.scale)


def _same_ends(answer: Number, gold: Number, factor: Fraction, policy: NumberPolicy) -> bool:
    answer = answer.times(factor)
    if not _equal(answer.value, gold.value, gold.step, policy):
        return False
    if answer.high is None or gold.high is None:
        return answer.high is gold.high
    return _equal(answer.high, gold.high, gold.step, policy)


def _equal(answer: Fraction, gold: Fraction, step: Fraction, policy: NumberPolicy) -> bool:
    if answer == gold:
        return True
    if policy.round_to_gold is True or (policy.round_to_gold and step.denominator > 1):
        answer = round_to(answer, step)
    places = policy.decimals
    if places is not None and _same_rounded(answer, gold, places):
        return True
    if not policy.rel_tol and not policy.abs_tol:
        return answer == gold
    margin = max(_exact(policy.abs_tol), _exact(policy.rel_tol) * abs(gold))
    return abs(answer - gold) <= margin


def _same_rounded(answer: Fraction, gold: Fraction, places: int) -> bool:
    """Whether both are the same after rounding, and that left more of the gold number than 0.

    Where it left 0 of anything else, sign and power of ten are lost, and nothing is forgiven.
    """
    left = _rounded(gold, places)
    return _rounded(answer, places) == left and (left != 0 or gold == 0)


def _rounded(value: Fraction, places: int) -> int:
    """Return `value` in units of the last of `places` decimals, rounded half to even."""
    scale: int = 10**places
    whole, rest = divmod(value.numerator * scale, value.denominator)
    twice = 2 * rest - value.denominator
    return whole + int(twice > 0 or (twice == 0 and whole % 2 == 1))


@lru_cache
def _exact(tolerance: float) -> Fraction:
    """Return a tolerance as it was written: 0.0015 is not quite that in binary."""
    return Fraction(repr(tolerance))


def _text(value: Fraction) -> str:
    if value.denominator == 1:
        return str(value.numerator)
    places = _decimals(value)
    if places is None:
        return f"{value.numerator}/{value.denominator}"
    digits = Decimal(_rounded(value, places))
    return format(digits.scaleb(-places, _WIDE), "f")


def _decimals(value: Fraction) -> int | None:
    """Return how many decimals a value has; None if they never end."""
    rest, places = value.denominator, 0
    for factor in (2, 5):
        count = 0
        while rest % factor == 0:
            rest, count = rest // factor, count + 1
        places = max(places, count)
    return places if rest == 1 else None
