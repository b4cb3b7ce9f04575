r"""Answers in mathematics: the same value or expression, however it is written.

For general data (MATH-500, AIME) beside financial data. What is in the box is compared with the
gold answer: as text, then by math-verify, which knows fractions, roots, intervals, sets and
matrices, in a process that can be stopped (`dianjin_ext.rewards.math_process`).

Without a box (`lenient`), the answer is the whole text where that is an expression from end to end,
or the expression that prose states (`dianjin_ext.answers.statement`). An expression somewhere in
the text is none: it may be the question's, which often equals the gold answer.
"""

import re
from fractions import Fraction
from functools import lru_cache
from typing import Any, Final

from dianjin_ext.answers.reading import Reading
from dianjin_ext.answers.statement import read_statement
from dianjin_ext.errors import DianjinError
from dianjin_ext.rewards.base import Score, verdict, zero
from dianjin_ext.rewards.format import extract
from dianjin_ext.rewards.math_process import MathProcess
from dianjin_ext.rewards.policy import Policy
from dianjin_ext.rewards.registry import register_reward

_LONGEST: Final = 2000  # characters of an answer; a longer one is none
_SPACING: Final = re.compile(r"\s+|\\[,;:! ]|\\(?:left|right|displaystyle)(?![A-Za-z])")
_NUMBER: Final = re.compile(r"-?[0-9]{1,100}(?:\.[0-9]{1,100})?")
_DOLLARS: Final = re.compile(r"^\$+|\$+$|^\\[(\[]|\\[)\]]$")
_COMMAND: Final = re.compile(r"\\(?:text|mathrm|mbox)\s*\{[^{}]*\}|\\[A-Za-z]+")
_WORD: Final = re.compile(
    r"(?!(?:sqrt|sin|cos|tan|log|ln|pi)(?![A-Za-z]))[A-Za-z]{2,}|[一-鿿#]|\.\s"
)
_ONE_WORD: Final = re.compile(r"[A-Za-z]+")
_MARKED: Final = re.compile(r"\$+[^$]+\$+|\\\((?:(?!\\\)).)+\\\)", re.DOTALL)
_GOES_ON: Final = re.compile(r"[-+*/=^_(\[,]$|\\(?:[a-z]?frac|sqrt|times|cdot|div)?$")
_LONGEST_CLAUSE: Final = 200

_process = MathProcess()


@register_reward(
    "math",
    "math_500",
    "aime_2024",
    gold="an answer in LaTeX or plain, such as 3/4 or \\frac{3}{4}",
    judges_layout=True,
)
def score_math(response: str, ground_truth: Any, *, policy: Policy, **_: Any) -> Score:
    """Score an answer in mathematics.

    Args:
        response: The text of the model.
        ground_truth: The gold answer, in LaTeX or plain.
        policy: How the response is read.

    Raises:
        DianjinError: math-verify is missing.
    """
    found = extract(response, policy)
    gold = _plain(str(ground_truth)) if ground_truth is not None else ""
    if not gold:
        return zero("gold_unusable", layout=found.format)
    if found.fault:
        return zero(found.fault)
    stated = Reading(_plain(found.text)) if found.boxed else _read(found.text)
    if stated.fault:
        return zero(stated.fault, layout=1.0)
    said = stated.value
    if not said or len(said) > _LONGEST:
        return zero("no_answer", layout=1.0)
    if _same_text(said, gold):
        return verdict(True, _canonical(said))
    compared = _process.compare(gold, said)
    if compared.late:
        return zero("timeout", layout=1.0, pred=said)
    if compared.right is None and not compared.pred:
        return zero("no_answer", layout=1.0)
    return verdict(bool(compared.right), compared.pred or said)


@lru_cache(maxsize=4096)  # most are gold answers, the same for all samples of a row
def _canonical(text: str) -> str:
    """Return the text that other spellings of an answer share, which is 1/2 for 0.5."""
    if _NUMBER.fullmatch(text):
        return str(Fraction(text))
    try:
        return _process.compare(text, text).pred or text
    except DianjinError:  # equal texts need no math-verify
        return text


def _read(text: str) -> Reading[str]:
    """Return the expression that a text without a box is, or states as its answer."""
    whole = _expression(text)
    return whole if whole.value is not None else read_statement(text, _expression, _same)


def _expression(clause: str) -> Reading[str]:
    """Read a clause that is mathematics from end to end, or one word, such as a name."""
    clause = clause.strip().rstrip(".。").strip("* ")
    said = _plain(clause).rstrip(".。 ")
    if not said or len(said) > _LONGEST_CLAUSE or _is_torn(said):
        return Reading(None, "no_answer")
    words = _WORD.search(_COMMAND.sub("", said))
    if words and not _ONE_WORD.fullmatch(said) and not _MARKED.fullmatch(clause):
        return Reading(None, "no_answer")
    return Reading(said)


def _is_torn(text: str) -> bool:
    """Whether an expression ends before its end, as where a response is cut."""
    return text.count("{") != text.count("}") or _GOES_ON.search(text) is not None


def _same(one: str, other: str) -> bool:
    return _same_text(one, other) or bool(_process.compare(one, other).right)


def _plain(text: str) -> str:
    return _DOLLARS.sub("", text.strip()).strip()


def _same_text(one: str, other: str) -> bool:
    return _SPACING.sub("", one).rstrip(".") == _SPACING.sub("", other).rstrip(".")
