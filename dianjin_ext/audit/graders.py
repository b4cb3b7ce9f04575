"""The graders that the audit compares, each with the cases that it claims to handle."""

from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from importlib import import_module
from importlib.util import find_spec
from io import StringIO
from typing import Any, NamedTuple

from dianjin_ext.audit.corpus import KINDS, Case
from dianjin_ext.rewards import registry
from dianjin_ext.rewards.choice import score_choice
from dianjin_ext.rewards.grader import Grader as RewardGrader
from dianjin_ext.rewards.registry import get_reward
from dianjin_ext.rewards.score import compute_score
from dianjin_ext.rewards.settings import read_settings

_LAYOUT_FAULTS = frozenset(
    {"no_think", "empty_think", "truncated", "repeated_tag", "order", "outside_text"}
)


class Grader(NamedTuple):
    """A grader under audit.

    Attributes:
        name: What the tables call it.
        kinds: The kinds of answers that it claims to handle.
        accepts: Whether it gives a case full marks; None where it is not installed.
        handles: Which cases of these kinds it is measured on.
    """

    name: str
    kinds: tuple[str, ...]
    accepts: Callable[[Case], bool] | None
    handles: Callable[[Case], bool]


def our_grader(preset: str | None = None) -> Grader:
    """Return `compute_score` under a preset, or under the default policies.

    A case gets full marks where accuracy and format are both 1.0. What a case's own settings name
    is taken from them, not from the preset.

    Raises:
        DianjinError: The preset is not known.
    """
    base = {} if preset is None else {"preset": preset}
    RewardGrader(base)

    def accepts(case: Case) -> bool:
        settings = {**base, **case.settings}
        row = compute_score(
            case.data_source, case.response, case.ground_truth, case.extra_info, **settings
        )
        return row["acc"] == row["format"] == 1.0

    name = "dianjin-ext" if preset is None else f"dianjin-ext, {preset}"
    return Grader(name, KINDS, accepts, lambda case: True)


def own_reward_grader(preset: str | None = None) -> Grader:
    """Return a reward of the user's own that takes every answer: only its layout is judged.

    It is measured on the format it is given, over the cases of layouts that are right or at fault.

    Raises:
        DianjinError: The preset is not known.
    """
    base = {} if preset is None else {"preset": preset}
    name = "audit/any_answer"

    def accepts(case: Case) -> bool:
        known = registry.snapshot()
        try:
            registry.register_reward(name)(lambda response, ground_truth, **row: 1.0)
            grader = RewardGrader({**base, **case.settings})
            row = grader(name, case.response, case.ground_truth, case.extra_info)
        finally:
            registry.restore(known)
        return row["format"] == 1.0

    label = "any reward of your own"
    return Grader(label if preset is None else f"{label}, {preset}", ("format",), accepts, _layout)


def _layout(case: Case) -> bool:
    """Whether the verdict of a case is one on its layout, not on its box or its letters."""
    row = compute_score(
        case.data_source, case.response, case.ground_truth, case.extra_info, **case.settings
    )
    return case.right or row["reason"] in _LAYOUT_FAULTS


def other_graders() -> list[Grader]:
    """Return the graders that need no training framework: published rules, and math-verify."""
    return [
        Grader("DianJin-R1's rule", ("format", "choice"), _dianjin_r1, _is_plain_choice),
        Grader("DocMath-Eval's rule", ("numeric",), _docmath, is_common),
        Grader(
            "math-verify",
            ("choice", "numeric"),
            guarded(_math_verify) if find_spec("math_verify") else None,
            is_common,
        ),
    ]


def is_common(case: Case) -> bool:
    """Whether the verdict of a case holds for any grader.

    It doesn't where it depends on settings that only ours has, or on the gold answer being refused.
    """
    return case.tag != "unusable gold" and _follows_defaults(case)


def gold_text(case: Case) -> str:
    """Return the gold answer as graders expect it that know text only."""
    gold = case.ground_truth
    return "".join(gold) if isinstance(gold, list) else str(gold)


def guarded(accepts: Callable[[Case], bool]) -> Callable[[Case], bool]:
    """Return `accepts` such that what it prints is dropped, and an exception is a refusal."""

    def quietly(case: Case) -> bool:
        try:
            with redirect_stdout(StringIO()), redirect_stderr(StringIO()):
                return accepts(case)
        except Exception:
            return False

    return quietly


def _follows_defaults(case: Case) -> bool:
    return read_settings(case.settings) == read_settings({})


def _is_plain_choice(case: Case) -> bool:
    return _follows_defaults(case) and get_reward(case.data_source).function is score_choice


def _dianjin_r1(case: Case) -> bool:
    return _accuracy(case, strictness="dianjin")


def _docmath(case: Case) -> bool:
    return _accuracy(case, numbers={"parity": "docmath"})


def _accuracy(case: Case, **settings: Any) -> bool:
    row = compute_score(
        case.data_source, case.response, case.ground_truth, case.extra_info, **settings
    )
    return row["acc"] == 1.0


def _math_verify(case: Case) -> bool:
    library = import_module("math_verify")
    kinds = [library.LatexExtractionConfig(), library.ExprExtractionConfig()]
    if case.kind == "choice":
        kinds.append(library.StringExtractionConfig(strings=tuple("ABCDEFG")))
    gold = library.parse(f"\\boxed{{{gold_text(case)}}}", kinds)
    return bool(library.verify(gold, library.parse(case.response, kinds)))
