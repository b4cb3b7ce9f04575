"""What changed from one model to another on the same questions."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

from dianjin_ext.evaluation.report.outcomes import Outcome
from dianjin_ext.evaluation.report.runs import Key
from dianjin_ext.evaluation.statistics import compare, holm

FACETS: Final = ("category", "kind", "language")
_MOST: Final = 12
"""Values of a facet that are compared, those of most questions."""

Outcomes = Mapping[str, Outcome]


def pairs(names: Sequence[str]) -> list[tuple[int, int]]:
    """Return which models are compared: each with the next, and the first with the last."""
    steps = [(nth, nth + 1) for nth in range(len(names) - 1)]
    return [*steps, (0, len(names) - 1)] if len(names) > 2 else steps


def changes(names: Sequence[str], known: Sequence[Mapping[Key, Outcomes]]) -> list[dict[str, Any]]:
    """Return what changed between models, by benchmark and protocol.

    The p values of all comparisons are corrected together (Holm), and so are those of the parts of
    each comparison.

    Args:
        names: Of the models, in order.
        known: Of each model what became of the questions.
    """
    found = []
    for before, after in pairs(names):
        for key in known[before]:
            if key in known[after]:
                change = _change(known[before][key], known[after][key])
                if change is not None:
                    of = {"before": before, "after": after, "benchmark": key[0]}
                    found.append({**of, "protocol": key[1], **change})
    _correct(found)
    return found


def _change(first: Outcomes, second: Outcomes) -> dict[str, Any] | None:
    common = [name for name in first if name in second and first[name].asked == second[name].asked]
    if not common:
        return None
    found = _compared(first, second, common)
    found["only_one"] = len(first) + len(second) - 2 * len(common)
    found["by"] = {}
    for facet in FACETS:
        groups: dict[str, list[str]] = {}
        for name in common:
            groups.setdefault(getattr(first[name], facet), []).append(name)
        if len(groups) > 1:
            largest = sorted(groups, key=lambda value: -len(groups[value]))[:_MOST]
            parts = {value: _compared(first, second, groups[value]) for value in largest}
            _correct(list(parts.values()))
            found["by"][facet] = parts
    return found


def _compared(first: Outcomes, second: Outcomes, names: Sequence[str]) -> dict[str, Any]:
    before = [first[name].right for name in names]
    after = [second[name].right for name in names]
    clusters = [first[name].conversation or (name,) for name in names]  # a name may be another's
    moved = {"right_right": 0, "right_wrong": 0, "wrong_right": 0, "wrong_wrong": 0}
    for name in names:
        was, is_now = first[name].share >= 0.5, second[name].share >= 0.5
        moved[f"{'right' if was else 'wrong'}_{'right' if is_now else 'wrong'}"] += 1
    shares = [sum(map(sum, side)) / sum(map(len, side)) for side in (before, after)]
    return {
        "accuracy_before": shares[0],
        "accuracy_after": shares[1],
        **asdict(compare(before, after, clusters=clusters)),
        **moved,
    }


def _correct(found: Sequence[dict[str, Any]]) -> None:
    for change, p in zip(found, holm([each["p"] for each in found]), strict=True):
        change["p_holm"] = p
        change["comparisons"] = len(found)
