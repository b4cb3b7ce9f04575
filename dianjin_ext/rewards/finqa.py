"""FinQA's published rule, for comparing with published tables, never as a reward.

Its evaluator (`code/evaluate/evaluate.py` of https://github.com/czyssrs/FinQA) runs a program that
the model wrote, rounds what it gives to five decimals, half to even, and takes that for right where
it is the number `exe_ans`, in binary, or the same yes or no. Models that reason write no program;
what they answer stands here for what a program gives, and is read as the evaluator reads a number
of a program, faults included: commas are dropped wherever they stand, a percent sign anywhere
divides by 100, `const_100` is 100 and `const_m1` is -1, and `$5`, `5 million`, `(5)` and `3/4` are
no numbers. Only the answer is rounded, so a gold number of more than five decimals is never met.

The text that is read is that of `dianjin_ext.rewards.format.published_text`. The gold answer is
`exe_ans`; `13.953%`, as `dianjin prepare` writes it, is the `exe_ans` 0.13953.
"""

from decimal import Decimal, InvalidOperation
from typing import Any, Final

from dianjin_ext.rewards.base import Score, verdict, zero
from dianjin_ext.rewards.format import Extract, published_text

_LONGEST: Final = 2000
"""Characters of an answer; a longer one is no number."""

_YES_NO: Final = ("yes", "no")


def score_as_finqa(found: Extract, ground_truth: Any) -> Score:
    """Score an extract by the published rule; a gold answer that it can't meet is unusable."""
    gold = _gold(ground_truth)
    if gold is None:
        return zero("gold_unusable", layout=found.format)
    if found.fault:
        return zero(found.fault)
    text = published_text(found)
    answer = read_as_finqa(text)
    if answer is None:
        return verdict(False, " ".join(text.split()))
    return verdict(answer == gold, answer if isinstance(answer, str) else _plain(answer))


def read_as_finqa(text: str) -> float | str | None:
    """Return what the published rule compares: a number, yes or no; None where it is neither."""
    if len(text) > _LONGEST:
        return None
    said = text.strip().rstrip(".").lower()
    if said in _YES_NO:
        return said
    digits = text.replace(",", "")
    value = _float(digits)
    if value is None and "%" in digits:
        percent = _float(digits.replace("%", ""))
        value = None if percent is None else percent / 100.0
    elif value is None and "const" in digits:
        constant = digits.replace("const_", "")
        value = _float("-1" if constant == "m1" else constant)
    return None if value is None else round(value, 5)


def _gold(ground_truth: Any) -> float | str | None:
    text = str(ground_truth).strip()
    if text.lower() in _YES_NO:
        return text.lower()
    try:
        number = Decimal(text.replace(",", "").removesuffix("%"))
        value = float(number / 100 if text.endswith("%") else number)
    except (InvalidOperation, OverflowError):
        return None
    return value if abs(value) < float("inf") else None


def _float(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _plain(value: float) -> str:
    text = repr(value + 0.0)  # no negative zero
    return text.removesuffix(".0")
