"""DocMath-Eval's published rule, for comparing with published tables, never as a reward.

Its faults are kept: it is blind to the sign where values are equal or powers of ten apart, and to
powers of ten (−5 = 5, 50 = 5, 12.5 = 0.125), drops `million` and `%`, takes `True` for 1, and reads
whatever it can't read as 0. Source: `utils/evaluation_utils.py` of
https://github.com/yale-nlp/DocMath-Eval, which evaluates the answer as Python; here arithmetic and
comparisons of numbers are evaluated, by a parser, and anything else is 0, as there, but for names
and calls that Python knows (`max(3, 5)`). The published pipeline has a language model extract the
answer first; here it is the text of `dianjin_ext.rewards.format.published_text`.
"""

import ast
import math
import operator
import re
from collections.abc import Callable
from typing import Any, Final

from dianjin_ext.rewards.base import Score, verdict, zero
from dianjin_ext.rewards.format import Extract, published_text

_MAX_LENGTH: Final = 200
"""Characters of what is evaluated; a longer text is 0."""

_MAX_BITS: Final = 10_000
_TOLERANCE: Final = 0.0015
_SAID: Final = {"yes": 1.0, "no": 0.0}
_DROPPED = ("£", "€", "¥", "million", "billion", "thousand", "US", "USD", "RMB")
_NUMBER = r"[-+]?(?:[\d,]*\.*\d+)"
# A number among one word, or among one or two other characters; a line break may follow.
_UNITS = (
    re.compile(rf"({_NUMBER}) [^0-9 ]+$"),
    re.compile(rf"[^0-9 ]+ ({_NUMBER})$"),
    re.compile(rf"({_NUMBER})[^\d]{{1,2}}$"),
    re.compile(r"[^-+\d]{1,2}([\d,]*\.*\d+)$"),
)
_GROUPED = re.compile(r"[-+]?(\d{1,3}(,\d{3})*|\d+)(\.\d+)?$")
_ARITHMETIC = re.compile(r"(?:[0-9eE.,+\-*/^()\s_\[\]<>&|]|and|None)*")
_OPERATORS: Final[dict[type[ast.AST], Callable[[Any, Any], Any]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.BitXor: operator.xor,
    ast.BitAnd: operator.and_,
    ast.BitOr: operator.or_,
    ast.Pow: lambda base, power: _power(base, power),
}
_COMPARISONS: Final[dict[type[ast.AST], Callable[[Any, Any], Any]]] = {
    ast.Lt: operator.lt,
    ast.Gt: operator.gt,
}


class _HugeError(Exception):
    """A number that is too large to be compared: right for no gold answer."""


def score_as_docmath(found: Extract, ground_truth: Any) -> Score:
    """Score an extract by the published rule.

    A gold answer is a number, a per cent (the share that it is; FinQA's reader writes shares so),
    or yes or no (1 and 0, as the rule reads them); any other is unusable.
    """
    gold = _gold(ground_truth)
    if not math.isfinite(gold):
        return zero("gold_unusable", layout=found.format)
    if found.fault:
        return zero(found.fault)
    text = published_text(found)
    value = _evaluate(_normalize(text))
    number = isinstance(value, int | float)
    pred = repr(value).removesuffix(".0") if number else " ".join(text.split())
    return verdict(_is_right(0 if value is None else value, gold), pred)


def _gold(ground_truth: Any) -> float:
    text = ground_truth.strip() if isinstance(ground_truth, str) else ""
    if text.lower() in _SAID:
        return _SAID[text.lower()]
    try:
        if text.endswith("%"):
            return float(text[:-1]) / 100
        return float(ground_truth)
    except (TypeError, ValueError, OverflowError):
        return math.nan


def same_as_docmath(text: str, gold: float) -> bool:
    """Whether the published rule takes the answer `text` for `gold`."""
    value = _evaluate(_normalize(text))
    return _is_right(0 if value is None else value, gold)


def _is_right(answer: Any, gold: float) -> bool:
    if not isinstance(answer, int | float):
        return False  # a list, None, an option
    try:
        return _same(answer, gold)
    except (OverflowError, ValueError):
        return False


def _same(answer: float, gold: float) -> bool:
    large, small = max(abs(gold), abs(answer)), min(abs(gold), abs(answer))
    if small != 0 and (power := math.log10(large / small)) == int(power):
        return True
    steps = ((50, 100), (500, 1000), (50_000, 100_000))
    if any(small <= large / limit and _close(small * factor, large) for limit, factor in steps):
        return True
    if math.ceil(large * 1000) / 1000 == math.ceil(small * 1000) / 1000:
        return True
    return _close(answer, gold)


def _close(answer: float, gold: float) -> bool:
    margin = abs(gold) * _TOLERANCE
    return gold - margin <= answer <= gold + margin


def _normalize(text: str) -> str:
    """Return what the published rule evaluates."""
    text = text.strip().rstrip(".")
    for word in _DROPPED:
        text = text.replace(word, "")
    for mark in ("=", "≈"):
        if mark in text:
            text = text.rpartition(mark)[2].strip()
    text = re.sub("[`%$°]", "", text)
    if text in ("true", "yes") or "True" in text:
        return "True"
    if text in ("false", "no") or "False" in text:
        return "False"
    if "approximately" in text:
        text = text.replace("approximately", "").strip()
    text = text.split(" or ", 1)[0]
    if len(text) > _MAX_LENGTH:
        return ""
    for pattern in _UNITS:
        match = pattern.match(text)
        text = match[1] if match else text
    text = re.sub(r"10\^(-?\d+)", r"(10.0**\1)", text)
    text = text.replace(" x ", "*").replace(" × ", "*")
    return text.replace(",", "") if _GROUPED.match(text) else text


def _evaluate(text: str) -> Any:
    """Evaluate arithmetic; None for what is none, which counts as 0, and a list for no number."""
    if text in ("True", "False"):
        return int(text == "True")
    if any(f"({option})" in text for option in "abcd"):
        return [text]
    if not _ARITHMETIC.fullmatch(text):
        return None
    try:
        value = _value(ast.parse(text.lstrip(" \t"), mode="eval").body)
    except _HugeError:
        return [text]
    except (ArithmeticError, MemoryError, RecursionError, SyntaxError, TypeError, ValueError):
        return None
    if isinstance(value, complex):
        value = value.real
    if isinstance(value, bool):
        return int(value)
    return [text] if value is None else value


def _value(node: ast.expr) -> Any:
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.List | ast.Tuple):
        return [_value(item) for item in node.elts]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.UAdd | ast.USub):
        operand = _value(node.operand)
        return -operand if isinstance(node.op, ast.USub) else +operand
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        left, right = _value(node.left), _value(node.right)
        if isinstance(left, list) or isinstance(right, list):
            raise ValueError("a list is no number")
        return _OPERATORS[type(node.op)](left, right)
    if isinstance(node, ast.BoolOp):
        values = list(map(_value, node.values))
        return next((value for value in values if not value), values[-1])
    if isinstance(node, ast.Compare) and all(type(each) in _COMPARISONS for each in node.ops):
        values = list(map(_value, [node.left, *node.comparators]))
        pairs = zip(node.ops, values, values[1:], strict=False)
        return all(_COMPARISONS[type(each)](one, other) for each, one, other in pairs)
    raise ValueError(f"{type(node).__name__} is no arithmetic")


def _power(base: Any, power: Any) -> Any:
    """Return base to the power; published, a number of thousands of digits can't be compared."""
    if isinstance(base, int) and isinstance(power, int) and base.bit_length() * power > _MAX_BITS:
        raise _HugeError
    return base**power
