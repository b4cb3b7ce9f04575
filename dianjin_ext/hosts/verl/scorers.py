"""verl's own scoring functions, for the audit that compares graders."""

from collections.abc import Callable
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from dianjin_ext.audit import Case, Grader
from dianjin_ext.audit.graders import gold_text, guarded, is_common

__all__ = ["graders"]

_SCORERS = {
    "math_reward": ("choice", "numeric"),
    "math_dapo": ("numeric",),
    "prime_math": ("numeric",),
    "search_r1_like_qa_em": ("open",),
}
"""Module of `verl.utils.reward_score` to the kinds of answers that it claims to handle."""


def graders() -> list[Grader]:
    """Return verl's scorers, each imported when it is first called; without verl, none of them."""
    installed = find_spec("verl") is not None
    return [
        Grader(
            f"verl {name}",
            kinds,
            guarded(partial(_accepts, name)) if installed else None,
            is_common,
        )
        for name, kinds in _SCORERS.items()
    ]


def _accepts(name: str, case: Case) -> bool:
    gold: Any = gold_text(case)
    if name == "search_r1_like_qa_em":
        gold = {"target": gold}
    result = _scorer(name)(case.response, gold)
    if isinstance(result, dict):
        result = result["acc"]
    return bool(result[0] if isinstance(result, tuple) else result)


def _scorer(name: str) -> Callable[[str, Any], Any]:
    module = import_module(f"verl.utils.reward_score.{name}")
    scorer: Callable[[str, Any], Any] = module.compute_score
    return scorer
