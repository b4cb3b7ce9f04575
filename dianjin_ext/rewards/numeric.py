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
from dianjin_ext.answers.reading import Reading
from dianjin_ext.rewards.base import Score
from dianjin_ext.rewards.format import Extract, compare, extract
from dianjin_ext.rewards.policy import Policy
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
    return compare(found, _read(str(ground_truth)).value, _read_box)


def _read_box(found: Extract) -> Reading[str]:
    outside = found.after.lstrip(" ").startswith(_PERCENT_SIGNS)
    return _read(found.text + "%" if outside else found.text)


def _read(text: str) -> Reading[str]:
    """Read a rounded number, or yes or no, as text that is the same for equal values."""
    number = read_number(text).value
    if number is None:
        return read_label(text, ("yes_no",))
    rounded = number.value.quantize(_DECIMALS, context=Context(prec=1200))
    plain = format(rounded, "f").rstrip("0").rstrip(".")
    return Reading("0" if plain == "-0" else plain)
