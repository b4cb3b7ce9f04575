"""DocMath-Eval's published rule, for comparing with published tables, never as a reward.

Its faults are kept: it is blind to the sign where values are equal or powers of ten apart, and to
powers of ten (−5 = 5, 50 = 5, 12.5 = 0.125), drops `million` and `%`, takes `True` for 1, and reads
whatever it can't read as 0. Source: `utils/evaluation_utils.py` of
https://github.com/yale-nlp/DocMath-Eval, which evaluates the answer as Python; here arithmetic on
numbers is evaluated, by a parser, and anything else is 0. The published pipeline has a language
model extract the answer first; here it is the box, or what prose states.
"""

import ast
import math
import operator
import re
from collections.abc import Callable
from typing import Any, Final

from dianjin_ext.answers.reading import Reading
from dianjin_ext.answers.statement import read_statement
from dianjin_ext.rewards.base import Score, verdict, zero
from dianjin_ext.rewards.format import Extract

_MAX_LENGTH: Final = 200
_TOLERANCE: Final = 0.0015
_DROPPED = ("£", "€", "¥", "million", "billion", "thousand", "US", "USD", "RMB")
_NUMBER = r"[-+]?(?:[\d,]*\.*\d+)"
# A number among one word, or among one or two other characters.
_UNITS = (
    re.compile(rf"({_NUMBER}) [^0-9 ]+"),
    re.compile(rf"[^0-9 ]+ ({_NUMBER})"),
    re.compile(rf"({_NUMBER})[^\d]{{1,2}}"),
    re.compile(r"[^-+\d]{1,2}([\d,]*\.*\d+)"),
)
_GROUPED = re.compile(r"[-+]?(\d{1,3}(,\d{3})*|\d+)(\.\d+)?")
_ARITHMETIC = re.compile(r"[0-9eE.,+\-*/%^() _\[\]]*")
_OPERATORS: Final[dict[type[ast.AST], Callable[[Any, Any], Any]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.BitXor: operator.xor,
    ast.Pow: lambda base, power: base**power if abs(power) <= 100 else math.inf,
}


def score_as_docmath(found: Extract, ground_truth: Any) -> Score:
    """Score an extract by the published rule; a gold answer that is no number is unusable."""
    try:
        gold = float(ground_truth)
    except (TypeError, ValueError, OverflowError):
        gold = math.nan
    if not math.isfinite(gold):
        return zero("gold_unusable", layout=found.format)
    if found.fault:
        return zero(found.fault)
    text = found.text
    if not found.boxed:
        text = read_statement(text, lambda clause: Reading(clause.strip())).value or text
    return verdict(same_as_docmath(text, gold), " ".join(text[:_MAX_LENGTH].split()))


def same_as_docmath(text: str, gold: float) -> bool:
    """Whether the published rule takes the answer `text` for `gold`."""
    answer = _evaluate(_normalize(text)) if len(text) <= _MAX_LENGTH else 0
    if answer is None:
        return False
    try:
        return _same(answer, gold)
    except (OverflowError, ValueError):
        return False


def _same(answer: float, gold: float) -> bool:
    large, small = max(abs(gold), abs(answer)), min(abs(gold), abs(answer))
    if small != 0 and math.log10(large / small).is_integer():
        return True
    steps = ((50, 100), (500, 1000), (50_000, 100_000))
    if any(small <= large / limit and _close(small * factor, large) for limit, factor in steps):
        return True
    if math.ceil(large * 1000) == math.ceil(small * 1000):
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
    text = text.split(" or ")[0]
    for pattern in _UNITS:
        match = pattern.fullmatch(text)
        text = match[1] if match else text
    text = re.sub(r"10\^(-?\d+)", r"(10.0**\1)", text)
    text = text.replace(" x ", "*").replace(" × ", "*")
    return text.replace(",", "") if _GROUPED.fullmatch(text) else text


def _evaluate(text: str) -> float | None:
    """Evaluate arithmetic; 0 for what is none, and None for what is equal to no number."""
    if text in ("True", "False"):
        return float(text == "True")
    if text == "None" or any(f"({option})" in text for option in "abcd"):
        return None
    if not _ARITHMETIC.fullmatch(text):
        return 0
    try:
        value = _value(ast.parse(text.strip(), mode="eval").body)
    except (ArithmeticError, MemoryError, RecursionError, SyntaxError, TypeError, ValueError):
        return 0
    if isinstance(value, complex):
        value = value.real
    return None if isinstance(value, list) else value


def _value(node: ast.expr) -> Any:
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.List | ast.Tuple):
        return [_value(item) for item in node.elts]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.UAdd | ast.USub):
        operand = _value(node.operand)
        return -operand if isinstance(node.op, ast.USub) else +operand
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        return _OPERATORS[type(node.op)](_value(node.left), _value(node.right))
    raise ValueError(f"{type(node).__name__} is no arithmetic")
