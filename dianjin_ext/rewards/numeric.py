"""Numbers: the answer is the gold number.

Both are read as in `dianjin_ext.answers.numbers`. They are equal when they are the same after
rounding to five decimals (half to even), which is how FinQA's own evaluator compares
(https://github.com/czyssrs/FinQA). A percent sign divides by 100, on either side: 12.5% is 0.125
and not 12.5. A percent sign right after the box belongs to the number. A gold answer of yes or no,
which FinQA has too, is compared as a label.
"""

from collections.abc import Mapping
from decimal import Context, Decimal
from typing import Any, Final

from dianjin_ext.answers.labels import read_label
from dianjin_ext.answers.numbers import read_number
from dianjin_ext.answers.reading import Fault
from dianjin_ext.rewards.base import Policy, Score, verdict, zero
from dianjin_ext.rewards.format import extract
from dianjin_ext.rewards.registry import register_reward

_DECIMALS: Final = Decimal("0.00001")
_PERCENT_SIGNS = ("%", "\\%", "％")


@register_reward(
    "finqa",
    "convfinqa",
    "tatqa",
    "docmath",
    "xbrl_math",
    gold="one plain number such as '-1,234.5' or '12.5%', or yes or no",
)
def score_numeric(
    response: str, ground_truth: Any, *, extra_info: Mapping[str, Any], policy: Policy, **_: Any
) -> Score:
    """Score an answer that is one number.

    Args:
        response: The text of the model.
        ground_truth: A number, or the text of one.
        extra_info: Not used.
        policy: How the response is read.
    """
    found = extract(response, policy)
    gold = _read(str(ground_truth))[0]
    if gold is None:
        return zero("gold_unusable", layout=found.format)
    if found.fault:
        return zero(found.fault)
    text = found.text
    if found.after.lstrip(" ").startswith(_PERCENT_SIGNS):
        text += "%"
    pred, fault = _read(text)
    if pred is None:
        return zero(fault, layout=1.0)
    return verdict(pred == gold, pred)


def _read(text: str) -> tuple[str | None, Fault]:
    """Return the rounded number, or yes or no, as text in one form for equal values."""
    number, fault = read_number(text)
    if number is None:
        label, _ = read_label(text, ("yes_no",))
        return label, "" if label else fault
    rounded = number.value.quantize(_DECIMALS, context=Context(prec=1200))
    plain = format(rounded, "f").rstrip("0").rstrip(".")
    return "0" if plain == "-0" else plain, ""
